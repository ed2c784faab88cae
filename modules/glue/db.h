/*
 * The keeper's connection to a database: any of Kamailio's db1 drivers.
 *
 * What is read between open and close is one state of the database, whatever is
 * written meanwhile: one transaction, which SQLite in WAL mode (what
 * db/create.py makes) and InnoDB serve without a lock that a writer would feel.
 * SQLite in another journal mode lets writers wait until close.
 * glue_db_is_whole() tells whether that held to the end: a driver that connects
 * again by itself (db_mysql does) goes on outside of the transaction.
 *
 * Only the main process (mod_init) and the keeper call these; each opens its
 * own connection. Errors are logged here, naming what, where and what to do;
 * the first one stays in `error`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_DB_H
#define GLUE_DB_H

#include "core/str.h"
#include "lib/share/rowcheck.h"
#include "lib/srdb1/db.h"

struct glue_db
{
	db_func_t f;
	db1_con_t *con;
	str url;
	char where[192]; /* the URL without its password, for messages */
	char error[384]; /* the first thing that failed; "" = nothing did */
	int begun;		 /* a transaction is open */
	int is_sqlite;	 /* whose columns hold values of any type */
	struct tg_rowcheck types; /* values that are not of their column's type */
};

/* Binds the driver, connects and begins a transaction. 0, -1: close it then
 * too. */
int glue_db_open(struct glue_db *db, const str *url);
void glue_db_close(struct glue_db *db); /* safe on a closed one */
/* After the last row: whether all were of one state of the database, and every
 * value of its column's type. 1, 0. */
int glue_db_is_whole(struct glue_db *db);
/* Into the log, and the first one into db->error. */
void glue_db_fail(struct glue_db *db, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* The table's row in `version` must say `version`. 0, -1. */
int glue_db_check_version(struct glue_db *db, const char *table, int version);

#define GLUE_SQL_MAX 4096 /* characters of a query */

/* At most `rows` rows with an id above `after` for which the SQL condition
 * `where` holds ("" = all), by rising id: id, then the columns of the SQL list.
 * The caller frees the result. 0, -1. */
int glue_db_page(struct glue_db *db, const char *table, const char *list,
		const char *where, long long after, int rows, db1_res_t **res);

#endif
