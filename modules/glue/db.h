/*
 * Reading tables in the keeper: any of Kamailio's db1 drivers, by keyset pages
 * (WHERE id > last ORDER BY id LIMIT n), so that a table of a million rows does
 * not need a million rows of memory.
 *
 * What is read between open and close is one state of the database, whatever is
 * written meanwhile: one transaction, which SQLite in WAL mode (what db/create.py
 * makes) and InnoDB serve without a lock that a writer would feel. SQLite in
 * another journal mode lets writers wait until close. glue_db_is_whole() tells
 * whether that held to the end: a driver that connects again by itself (db_mysql
 * does) goes on outside of the transaction.
 *
 * Only the main process (mod_init) and the keeper call these; each opens its
 * own connection. Errors are logged here, naming what, where and what to do; the
 * first one stays in `error`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_DB_H
#define GLUE_DB_H

#include "core/str.h"
#include "lib/srdb1/db.h"

struct glue_db
{
	db_func_t f;
	db1_con_t *con;
	str url;
	char where[192]; /* the URL without its password, for messages */
	char error[384]; /* the first thing that failed; "" = nothing did */
	int begun;		 /* a transaction is open */
};

/* One row of a page; valid inside the callback only. */
struct glue_row
{
	const db_val_t *values;
	const char *table;
	long long id;
};

/* Binds the driver, connects and begins a transaction. 0, -1: close it then too. */
int glue_db_open(struct glue_db *db, const str *url);
void glue_db_close(struct glue_db *db); /* safe on a closed one */
/* After the last row: whether all were of one state of the database. 1, 0. */
int glue_db_is_whole(struct glue_db *db);

/* The table's row in `version` must say `version`. 0, -1. */
int glue_db_check_version(struct glue_db *db, const char *table, int version);

/*
 * Calls `row` for every row of `table`, by rising id. `columns` is an SQL list
 * that does not name id. A negative value from `row` ends the walk and is
 * returned. Returns the number of rows, or < 0.
 */
typedef int (*glue_row_f)(const struct glue_row *row, void *arg);
long glue_db_each(struct glue_db *db, const char *table, const char *columns,
		glue_row_f row, void *arg);
/* Only those rows for which the SQL condition holds; "" = all. */
long glue_db_each_where(struct glue_db *db, const char *table,
		const char *columns, const char *where, glue_row_f row, void *arg);

/* Column `col` (0 = the first of `columns`); `null` for NULL. Text that is no
 * number gives `null` too. */
long long glue_row_int(const struct glue_row *row, int col, long long null);
/* Empty for NULL; points into the row. */
str glue_row_str(const struct glue_row *row, int col);
/* Copies text, always NUL-terminated. 0, -1 when it was cut short. */
int glue_row_copy(const struct glue_row *row, int col, char *out, int size);

#endif
