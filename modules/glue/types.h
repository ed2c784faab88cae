/*
 * Whether every value of a table is what its column is read as: a whole number
 * or a text. A driver does not tell: db_sqlite reads 0.0123 and '12abc' in a
 * column of numbers as 0 and 12, and 5000000000 in one of INTEGER as 705032704.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_TYPES_H
#define GLUE_TYPES_H

#include "glue/db.h"

#define GLUE_COLUMNS_MAX 32 /* of one table */

struct glue_column
{
	char name[32];
	char mark; /* '#' a number, '?' a text that is mostly empty, 0 a text */
};

/* The columns of a list as glue_db_each() takes it. How many, -1 = too many or
 * too long. */
int glue_read_columns(
		const char *list, struct glue_column out[GLUE_COLUMNS_MAX]);

/*
 * Tells, into db->types, of the values that are not of their column's type.
 * NULL is of every type. SQLite looks at each value, in one pass over the table
 * or, where the table has the index that db/schema/generate.py makes for it, in
 * none. Other databases hold to the types of their columns: the values are
 * looked at only where a column was declared with another type than ours, and
 * what says a whole number there is taken for one. Always the whole table:
 * which rows a value of the wrong type belongs to is not known. 0, -1 the
 * database failed.
 */
int glue_check_types(struct glue_db *db, const char *table,
		const struct glue_column *columns, int count);

/* A whole number, whatever type the driver gives it. 0, -1 = it is none. */
int glue_whole_number(const db_val_t *v, long long *out);

#endif
