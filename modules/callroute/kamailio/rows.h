/*
 * The tables, their columns, and how a row of each becomes the builder's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_ROWS_H
#define CALLROUTE_KAMAILIO_ROWS_H

#include "glue/rows.h"

struct callroute_table_map
{
	const char *table, *columns; /* without id, as glue_db_each wants them */
	glue_row_f row;				 /* its `arg` is the builder */
};

/* In the order that the builder wants. */
extern const struct callroute_table_map callroute_tables[];
extern const int callroute_table_count;

#endif
