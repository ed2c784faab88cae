/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/db.h"
#include "glue/ksr.h"
#include "glue/pkg_room.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_ROWS 500 /* they fit a processor's second cache */

/* scheme://user:password@host/name -> scheme://host/name */
static void describe(struct glue_db *db)
{
	str u = db->url;
	char *sep = memchr(u.s, ':', u.len);
	char *at = memrchr(u.s, '@', u.len);

	if(sep != NULL && at != NULL && at > sep)
		snprintf(db->where, sizeof db->where, "%.*s://%.*s", (int)(sep - u.s),
				u.s, (int)(u.s + u.len - at - 1), at + 1);
	else
		snprintf(db->where, sizeof db->where, "%.*s", GLUE_STR(u));
}

/* Into the log, and the first one for db->error. */
__attribute__((format(printf, 2, 3))) static void fail(
		struct glue_db *db, const char *format, ...)
{
	char line[sizeof db->error];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	LM_ERR("%s\n", line);
	if(db->error[0] == '\0')
		strcpy(db->error, line);
}

/* db_sqlite makes an empty database where there is none, and the answer would be
 * that tables are missing. sqlite://[host]/path */
static int is_missing_file(const str *url)
{
	static const char scheme[] = "sqlite://";
	size_t skip = sizeof scheme - 1;
	const char *path;
	char name[512];

	if((size_t)url->len <= skip || strncmp(url->s, scheme, skip) != 0)
		return 0;
	path = memchr(url->s + skip, '/', url->len - skip);
	if(path == NULL
			|| snprintf(name, sizeof name, "%.*s",
					   (int)(url->s + url->len - path - 1), path + 1)
					   >= (int)sizeof name)
		return 0;
	return access(name, F_OK) < 0 && errno == ENOENT;
}

/* A statement without rows. With a place for a result, for db_sqlite does not run
 * one without. 0, -1. */
static int run(struct glue_db *db, const char *sql)
{
	str q = {(char *)sql, (int)strlen(sql)};
	db1_res_t *res = NULL;
	int rc = db->f.raw_query(db->con, &q, &res);

	if(res != NULL)
		db->f.free_result(db->con, res);
	return rc < 0 ? -1 : 0;
}

int glue_db_open(struct glue_db *db, const str *url)
{
	memset(db, 0, sizeof *db);
	db->url = *url;
	describe(db);
	if(db_bind_mod(url, &db->f) < 0) {
		fail(db,
				"no database driver for %s: load it first (loadmodule "
				"\"db_sqlite.so\" or \"db_mysql.so\")",
				db->where);
		return -1;
	}
	if(!DB_CAPABILITY(db->f, DB_CAP_RAW_QUERY)) {
		fail(db,
				"the database driver for %s has no raw queries: use db_sqlite, "
				"db_mysql or db_postgres",
				db->where);
		return -1;
	}
	if(is_missing_file(url)) {
		fail(db,
				"cannot connect to %s: the file does not exist (make db "
				"creates it)",
				db->where);
		return -1;
	}
	db->con = db->f.init(url);
	if(db->con == NULL) {
		fail(db,
				"cannot connect to %s: does it exist, and may Kamailio read "
				"it? "
				"(make db creates it)",
				db->where);
		return -1;
	}
	db->begun = run(db, "BEGIN") == 0;
	/* The savepoint is gone when the transaction is. */
	if(!db->begun || run(db, "SAVEPOINT tollgate") < 0) {
		fail(db, "no transaction on %s: is it locked, or no database?",
				db->where);
		return -1;
	}
	return 0;
}

int glue_db_is_whole(struct glue_db *db)
{
	if(run(db, "RELEASE SAVEPOINT tollgate") == 0)
		return 1;
	fail(db,
			"the connection was lost while %s was read: what was read may be "
			"of two states of it",
			db->where);
	return 0;
}

void glue_db_close(struct glue_db *db)
{
	/* The connection may be one that other modules of this process share. */
	if(db->begun && run(db, "COMMIT") < 0)
		LM_DBG("the end of the transaction on %s was lost\n", db->where);
	db->begun = 0;
	if(db->con != NULL)
		db->f.close(db->con);
	db->con = NULL;
}

int glue_db_check_version(struct glue_db *db, const char *table, int version)
{
	str name = {(char *)table, (int)strlen(table)};
	int has = db_table_version(&db->f, db->con, &name);

	if(has == version)
		return 0;
	if(has < 0)
		fail(db,
				"cannot read table version of %s: is it locked, damaged, or "
				"without our schema (make db creates it)?",
				db->where);
	else if(has == 0)
		fail(db,
				"table %s is missing in %s (no row for it in table version): "
				"load the schema, see `make db`",
				table, db->where);
	else
		fail(db, "table %s in %s has version %d, this module needs %d: %s",
				table, db->where, has, version,
				has < version ? "migrate the schema (db/README.md)"
							  : "install the newer module");
	return -1;
}

static int read_page(struct glue_db *db, const char *table, const char *columns,
		const char *where, long long after, db1_res_t **res)
{
	char sql[1024];
	str q = {sql, 0};

	q.len = snprintf(sql, sizeof sql,
			"SELECT id, %s FROM %s WHERE id > %lld%s%s ORDER BY id LIMIT %d",
			columns, table, after, where[0] ? " AND " : "", where, PAGE_ROWS);
	if(q.len >= (int)sizeof sql)
		return -1;
	*res = NULL;
	if(db->f.raw_query(db->con, &q, res) < 0 || *res == NULL) {
		fail(db,
				"reading %s from %s failed: is it locked, gone, or without "
				"one of the columns %s?",
				table, db->where, columns);
		return -1;
	}
	return 0;
}

static long long value_int(const db_val_t *v, long long null)
{
	char *end;
	long long n;

	if(VAL_NULL(v))
		return null;
	switch(VAL_TYPE(v)) {
		case DB1_INT:
			return VAL_INT(v);
		case DB1_BIGINT:
			return VAL_BIGINT(v);
		case DB1_DOUBLE:
			return (long long)VAL_DOUBLE(v);
		case DB1_STRING:
			n = strtoll(VAL_STRING(v), &end, 10);
			return end == VAL_STRING(v) || *end ? null : n;
		default:
			return null;
	}
}

long glue_db_each(struct glue_db *db, const char *table, const char *columns,
		glue_row_f row, void *arg)
{
	return glue_db_each_where(db, table, columns, "", row, arg);
}

/* Behind a full page others follow. */
static void make_room(struct glue_pkg_room *room, const db1_res_t *res)
{
	int texts = 0;

	for(int i = 0; i < RES_COL_N(res); i++)
		texts +=
				RES_TYPES(res)[i] == DB1_STRING || RES_TYPES(res)[i] == DB1_STR;
	glue_pkg_reserve(room, PAGE_ROWS, sizeof(db_val_t) * RES_COL_N(res), texts);
}

/* The rows of a page; `after` becomes the id of the last one. < 0 ends the walk. */
static int each_row(const char *table, const db1_res_t *res, glue_row_f row,
		void *arg, long long *after)
{
	int rc = 0;

	for(int i = 0; i < RES_ROW_N(res) && rc >= 0; i++) {
		const db_val_t *v = ROW_VALUES(RES_ROWS(res) + i);
		struct glue_row r = {
				.values = v + 1, .table = table, .id = value_int(v, -1)};

		*after = r.id;
		rc = row(&r, arg);
	}
	return rc;
}

long glue_db_each_where(struct glue_db *db, const char *table,
		const char *columns, const char *where, glue_row_f row, void *arg)
{
	struct glue_pkg_room room = {NULL};
	long long after = -1;
	long total = 0;
	int rc, full;

	do {
		db1_res_t *res;

		rc = read_page(db, table, columns, where, after, &res);
		if(rc < 0)
			break;
		rc = each_row(table, res, row, arg, &after);
		total += RES_ROW_N(res);
		full = rc >= 0 && RES_ROW_N(res) == PAGE_ROWS;
		if(full && room.spacers == NULL) {
			struct glue_pkg_room first = {NULL};

			make_room(&first, res);
			room = first;
		}
		db->f.free_result(db->con, res);
	} while(full);
	glue_pkg_release(&room);
	return rc < 0 ? rc : total;
}

long long glue_row_int(const struct glue_row *row, int col, long long null)
{
	return value_int(&row->values[col], null);
}

str glue_row_str(const struct glue_row *row, int col)
{
	const db_val_t *v = &row->values[col];
	str s = {"", 0};

	if(VAL_NULL(v))
		return s;
	switch(VAL_TYPE(v)) {
		case DB1_STRING:
			s.s = (char *)VAL_STRING(v);
			s.len = (int)strlen(s.s);
			break;
		case DB1_STR:
			s = VAL_STR(v);
			break;
		case DB1_BLOB:
			s = VAL_BLOB(v);
			break;
		default:
			break;
	}
	return s;
}

int glue_row_copy(const struct glue_row *row, int col, char *out, int size)
{
	str s = glue_row_str(row, col);
	int n = s.len < size - 1 ? s.len : size - 1;

	memcpy(out, s.s, n);
	out[n] = '\0';
	return n < s.len ? -1 : 0;
}
