/*
 * Looking things up beside decisions: whose a request is, where a number leads,
 * who rings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ORACLE_LOOKUPS_H
#define ORACLE_LOOKUPS_H

#include "rows.h"

#include "callroute/callroute.h"

/* Answers a line that looks something up; 0 when it is another line. */
int look_up(const struct callroute_image *im, const struct line *l);

#endif
