/*
 * The builder's own rows, shared by build*.c. Every table is sorted by id,
 * because the rows come in that order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_BUILD_ROWS_H
#define CALLROUTE_BUILD_ROWS_H

#include "callroute/build/builder.h"
#include "callroute/callroute.h"
#include "lib/prefix/trie.h"

struct callroute_rows
{
	void *rows;
	size_t count, room;
};

struct callroute_build_time
{
	long long id;
	void *calendar;
	size_t bytes;
};

struct callroute_build_failover
{
	long long id;
	struct callroute_codes codes;
	uint8_t action;
};

struct callroute_build_breaker
{
	long long id;
	struct callroute_codes codes;
	struct callroute_breaker_config config;
};

struct callroute_build_carrier
{
	long long id;
	struct callroute_carrier out;
};

struct callroute_build_trunk
{
	long long id;
	struct callroute_trunk out;
};

struct callroute_build_deck
{
	long long id;
	struct callroute_deck out;
};

/* A prefix as a number: 4 bits a symbol from the top, 1 .. 12 in the order of
 * the trie, 0 after the last symbol. So packed prefixes sort in the order of
 * the trie. */
struct callroute_packed
{
	uint64_t high, low;
};

/* 32 bytes: a load has millions of them. */
struct callroute_build_rate
{
	struct callroute_packed prefix;
	uint32_t id; /* 0 = taken from the image in use */
	struct callroute_rate out;
};

struct callroute_build_plan
{
	long long id;
	char currency[4];
	struct callroute_plan out;
};

struct callroute_build_entry
{
	long long id;
	uint32_t plan;
	struct callroute_entry out;
};

struct callroute_build_account
{
	long long id;
	struct callroute_account out;
};

struct callroute_build_rule
{
	long long id;
	struct callroute_packed prefix;
	struct callroute_rule out;
};

struct callroute_build_block
{
	long long id;
	struct callroute_packed prefix;
	uint8_t is_src;
	struct callroute_block out;
};

struct callroute_build_group
{
	long long id;
	struct callroute_group out;
};

struct callroute_build_member
{
	long long id;
	uint32_t group;
	struct callroute_member out;
};

struct callroute_build_did
{
	long long id;
	struct callroute_did out;
};

struct callroute_build_ported
{
	long long id;
	struct callroute_ported out;
};

/* Tables whose rows are found by name. */
enum callroute_named
{
	CALLROUTE_NAMED_TRUNK,
	CALLROUTE_NAMED_PLAN,
	CALLROUTE_NAMED_GROUP,
	CALLROUTE_NAMED_KINDS
};

/* Rows of which each is kept once, found by a hash table. */
struct callroute_distinct
{
	struct callroute_rows rows;
	uint32_t *slots; /* index + 1; 0 = free */
	size_t room;	 /* a power of two */
};

struct callroute_builder
{
	struct tg_rowcheck check;
	int64_t now;
	struct callroute_live *live;
	long long last_id; /* of the table being added */
	const char *last_table;
	struct callroute_rows times, failovers, breakers, carriers, trunks, decks;
	struct callroute_rows rates, plans, entries, accounts, nets, rules, targets;
	struct callroute_rows blocks, groups, members, dids, ported;
	struct callroute_distinct countries; /* struct callroute_countries */
	struct callroute_distinct terms;	 /* struct callroute_terms */
	uint32_t last_term;
	struct callroute_rows names; /* of names.c */
	struct callroute_rows texts; /* char */
	/* uint32_t indexes, by enum callroute_named */
	struct callroute_rows by_name[CALLROUTE_NAMED_KINDS];
	struct callroute_rows addrs; /* struct callroute_addr */
	size_t rates_read;			 /* disabled decks' included */
};

#define CALLROUTE_BUILD(b, type, table) ((type *)(b)->table.rows)

/* Room for `n` more rows of `size` bytes, zeroed; NULL when there is none. */
void *callroute_grow(struct callroute_rows *t, size_t size, size_t n);

/* A new row that starts with its id. The id must be above the one before and
 * fit 32 bits, else a fault is reported. NULL: no memory. */
void *callroute_new_row(struct callroute_builder *b, struct callroute_rows *t,
		size_t size, const char *table, long long id);

/* Index of the row with this id, CALLROUTE_NONE when there is none. */
uint32_t callroute_index_of(
		const struct callroute_rows *t, size_t size, long long id);

/* As callroute_index_of, for a column that must refer to a row. Reports a fault
 * when there is no such row. With `optional`, 0 is allowed and gives
 * CALLROUTE_NONE. */
uint32_t callroute_refer(struct callroute_builder *b,
		const struct callroute_rows *t, size_t size, const char *table,
		long long id, const char *column, long long value, int optional);

/* Stores a text; *offset is its place in texts. 0, -ENOMEM. */
int callroute_keep_text(
		struct callroute_builder *b, const char *text, uint32_t *offset);

/* As callroute_keep_text, for a column of at most `most` characters; reports a
 * longer text. */
int callroute_keep_column(struct callroute_builder *b, const char *table,
		long long id, const char *column, const char *text, size_t most,
		uint32_t *offset);

/* Takes a name that no other row of the table may have: checks its length and
 * copies it to `out` (NULL: not needed). 0, -ENOMEM. */
int callroute_take_name(struct callroute_builder *b, const char *table,
		long long id, const char *name, char out[CALLROUTE_NAME_MAX]);
/* Reports names that a table has twice. */
void callroute_check_names(struct callroute_builder *b);

/* Index of the row with this name; of several, of the first; CALLROUTE_NONE.
 * Sorts the names again when rows have come in since: ask when a table is whole.
 * 0, -ENOMEM. */
int callroute_find_named(struct callroute_builder *b, enum callroute_named kind,
		const char *name, size_t len, uint32_t *index);
/* The indexes of all rows in the order of their names, for the image; NULL: no
 * memory. */
const uint32_t *callroute_names(
		struct callroute_builder *b, enum callroute_named kind);

/* Index of the one row that has these bytes: it is added when there is none.
 * `size`: of a row, in whole words of 8 bytes, padding zeroed. 0, -ENOMEM. */
int callroute_keep_distinct(struct callroute_distinct *d, const void *row,
		size_t size, uint32_t *index);

/* Stores the trunk's address when its URI has one. 0, -ENOMEM. */
int callroute_keep_addr(struct callroute_builder *b,
		const struct callroute_trunk *trunk, uint32_t index);

/* 0, or -1 when the prefix is longer than the trie's limit or has other
 * symbols. */
int callroute_pack_prefix(const char *text, struct callroute_packed *out);
/* Returns the length of the prefix. */
size_t callroute_unpack_prefix(const struct callroute_packed *p, char out[32]);
int callroute_compare_packed(
		const struct callroute_packed *a, const struct callroute_packed *b);

/* Stores a source prefix of digits in `out` and `len`; reports a text that is
 * none. */
void callroute_take_src_prefix(struct callroute_builder *b, const char *table,
		long long id, const char *text, char out[32], uint8_t *len);

/* Gives the index of the set for a list of countries; reports unknown
 * countries. 0, -ENOMEM. */
int callroute_take_countries(struct callroute_builder *b, long long id,
		const char *column, const char *text, uint32_t *set);

/* Sorts the rates and their terms; reports rates that overlap in time. 0,
 * -ENOMEM. */
int callroute_finish_rates(struct callroute_builder *b);
/* Sorts the other tables in the order of the image; reports duplicates.
 * accounts: gives *names, the accounts in the order of what they match; the
 * caller frees it. 0, -ENOMEM. */
void callroute_finish_inbound(struct callroute_builder *b);
void callroute_finish_entries(struct callroute_builder *b);
int callroute_finish_accounts(struct callroute_builder *b, uint32_t **names);

#endif
