/*
 * Reading tables in the keeper by keyset pages (WHERE id > last ORDER BY id
 * LIMIT n), so that a table of a million rows does not need a million rows of
 * memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_ROWS_H
#define GLUE_ROWS_H

#include "glue/db.h"

/* One row of a page; valid inside the callback only. */
struct glue_row
{
	const db_val_t *values;
	const char *table;
	long long id;
};

/*
 * Calls `row` for every row of `table`, by rising id. `columns` are names with
 * ", " between them, id not among them; what stands before a name says what it
 * holds:
 *   name   a text
 *   ?name  a text that is empty in most rows: then it comes as NULL, which is
 *          faster
 *   #name  a whole number
 * A negative value from `row` ends the walk and is returned. Returns the number
 * of rows, or < 0.
 *
 * The types are looked at before the first row (glue/types.h). Once a value of
 * the wrong type was found, in this table or in one before, it is told and no
 * row is read any more: 0. The load goes on to its other tables all the same,
 * so that all such values are told; glue_db_is_whole() refuses it at the end.
 */
typedef int (*glue_row_f)(const struct glue_row *row, void *arg);
long glue_db_each(struct glue_db *db, const char *table, const char *columns,
		glue_row_f row, void *arg);
/* Only those rows for which the SQL condition holds; "" = all. */
long glue_db_each_where(struct glue_db *db, const char *table,
		const char *columns, const char *where, glue_row_f row, void *arg);

/* Column `col` (0 = the first of `columns`), one with a #; `null` for NULL. */
long long glue_row_int(const struct glue_row *row, int col, long long null);
/* A text, empty for NULL; points into the row. */
str glue_row_str(const struct glue_row *row, int col);
/* Copies text, always NUL-terminated. 0, -1 when it was cut short. */
int glue_row_copy(const struct glue_row *row, int col, char *out, int size);

#endif
