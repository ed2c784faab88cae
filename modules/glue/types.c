/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/types.h"
#include "glue/ksr.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGE_ROWS 500
#define TOLD (TG_ROWCHECK_LINES + 1) /* rows; the last one is "more follow" */
#define MOST_OF_DOUBLE (1LL << 53)	 /* above, a double skips whole numbers */

int glue_read_columns(
		const char *list, struct glue_column out[GLUE_COLUMNS_MAX])
{
	int n = 0;

	for(const char *end; *list; list = end + strspn(end, ", "), n++) {
		size_t len;

		if(n == GLUE_COLUMNS_MAX)
			return -1;
		out[n].mark = *list == '#' || *list == '?' ? *list++ : '\0';
		len = strcspn(list, ",");
		if(len >= sizeof out[n].name)
			return -1;
		memcpy(out[n].name, list, len);
		out[n].name[len] = '\0';
		end = list + len;
	}
	return n;
}

/* --- values -----------------------------------------------------------------
 * */

/* strtoll would take blanks, and leave an errno that drivers stumble over. */
static int parse(const char *s, size_t len, long long *out)
{
	int negative = len > 0 && s[0] == '-';
	long long n = 0;

	if(len == (size_t)negative)
		return -1;
	for(size_t i = negative; i < len; i++) {
		int digit = s[i] - '0';

		if(digit < 0 || digit > 9 || __builtin_mul_overflow(n, 10, &n)
				|| __builtin_add_overflow(n, negative ? -digit : digit, &n))
			return -1;
	}
	*out = n;
	return 0;
}

int glue_whole_number(const db_val_t *v, long long *out)
{
	switch(VAL_TYPE(v)) {
		case DB1_INT:
			*out = VAL_INT(v);
			return 0;
		case DB1_BIGINT:
			*out = VAL_BIGINT(v);
			return 0;
		case DB1_UINT:
			*out = VAL_UINT(v);
			return 0;
		case DB1_UBIGINT:
			*out = (long long)VAL_UBIGINT(v);
			return VAL_UBIGINT(v) <= LLONG_MAX ? 0 : -1;
		case DB1_DOUBLE:
			if(!(VAL_DOUBLE(v) >= -MOST_OF_DOUBLE
					   && VAL_DOUBLE(v) <= MOST_OF_DOUBLE))
				return -1;
			*out = (long long)VAL_DOUBLE(v);
			return (double)*out == VAL_DOUBLE(v) ? 0 : -1;
		case DB1_STRING:
			return parse(VAL_STRING(v), strlen(VAL_STRING(v)), out);
		case DB1_STR:
			return parse(VAL_STR(v).s, VAL_STR(v).len, out);
		case DB1_BLOB:
			return parse(VAL_BLOB(v).s, VAL_BLOB(v).len, out);
		default:
			return -1;
	}
}

static int is_text(db_type_t type)
{
	return type == DB1_STRING || type == DB1_STR || type == DB1_BLOB;
}

static const char *shown(const db_val_t *v, char *out, size_t size)
{
	long long n;

	if(VAL_TYPE(v) == DB1_DOUBLE)
		snprintf(out, size, "%.15g", VAL_DOUBLE(v));
	else if(VAL_TYPE(v) == DB1_UBIGINT)
		snprintf(out, size, "%llu", VAL_UBIGINT(v));
	else if(VAL_TYPE(v) == DB1_STRING)
		snprintf(out, size, "'%.64s'", VAL_STRING(v));
	else if(is_text(VAL_TYPE(v)))
		snprintf(out, size, "'%.*s'", VAL_STR(v).len < 64 ? VAL_STR(v).len : 64,
				VAL_STR(v).s);
	else if(glue_whole_number(v, &n) == 0)
		snprintf(out, size, "%lld", n);
	else
		snprintf(out, size, "a date or a set");
	return out;
}

/* Of `what` the value is none. */
static void tell(struct glue_db *db, const char *table, const char *id,
		const char *column, const char *value, const char *what)
{
	tg_row_bad(&db->types, "%s id %s: %s = %s is no %s", table, id, column,
			value, what);
}

/* --- SQLite: each value has a type of its own -------------------------------
 * */

static int append(char *sql, size_t *len, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

static int append(char *sql, size_t *len, const char *format, ...)
{
	size_t room = GLUE_SQL_MAX - *len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(sql + *len, room, format, args);
	va_end(args);
	if(n < 0 || (size_t)n >= room)
		return -1;
	*len += (size_t)n;
	return 0;
}

/* How many bits the driver reads of a number. */
static int bits_of(db_type_t type)
{
	return type == DB1_BIGINT || type == DB1_DOUBLE || type == DB1_STRING ? 64
																		  : 32;
}

/* The SQL condition of a value that does not fit. Operators on bits make a
 * whole number of 64 bits of everything, which then differs from what it was
 * made of; numbers sort before all texts, and blobs behind them. What most
 * numbers are is ruled out first, being faster. As db/schema/generate.py has it
 * in the index, which serves no other condition. */
static int append_misfit(
		char *sql, size_t *len, const struct glue_column *c, db_type_t type)
{
	if(c->mark != '#')
		return append(sql, len, "%s NOT BETWEEN '' AND x''", c->name);
	return append(sql, len,
			bits_of(type) == 64 ? "%s <> 0 AND %s & -1 <> %s"
								: "%s NOT IN (0, 1) AND %s << 32 >> 32 <> %s",
			c->name, c->name, c->name);
}

static int query(
		struct glue_db *db, const char *table, const char *sql, db1_res_t **res)
{
	str q = {(char *)sql, (int)strlen(sql)};

	*res = NULL;
	if(db->f.raw_query(db->con, &q, res) == 0 && *res != NULL)
		return 0;
	glue_db_fail(
			db, "looking at the types in %s in %s failed", table, db->where);
	return -1;
}

/* Tells of the rows of a query for id and value, both as SQL writes them. */
static int tell_misfits(struct glue_db *db, const char *table,
		const char *column, const char *sql, const char *what)
{
	db1_res_t *res;

	if(query(db, table, sql, &res) < 0)
		return -1;
	for(int i = 0; i < RES_ROW_N(res); i++) {
		const db_val_t *v = ROW_VALUES(RES_ROWS(res) + i);
		char id[32], value[96];

		snprintf(id, sizeof id, "%.*s", GLUE_STR(VAL_STR(&v[0])));
		snprintf(value, sizeof value, "%.*s", GLUE_STR(VAL_STR(&v[1])));
		tell(db, table, id, column, value, what);
	}
	db->f.free_result(db->con, res);
	return 0;
}

static int list_misfits(struct glue_db *db, const char *table,
		const struct glue_column *c, db_type_t type)
{
	char sql[GLUE_SQL_MAX];
	size_t len = 0;

	if(append(sql, &len, "SELECT quote(id), substr(quote(%s), 1, 64) FROM %s",
			   c->name, table)
					< 0
			|| append(sql, &len, " WHERE ") < 0
			|| append_misfit(sql, &len, c, type) < 0
			|| append(sql, &len, " ORDER BY id LIMIT %d", TOLD) < 0)
		return -1;
	return tell_misfits(db, table, c->name, sql,
			c->mark != '#'		  ? "text"
			: bits_of(type) == 64 ? "whole number of 64 bits"
								  : "whole number of 32 bits");
}

static int check_sqlite(struct glue_db *db, const char *table,
		const struct glue_column *columns, const db_type_t *types, int count)
{
	char sql[GLUE_SQL_MAX];
	size_t len = 0;
	db1_res_t *res;
	int rc, found;

	/* Ids are read as 32 bits too, and a walk by negative ones had no end. */
	snprintf(sql, sizeof sql,
			"SELECT quote(id), quote(id) FROM %s WHERE id > 2147483647 "
			"ORDER BY id LIMIT %d",
			table, TOLD);
	rc = tell_misfits(db, table, "id", sql, "whole number of 32 bits");
	rc = rc ? rc : append(sql, &len, "SELECT id FROM %s WHERE ", table);
	for(int i = 0; i < count && rc == 0; i++) {
		rc = i > 0 ? append(sql, &len, " OR ") : 0;
		rc = rc ? rc : append_misfit(sql, &len, &columns[i], types[i]);
	}
	rc = rc ? rc : append(sql, &len, " LIMIT 1");
	rc = rc ? rc : query(db, table, sql, &res);
	if(rc < 0)
		return rc;
	found = RES_ROW_N(res);
	db->f.free_result(db->con, res);
	for(int i = 0; i < count && found && rc == 0; i++)
		rc = list_misfits(db, table, &columns[i], types[i]);
	return rc;
}

/* --- columns that were declared with another type ---------------------------
 * */

static int is_foreign(const struct glue_column *c, db_type_t type)
{
	if(c->mark == '#')
		return type != DB1_INT && type != DB1_BIGINT && type != DB1_UINT;
	return !is_text(type);
}

static int judge(struct glue_db *db, const char *table,
		const struct glue_column *c, const db1_res_t *res, long long *after)
{
	for(int i = 0; i < RES_ROW_N(res); i++) {
		const db_val_t *v = ROW_VALUES(RES_ROWS(res) + i);
		char id[32], value[96];
		long long n;

		if(glue_whole_number(&v[0], after) < 0) {
			tell(db, table, shown(&v[0], id, sizeof id), "id", id,
					"whole number");
			return 0;
		}
		snprintf(id, sizeof id, "%lld", *after);
		if(VAL_NULL(&v[1])
				|| (c->mark == '#' ? glue_whole_number(&v[1], &n) == 0
								   : is_text(VAL_TYPE(&v[1]))))
			continue;
		tell(db, table, id, c->name, shown(&v[1], value, sizeof value),
				c->mark == '#' ? "whole number" : "text");
	}
	return RES_ROW_N(res) == PAGE_ROWS;
}

static int check_values(
		struct glue_db *db, const char *table, const struct glue_column *c)
{
	long long before, after = -1;
	int more;

	do {
		db1_res_t *res;

		before = after;
		if(glue_db_page(db, table, c->name, "", after, PAGE_ROWS, &res) < 0)
			return -1;
		more = judge(db, table, c, res, &after);
		db->f.free_result(db->con, res);
	} while(more && after > before);
	return 0;
}

int glue_check_types(struct glue_db *db, const char *table,
		const struct glue_column *columns, int count)
{
	db_type_t types[GLUE_COLUMNS_MAX];
	char list[GLUE_SQL_MAX];
	size_t len = 0;
	unsigned bad = db->types.bad;
	db1_res_t *res;
	int rc = 0, known;

	list[0] = '\0';
	for(int i = 0; i < count && rc == 0; i++)
		rc = append(list, &len, "%s%s", i > 0 ? ", " : "", columns[i].name);
	rc = rc ? rc : glue_db_page(db, table, list, "", -1, 1, &res);
	if(rc < 0)
		return rc;
	/* Without a row db_sqlite knows no types. */
	known = RES_ROW_N(res) > 0 && RES_COL_N(res) == count + 1;
	for(int i = 0; i < count && known; i++)
		types[i] = RES_TYPES(res)[i + 1];
	db->f.free_result(db->con, res);
	if(!known)
		return 0;
	if(db->is_sqlite)
		rc = check_sqlite(db, table, columns, types, count);
	/* What SQLite found would be found again. */
	if(db->types.bad != bad)
		return rc;
	for(int i = 0; i < count && rc == 0; i++) {
		if(is_foreign(&columns[i], types[i]))
			rc = check_values(db, table, &columns[i]);
	}
	return rc;
}
