/*
 * Reading the tables: all of them at one state of the database, and of the
 * rates those that the order asks for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/tables.h"
#include "callroute/kamailio/rows.h"
#include "callroute/kamailio/state.h"

#include <stdio.h>
#include <string.h>

#define TABLE_VERSION 1

/* --- rates, by what the order asks ------------------------------------------
 * */

/* A deck by its name, as the table has it now. */
struct deck_search
{
	const char *name;
	uint32_t id; /* 0 = none */
};

static int is_deck(const struct glue_row *row, void *arg)
{
	struct deck_search *s = arg;
	str name = glue_row_str(row, 0);

	if((size_t)name.len == strlen(s->name)
			&& memcmp(name.s, s->name, (size_t)name.len) == 0)
		s->id = (uint32_t)row->id;
	return 0;
}

/* Takes over the rates in use but for those of one deck. 1 done, 0 they will
 * not do, -1. */
static int keep_rates(struct callroute_builder *b, uint32_t except)
{
	const struct callroute_image *old = callroute_enter();
	int rc = old != NULL && callroute_can_keep_rates(b, old, except);

	if(rc && callroute_keep_rates(b, old, except) < 0)
		rc = -1;
	callroute_leave();
	return rc;
}

static int read_rates(struct glue_db *db, struct callroute_builder *b,
		const struct callroute_table_map *map, struct callroute_load *load)
{
	struct deck_search s = {load->order.deck, 0};
	char only[48] = "";
	long rows = 0;
	int kept = 0, misfits = db->types.bad > 0;

	/* After those in tables before this one only types are looked at. */
	if(load->order.scope == CALLROUTE_LOAD_DECK && !misfits) {
		if(glue_db_each(db, "callroute_deck", "name", is_deck, &s) < 0)
			return -1;
		if(s.id == 0) {
			snprintf(load->base.message, sizeof load->base.message,
					"there is no deck '%s'", load->order.deck);
			return -1;
		}
	}
	if(load->order.scope != CALLROUTE_LOAD_ALL && !misfits) {
		kept = keep_rates(b, s.id);
		if(kept < 0)
			return -1;
	}
	if(kept && s.id == 0)
		return 0;
	if(kept)
		snprintf(only, sizeof only, "deck_id + 0 = %u", s.id);
	rows = glue_db_each_where(db, map->table, map->columns, only, map->row, b);
	load->rows_read = rows < 0 ? 0 : (uint32_t)rows;
	return rows < 0 ? -1 : 0;
}

int callroute_read_tables(
		struct callroute_builder *b, struct callroute_load *load)
{
	const struct callroute_table_map *map = callroute_tables;
	struct glue_db db;
	int rc = glue_db_open(&db, &callroute.db_url);

	for(int i = 0; i < callroute_table_count && rc == 0; i++)
		rc = glue_db_check_version(&db, map[i].table, TABLE_VERSION);
	for(int i = 0; i < callroute_table_count && rc == 0; i++) {
		if(strcmp(map[i].table, "callroute_rate") == 0)
			rc = read_rates(&db, b, &map[i], load);
		else if(glue_db_each(&db, map[i].table, map[i].columns, map[i].row, b)
				< 0)
			rc = -1;
	}
	if(rc == 0 && !glue_db_is_whole(&db))
		rc = -1;
	if(rc < 0 && db.error[0] != '\0')
		glue_load_say(&load->base, db.error);
	glue_db_close(&db);
	return rc;
}
