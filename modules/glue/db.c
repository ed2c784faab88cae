/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/db.h"
#include "glue/ksr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SQLITE "sqlite://"

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

void glue_db_fail(struct glue_db *db, const char *format, ...)
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

/* A value that is not of its column's type. */
static void complain(void *arg, const char *line)
{
	struct glue_db *db = arg;

	LM_ERR("bad-row %s\n", line);
	if(db->error[0] == '\0')
		snprintf(db->error, sizeof db->error, "%s", line);
}

/* db_sqlite makes an empty database where there is none, and the answer would
 * be that tables are missing. sqlite://[host]/path */
static int is_missing_file(const str *url)
{
	size_t skip = sizeof SQLITE - 1;
	const char *path;
	char name[512];

	if((size_t)url->len <= skip || strncmp(url->s, SQLITE, skip) != 0)
		return 0;
	path = memchr(url->s + skip, '/', url->len - skip);
	if(path == NULL
			|| snprintf(name, sizeof name, "%.*s",
					   (int)(url->s + url->len - path - 1), path + 1)
					   >= (int)sizeof name)
		return 0;
	return access(name, F_OK) < 0 && errno == ENOENT;
}

/* A statement without rows. With a place for a result, for db_sqlite does not
 * run one without. 0, -1. */
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
	db->types = (struct tg_rowcheck){.complain = complain, .arg = db};
	db->is_sqlite = url->len >= (int)sizeof SQLITE - 1
					&& strncmp(url->s, SQLITE, sizeof SQLITE - 1) == 0;
	describe(db);
	if(db_bind_mod(url, &db->f) < 0) {
		glue_db_fail(db,
				"no database driver for %s: load it first (loadmodule "
				"\"db_sqlite.so\" or \"db_mysql.so\")",
				db->where);
		return -1;
	}
	if(!DB_CAPABILITY(db->f, DB_CAP_RAW_QUERY)) {
		glue_db_fail(db,
				"the database driver for %s has no raw queries: use db_sqlite, "
				"db_mysql or db_postgres",
				db->where);
		return -1;
	}
	if(is_missing_file(url)) {
		glue_db_fail(db,
				"cannot connect to %s: the file does not exist (make db "
				"creates it)",
				db->where);
		return -1;
	}
	db->con = db->f.init(url);
	if(db->con == NULL) {
		glue_db_fail(db,
				"cannot connect to %s: does it exist, and may Kamailio read "
				"it? "
				"(make db creates it)",
				db->where);
		return -1;
	}
	db->begun = run(db, "BEGIN") == 0;
	/* The savepoint is gone when the transaction is. */
	if(!db->begun || run(db, "SAVEPOINT tollgate") < 0) {
		glue_db_fail(db, "no transaction on %s: is it locked, or no database?",
				db->where);
		return -1;
	}
	return 0;
}

int glue_db_is_whole(struct glue_db *db)
{
	if(run(db, "RELEASE SAVEPOINT tollgate") == 0)
		return db->types.bad == 0;
	glue_db_fail(db,
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
		glue_db_fail(db,
				"cannot read table version of %s: is it locked, damaged, or "
				"without our schema (make db creates it)?",
				db->where);
	else if(has == 0)
		glue_db_fail(db,
				"table %s is missing in %s (no row for it in table version): "
				"load the schema, see `make db`",
				table, db->where);
	else
		glue_db_fail(db,
				"table %s in %s has version %d, this module needs %d: %s",
				table, db->where, has, version,
				has < version ? "migrate the schema (db/README.md)"
							  : "install the newer module");
	return -1;
}

int glue_db_page(struct glue_db *db, const char *table, const char *list,
		const char *where, long long after, int rows, db1_res_t **res)
{
	char sql[GLUE_SQL_MAX];
	str q = {sql, 0};

	q.len = snprintf(sql, sizeof sql,
			"SELECT id, %s FROM %s WHERE id > %lld%s%s ORDER BY id LIMIT %d",
			list, table, after, where[0] ? " AND " : "", where, rows);
	*res = NULL;
	if(q.len >= (int)sizeof sql || db->f.raw_query(db->con, &q, res) < 0
			|| *res == NULL) {
		glue_db_fail(db,
				"reading %s from %s failed: is it locked, gone, or without "
				"one of the columns %s?",
				table, db->where, list);
		return -1;
	}
	return 0;
}
