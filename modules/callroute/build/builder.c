/*
 * The builder's common parts: references, texts, prefixes, countries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/build/rows.h"
#include "lib/geo/country.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct callroute_builder *callroute_builder_new(int64_t now,
		struct callroute_live *live, tg_complain_f complain, void *arg)
{
	static const struct callroute_countries every;
	struct callroute_builder *b = calloc(1, sizeof *b);
	uint32_t set;

	if(b == NULL)
		return NULL;
	b->now = now;
	b->live = live;
	b->check.complain = complain;
	b->check.arg = arg;
	/* Text 0 is the empty text, set 0 has every country. */
	if(callroute_grow(&b->texts, 1, 1) == NULL
			|| callroute_keep_distinct(
					   &b->countries, &every, sizeof every, &set)
					   < 0) {
		callroute_builder_free(b);
		return NULL;
	}
	return b;
}

void callroute_builder_free(struct callroute_builder *b)
{
	struct callroute_build_time *times;

	if(b == NULL)
		return;
	times = b->times.rows;
	for(size_t i = 0; i < b->times.count; i++)
		free(times[i].calendar);
	{
		struct callroute_rows *all[] = {&b->times, &b->failovers, &b->breakers,
				&b->carriers, &b->trunks, &b->decks, &b->rates, &b->plans,
				&b->entries, &b->accounts, &b->nets, &b->rules, &b->targets,
				&b->blocks, &b->groups, &b->members, &b->dids, &b->ported,
				&b->countries.rows, &b->terms.rows, &b->names, &b->texts,
				&b->addrs, &b->by_name[CALLROUTE_NAMED_TRUNK],
				&b->by_name[CALLROUTE_NAMED_PLAN],
				&b->by_name[CALLROUTE_NAMED_GROUP]};

		for(size_t i = 0; i < sizeof all / sizeof all[0]; i++)
			free(all[i]->rows);
	}
	free(b->terms.slots);
	free(b->countries.slots);
	free(b);
}

void callroute_builder_reject(struct callroute_builder *b, const char *line)
{
	tg_row_bad(&b->check, "%s", line);
}

void *callroute_new_row(struct callroute_builder *b, struct callroute_rows *t,
		size_t size, const char *table, long long id)
{
	long long *row = callroute_grow(t, size, 1);

	if(row == NULL)
		return NULL;
	*row = id;
	tg_row_range(&b->check, table, id, "id", id, 1, UINT32_MAX);
	if(b->last_table == table && id == b->last_id)
		tg_row_bad(&b->check, "%s id %lld stands there twice", table, id);
	else if(b->last_table == table && id < b->last_id)
		tg_row_bad(&b->check, "%s id %lld comes behind id %lld", table, id,
				b->last_id);
	b->last_table = table;
	b->last_id = id;
	return row;
}

uint32_t callroute_index_of(
		const struct callroute_rows *t, size_t size, long long id)
{
	size_t lo = 0, hi = t->count;

	while(lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		long long here = *(const long long *)((char *)t->rows + mid * size);

		if(here == id)
			return (uint32_t)mid;
		if(here < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return CALLROUTE_NONE;
}

uint32_t callroute_refer(struct callroute_builder *b,
		const struct callroute_rows *t, size_t size, const char *table,
		long long id, const char *column, long long value, int optional)
{
	uint32_t index;

	if(value == 0 && optional)
		return CALLROUTE_NONE;
	index = callroute_index_of(t, size, value);
	if(index == CALLROUTE_NONE)
		tg_row_bad(&b->check, "%s id %lld: %s = %lld is no %.*s", table, id,
				column, value, (int)(strlen(column) - 3), column);
	return index;
}

int callroute_keep_text(
		struct callroute_builder *b, const char *text, uint32_t *offset)
{
	size_t len = strlen(text);
	char *to;

	*offset = 0;
	if(len == 0)
		return 0;
	if(b->texts.count + len + 1 > UINT32_MAX)
		return -ENOMEM;
	to = callroute_grow(&b->texts, 1, len + 1);
	if(to == NULL)
		return -ENOMEM;
	memcpy(to, text, len + 1);
	*offset = (uint32_t)(to - (char *)b->texts.rows);
	return 0;
}

int callroute_keep_column(struct callroute_builder *b, const char *table,
		long long id, const char *column, const char *text, size_t most,
		uint32_t *offset)
{
	*offset = 0;
	if(strlen(text) <= most)
		return callroute_keep_text(b, text, offset);
	tg_row_bad(&b->check, "%s id %lld: %s is longer than %zu characters", table,
			id, column, most);
	return 0;
}

/* --- prefixes ------------------------------------------------------------- */

static const char symbols[] = "0123456789*#";

int callroute_pack_prefix(const char *text, struct callroute_packed *out)
{
	size_t len = strlen(text);

	*out = (struct callroute_packed){0, 0};
	if(len > TG_TRIE_MAX_DIGITS)
		return -1;
	for(size_t i = 0; i < len; i++) {
		const char *at = strchr(symbols, text[i]);
		uint64_t nibble = at == NULL ? 0 : (uint64_t)(at - symbols) + 1;

		if(nibble == 0)
			return -1;
		if(i < 16)
			out->high |= nibble << (60 - 4 * i);
		else
			out->low |= nibble << (60 - 4 * (i - 16));
	}
	return 0;
}

size_t callroute_unpack_prefix(const struct callroute_packed *p, char out[32])
{
	size_t n = 0;

	for(; n < TG_TRIE_MAX_DIGITS; n++) {
		uint64_t word = n < 16 ? p->high : p->low;
		unsigned nibble = word >> (60 - 4 * (n & 15)) & 15;

		if(nibble == 0)
			break;
		out[n] = symbols[nibble - 1];
	}
	return n;
}

int callroute_compare_packed(
		const struct callroute_packed *a, const struct callroute_packed *b)
{
	if(a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

void callroute_take_src_prefix(struct callroute_builder *b, const char *table,
		long long id, const char *text, char out[32], uint8_t *len)
{
	size_t n = strlen(text);

	*len = 0;
	if(n > TG_TRIE_MAX_DIGITS || text[strspn(text, symbols)] != '\0') {
		tg_row_bad(&b->check,
				"%s id %lld: src_prefix = '%s' is not 0 to %d symbols of 0-9 "
				"* #",
				table, id, text, TG_TRIE_MAX_DIGITS);
		return;
	}
	for(size_t i = 0; i < n; i++)
		out[i] = text[i];
	*len = (uint8_t)n;
}

/* --- countries ------------------------------------------------------------ */

int callroute_take_countries(struct callroute_builder *b, long long id,
		const char *column, const char *text, uint32_t *set)
{
	struct callroute_countries in = {{0}}, out = {{0}};
	int listed = 0, words = 0;

	*set = CALLROUTE_ALL_COUNTRIES;
	for(const char *p = text + strspn(text, ", "); *p != '\0';
			p += strspn(p, ", ")) {
		int barred = *p == '!', index;
		size_t len = strcspn(p, ", ");
		char iso[3] = "";

		if(len == 2u + (unsigned)barred)
			memcpy(iso, p + barred, 2);
		index = tg_country_index(iso);
		if(index < 0) {
			tg_row_bad(&b->check,
					"callroute_plan_trunk id %lld: %s has '%.*s' where a "
					"country (ISO 3166: DE, !CH) must stand",
					id, column, (int)len, p);
		} else {
			struct callroute_countries *to = barred ? &out : &in;

			to->bits[(index + 1) / 64] |= UINT64_C(1) << ((index + 1) % 64);
			listed |= !barred;
			words++;
		}
		p += len;
	}
	if(words == 0)
		return 0;
	for(int i = 0; i < 5; i++)
		in.bits[i] = (listed ? in.bits[i] : UINT64_MAX) & ~out.bits[i];
	return callroute_keep_distinct(&b->countries, &in, sizeof in, set);
}
