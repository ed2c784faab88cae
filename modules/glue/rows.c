/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/rows.h"
#include "glue/pkg_room.h"
#include "glue/types.h"

#include <stdio.h>
#include <string.h>

#define PAGE_ROWS 500 /* they fit a processor's second cache */

static long long value_int(const db_val_t *v, long long null)
{
	long long n;

	if(VAL_NULL(v))
		return null;
	if(VAL_TYPE(v) == DB1_INT)
		return VAL_INT(v);
	if(VAL_TYPE(v) == DB1_BIGINT)
		return VAL_BIGINT(v);
	return glue_whole_number(v, &n) == 0 ? n : null;
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

/* The SQL list that reads the columns. 0, -1. */
static int read_list(
		const struct glue_column *columns, int count, char list[GLUE_SQL_MAX])
{
	int len = 0;

	list[0] = '\0';
	for(int i = 0; i < count; i++) {
		len += snprintf(list + len, GLUE_SQL_MAX - len,
				columns[i].mark == '?' ? "%sNULLIF(%s, '')" : "%s%s",
				i > 0 ? ", " : "", columns[i].name);
		if(len >= GLUE_SQL_MAX)
			return -1;
	}
	return 0;
}

/* The rows of a page; `after` becomes the id of the last one. < 0 ends the
 * walk. */
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

static long walk(struct glue_db *db, const char *table, const char *list,
		const char *where, glue_row_f row, void *arg)
{
	struct glue_pkg_room room = {NULL};
	long long after = -1, before;
	long total = 0;
	int rc, full;

	do {
		db1_res_t *res;

		before = after;
		rc = glue_db_page(db, table, list, where, after, PAGE_ROWS, &res);
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
		if(full && after <= before) {
			glue_db_fail(db, "%s: id does not rise above %lld", table, before);
			rc = -1;
		}
	} while(full && rc >= 0);
	glue_pkg_release(&room);
	return rc < 0 ? rc : total;
}

long glue_db_each_where(struct glue_db *db, const char *table,
		const char *columns, const char *where, glue_row_f row, void *arg)
{
	struct glue_column all[GLUE_COLUMNS_MAX];
	char list[GLUE_SQL_MAX];
	int count = glue_read_columns(columns, all);

	if(count < 0 || read_list(all, count, list) < 0) {
		glue_db_fail(db, "%s: more columns than %d, or too long ones", table,
				GLUE_COLUMNS_MAX);
		return -1;
	}
	if(glue_check_types(db, table, all, count) < 0)
		return -1;
	return db->types.bad > 0 ? 0 : walk(db, table, list, where, row, arg);
}

long glue_db_each(struct glue_db *db, const char *table, const char *columns,
		glue_row_f row, void *arg)
{
	return glue_db_each_where(db, table, columns, "", row, arg);
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
