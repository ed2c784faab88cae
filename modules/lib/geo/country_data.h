/*
 * The tables of country.c. The automaton that reads a number starts at node
 * tg_country_root. An entry is a node, a country (its index with the highest
 * bit set), or 0: no country.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_COUNTRY_DATA_H
#define TG_COUNTRY_DATA_H

#include "lib/geo/country.h"

#define TG_COUNTRY_DECIDED 0x8000

extern const uint16_t tg_country_root;
/* [0]: the entry when the number ends here; [1 + d]: the entry after digit d.
 * Every node leads to nodes with lower numbers only, so a walk ends. */
extern const uint16_t tg_country_nodes[][11];
extern const uint8_t tg_country_by_iso[26][26];
extern const struct tg_country tg_country_table[TG_COUNTRIES];

#endif
