/*
 * Look-ups in the image, by what a request or an operator gives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/callroute.h"
#include "lib/calendar/calendar.h"

#include <string.h>

/* Compares a NUL-terminated text with one that has a length. */
static int compare(const char *text, const char *name, size_t len)
{
	int d = strncmp(text, name, len);

	return d != 0 || text[len] == '\0' ? d : 1;
}

/* A NUL inside would end the comparison too early. */
static int is_name(const char *name, size_t len)
{
	return len > 0 && len < CALLROUTE_URI_MAX && memchr(name, 0, len) == NULL;
}

/* --- by name -------------------------------------------------------------- */

typedef const char *(*name_of_f)(
		const struct callroute_image *im, uint32_t index);

static const char *plan_name(const struct callroute_image *im, uint32_t i)
{
	return CALLROUTE_ROWS(im, struct callroute_plan, plans)[i].name;
}

static const char *trunk_name(const struct callroute_image *im, uint32_t i)
{
	return CALLROUTE_ROWS(im, struct callroute_trunk, trunks)[i].name;
}

static const char *group_name(const struct callroute_image *im, uint32_t i)
{
	return callroute_text(
			im, CALLROUTE_ROWS(im, struct callroute_group, groups)[i].name);
}

/* Index of the row with this name, or CALLROUTE_NONE. */
static uint32_t find_name(const struct callroute_image *im,
		const struct callroute_table *names, name_of_f name_of,
		const char *name, size_t len)
{
	const uint32_t *sorted = (const uint32_t *)((const char *)im + names->at);
	uint64_t lo = 0, hi = names->count;

	if(!is_name(name, len))
		return CALLROUTE_NONE;
	while(lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		int d = compare(name_of(im, sorted[mid]), name, len);

		if(d == 0)
			return sorted[mid];
		if(d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return CALLROUTE_NONE;
}

const struct callroute_plan *callroute_find_plan(
		const struct callroute_image *im, const char *name, size_t len)
{
	uint32_t i = find_name(im, &im->plan_names, plan_name, name, len);

	return i == CALLROUTE_NONE
				   ? NULL
				   : &CALLROUTE_ROWS(im, struct callroute_plan, plans)[i];
}

const struct callroute_trunk *callroute_find_trunk_name(
		const struct callroute_image *im, const char *name, size_t len)
{
	uint32_t i = find_name(im, &im->trunk_names, trunk_name, name, len);

	return i == CALLROUTE_NONE
				   ? NULL
				   : &CALLROUTE_ROWS(im, struct callroute_trunk, trunks)[i];
}

const struct callroute_group *callroute_find_group(
		const struct callroute_image *im, const char *name, size_t len)
{
	uint32_t i = find_name(im, &im->group_names, group_name, name, len);

	return i == CALLROUTE_NONE
				   ? NULL
				   : &CALLROUTE_ROWS(im, struct callroute_group, groups)[i];
}

/* --- by id ---------------------------------------------------------------- */

const struct callroute_plan *callroute_find_plan_id(
		const struct callroute_image *im, uint32_t id)
{
	const struct callroute_plan *plans =
			CALLROUTE_ROWS(im, struct callroute_plan, plans);
	uint64_t lo = 0, hi = im->plans.count;

	while(lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if(plans[mid].id == id)
			return &plans[mid];
		if(plans[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct callroute_trunk *callroute_find_trunk(
		const struct callroute_image *im, uint32_t id)
{
	const struct callroute_trunk *trunks =
			CALLROUTE_ROWS(im, struct callroute_trunk, trunks);
	uint64_t lo = 0, hi = im->trunks.count;

	while(lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if(trunks[mid].id == id)
			return &trunks[mid];
		if(trunks[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct callroute_trunk *callroute_find_trunk_at(
		const struct callroute_image *im, const uint8_t *addr, uint32_t port)
{
	const struct callroute_addr *rows =
			CALLROUTE_ROWS(im, struct callroute_addr, addrs);
	const struct callroute_addr *found = NULL;
	uint64_t lo = 0, hi = im->addrs.count;

	while(lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if(memcmp(rows[mid].addr, addr, sizeof rows[mid].addr) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for(; lo < im->addrs.count
			&& memcmp(rows[lo].addr, addr, sizeof rows[lo].addr) == 0;
			lo++) {
		if(found == NULL || (rows[lo].port == port && found->port != port))
			found = &rows[lo];
	}
	return found == NULL ? NULL
						 : &CALLROUTE_ROWS(im, struct callroute_trunk,
								 trunks)[found->trunk];
}

int callroute_time_holds(
		const struct callroute_image *im, uint32_t time, int64_t now)
{
	const uint64_t *times = CALLROUTE_ROWS(im, uint64_t, times);

	if(time == CALLROUTE_NONE)
		return 1;
	return tg_calendar_is_open((const char *)im + times[time], now) == 1;
}

/* --- accounts ------------------------------------------------------------- */

static const struct callroute_account *find_match(
		const struct callroute_image *im, enum callroute_match_type type,
		const char *value, size_t len)
{
	const struct callroute_account *rows =
			CALLROUTE_ROWS(im, struct callroute_account, accounts);
	const uint32_t *sorted = CALLROUTE_ROWS(im, uint32_t, account_names);
	uint64_t lo = 0, hi = im->account_names.count;

	if(!is_name(value, len))
		return NULL;
	while(lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		const struct callroute_account *a = &rows[sorted[mid]];
		int d = (int)a->match_type - (int)type;

		if(d == 0)
			d = compare(callroute_text(im, a->value), value, len);
		if(d == 0)
			return a;
		if(d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int in_net(const struct callroute_net *net, const uint8_t *addr)
{
	uint32_t bytes = net->bits / 8, rest = net->bits % 8;

	if(memcmp(net->addr, addr, bytes) != 0)
		return 0;
	return rest == 0 || ((net->addr[bytes] ^ addr[bytes]) >> (8 - rest)) == 0;
}

/* Order of two networks: longer prefix first, then by address. */
static int before_net(const struct callroute_net *net, uint32_t bits,
		const uint8_t *addr, uint32_t bytes)
{
	if(net->bits != bits)
		return net->bits > bits;
	return memcmp(net->addr, addr, bytes) < 0;
}

/* One binary search for each prefix length in use. The host bits of networks
 * are cleared at load. */
static const struct callroute_account *find_net(
		const struct callroute_image *im, const uint8_t *addr)
{
	const struct callroute_net *nets =
			CALLROUTE_ROWS(im, struct callroute_net, nets);
	uint64_t at = 0, count = im->nets.count;

	while(at < count) {
		uint32_t bits = nets[at].bits;
		uint64_t lo = at, hi = count;
		uint8_t key[16] = {0};

		memcpy(key, addr, (bits + 7) / 8);
		if(bits % 8)
			key[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
		while(lo < hi) {
			uint64_t mid = lo + (hi - lo) / 2;

			if(before_net(&nets[mid], bits, key, sizeof key))
				lo = mid + 1;
			else
				hi = mid;
		}
		if(lo < count && nets[lo].bits == bits && in_net(&nets[lo], addr))
			return &CALLROUTE_ROWS(
					im, struct callroute_account, accounts)[nets[lo].account];
		/* Goes on to the next shorter prefix length. */
		for(hi = count; lo < hi;) {
			uint64_t mid = lo + (hi - lo) / 2;

			if(nets[mid].bits >= bits)
				lo = mid + 1;
			else
				hi = mid;
		}
		at = lo;
	}
	return NULL;
}

const struct callroute_account *callroute_find_account(
		const struct callroute_image *im, const struct callroute_caller *who)
{
	const struct callroute_account *a = NULL;
	char both[CALLROUTE_URI_MAX];

	if(who->user_len > 0 && who->user_len + 1 + who->domain_len < sizeof both) {
		memcpy(both, who->user, who->user_len);
		both[who->user_len] = '@';
		if(who->domain_len > 0)
			memcpy(both + who->user_len + 1, who->domain, who->domain_len);
		a = find_match(
				im, CALLROUTE_USER, both, who->user_len + 1 + who->domain_len);
	}
	if(a == NULL && who->user_len > 0)
		a = find_match(im, CALLROUTE_USER, who->user, who->user_len);
	if(a == NULL && who->addr != NULL)
		a = find_net(im, who->addr);
	if(a == NULL && who->trunk_len > 0)
		a = find_match(im, CALLROUTE_TRUNK, who->trunk, who->trunk_len);
	if(a == NULL && who->domain_len > 0)
		a = find_match(im, CALLROUTE_DOMAIN, who->domain, who->domain_len);
	return a;
}

/* --- numbers -------------------------------------------------------------- */

const struct callroute_did *callroute_find_did(const struct callroute_image *im,
		const char *number, size_t len, int64_t now, int *known)
{
	const struct callroute_did *rows =
			CALLROUTE_ROWS(im, struct callroute_did, dids);
	uint64_t lo = 0, hi = im->dids.count;

	if(known != NULL)
		*known = 0;
	if(!is_name(number, len))
		return NULL;
	while(lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if(compare(callroute_text(im, rows[mid].number), number, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for(; lo < im->dids.count
			&& compare(callroute_text(im, rows[lo].number), number, len) == 0;
			lo++) {
		if(known != NULL)
			*known = 1;
		if(callroute_time_holds(im, rows[lo].time, now))
			return &rows[lo];
	}
	return NULL;
}

size_t callroute_find_ported(const struct callroute_image *im,
		const char *number, size_t len, char out[16])
{
	const struct callroute_ported *rows =
			CALLROUTE_ROWS(im, struct callroute_ported, ported);
	uint64_t lo = 0, hi = im->ported.count;
	uint64_t key = callroute_pack_digits(number, len);

	while(key != 0 && lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if(rows[mid].number == key)
			return callroute_unpack_digits(rows[mid].routing_number, out);
		if(rows[mid].number < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	out[0] = '\0';
	return 0;
}
