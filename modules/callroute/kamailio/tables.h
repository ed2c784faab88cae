/*
 * The tables as callroute reads them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_TABLES_H
#define CALLROUTE_KAMAILIO_TABLES_H

#include "callroute/build/builder.h"
#include "callroute/kamailio/load.h"

/* Reads all tables into the builder; rates as load->order.scope asks: all,
 * those of one deck beside the ones in use, or none beside them (where those in
 * use will not do, all). Counts load->rows_read; what is wrong with the order
 * itself goes into load->message. 0, -1. */
int callroute_read_tables(
		struct callroute_builder *b, struct callroute_load *load);

#endif
