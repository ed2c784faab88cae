/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callroute/callroute.h"
#include "lib/trie.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What became of one vendor on the walk from the longest prefix down. */
struct vendor
{
	enum
	{
		OPEN,	/* no rate met yet */
		PRICED, /* eligible at this rate */
		REFUSED /* blocked by its deck for this prefix */
	} state;
	struct callroute_candidate c;
};

/* Order among candidates; all keys ascending. */
struct ranked
{
	int64_t first, second; /* price and priority, or the other way round */
	double share;		   /* weighted random order among equals */
	struct callroute_candidate c;
};

static const struct callroute_plan *find_plan(
		const struct callroute_image *im, const char *name, size_t len)
{
	const struct callroute_plan *plans =
			CALLROUTE_PART(im, struct callroute_plan, plans_at);
	uint32_t lo = 0, hi = im->plans;

	/* A NUL inside would end the comparison too early. */
	if(len == 0 || len >= CALLROUTE_NAME_MAX || memchr(name, '\0', len) != NULL)
		return NULL;
	while(lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int d = strncmp(plans[mid].name, name, len);

		if(d == 0 && plans[mid].name[len] != '\0')
			d = 1;
		if(d == 0)
			return &plans[mid];
		if(d < 0)
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
			CALLROUTE_PART(im, struct callroute_trunk, trunks_at);
	uint32_t lo = 0, hi = im->trunks;

	while(lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if(trunks[mid].id == id)
			return &trunks[mid];
		if(trunks[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The rate of `deck` in this group that is valid now, NULL when none is. An
 * expired rate must not hide the shorter prefix behind it. */
static const struct callroute_rate *find_rate(const struct callroute_image *im,
		const struct callroute_group *g, uint32_t deck, int64_t now)
{
	const struct callroute_rate *rates =
			CALLROUTE_PART(im, struct callroute_rate, rates_at);
	uint32_t lo = g->first, end = g->first + g->count, hi = end;

	while(lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if(rates[mid].deck < deck)
			lo = mid + 1;
		else
			hi = mid;
	}
	for(; lo < end && rates[lo].deck == deck; lo++) {
		if(rates[lo].valid_from <= now && now < rates[lo].valid_till)
			return &rates[lo];
	}
	return NULL;
}

/* Settles what one prefix says about the vendors still open. Returns how many
 * it settled. */
static uint32_t settle(const struct callroute_image *im,
		const struct callroute_plan *plan, const struct tg_trie_match *m,
		int64_t now, struct vendor *vendors)
{
	const struct callroute_entry *entries =
			CALLROUTE_PART(im, struct callroute_entry, entries_at)
			+ plan->first;
	const struct callroute_trunk *trunks =
			CALLROUTE_PART(im, struct callroute_trunk, trunks_at);
	const struct callroute_group *g =
			CALLROUTE_PART(im, struct callroute_group, groups_at) + m->value;
	uint32_t settled = 0;

	for(uint32_t i = 0; i < plan->count; i++) {
		const struct callroute_rate *r;

		if(vendors[i].state != OPEN)
			continue;
		r = find_rate(im, g, entries[i].deck, now);
		if(r == NULL)
			continue;
		settled++;
		vendors[i].state = r->blocked ? REFUSED : PRICED;
		vendors[i].c = (struct callroute_candidate){.price = r->price,
				.trunk_id = trunks[entries[i].trunk].id,
				.prefix_len = (uint8_t)m->len};
	}
	return settled;
}

static int before(const struct ranked *a, const struct ranked *b)
{
	if(a->first != b->first)
		return a->first < b->first;
	if(a->second != b->second)
		return a->second < b->second;
	return a->share < b->share;
}

/* splitmix64 (Steele, Lea, Flood 2014): independent draws from one seed. */
static uint64_t draw(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Smaller keys go first; P(first among equals) = weight / sum of weights when
 * the key is an exponential variate of that rate (Efraimidis, Spirakis 2006). */
static double share_key(uint16_t weight, uint64_t *seed)
{
	double u = (double)((draw(seed) >> 11) + 1) / 9007199254740993.0;

	return weight == 0 ? 1e300 : -__builtin_log(u) / weight;
}

/* Keeps the best `max` candidates sorted by insertion: max is at most 8. A
 * trunk that several decks price takes one place, its best: after it failed
 * there is no point in trying it again. */
static int rank(struct ranked *best, int n, int max, const struct ranked *r)
{
	int at = 0, grown;

	while(at < n && best[at].c.trunk_id != r->c.trunk_id)
		at++;
	if(at < n && !before(r, &best[at]))
		return n;
	grown = at < n || n == max ? n : n + 1;
	if(at == max) {
		at--;
		if(!before(r, &best[at]))
			return n;
	}
	while(at > 0 && before(r, &best[at - 1])) {
		best[at] = best[at - 1];
		at--;
	}
	best[at] = *r;
	return grown;
}

static void refuse(struct callroute_answer *a, int verdict, const char *reason)
{
	a->verdict = verdict;
	a->reason = reason;
}

/* Picks among the priced vendors; says why when none is left. */
static void choose(const struct callroute_image *im,
		const struct callroute_plan *plan, const struct vendor *vendors,
		uint64_t seed, struct callroute_answer *a)
{
	const struct callroute_entry *entries =
			CALLROUTE_PART(im, struct callroute_entry, entries_at)
			+ plan->first;
	const struct callroute_trunk *trunks =
			CALLROUTE_PART(im, struct callroute_trunk, trunks_at);
	struct ranked best[CALLROUTE_CANDIDATES] = {{0}};
	int n = 0, down = 0, blocked = 0;

	for(uint32_t i = 0; i < plan->count; i++) {
		const struct vendor *v = &vendors[i];
		const struct callroute_entry *e = &entries[i];
		struct ranked r = {.c = v->c};

		blocked += v->state == REFUSED;
		if(v->state != PRICED)
			continue;
		if(trunks[e->trunk].state != CALLROUTE_UP) {
			down++;
			continue;
		}
		r.first = plan->order == CALLROUTE_BY_PRICE ? v->c.price : e->priority;
		r.second = plan->order == CALLROUTE_BY_PRICE ? e->priority : v->c.price;
		r.share = share_key(e->weight, &seed);
		n = rank(best, n, plan->max_attempts, &r);
	}
	if(n == 0 && down > 0) {
		refuse(a, CALLROUTE_ALL_DOWN, "all_down");
		return;
	}
	if(n == 0) {
		refuse(a, blocked ? CALLROUTE_BLOCKED : CALLROUTE_NO_PREFIX,
				blocked ? "blocked" : "no_prefix");
		return;
	}
	a->verdict = CALLROUTE_OK;
	a->reason = "ok";
	a->count = n;
	for(int i = 0; i < n; i++)
		a->candidates[i] = best[i].c;
}

static int is_number(const char *s, size_t len)
{
	if(len == 0 || len > CALLROUTE_NUMBER_MAX)
		return 0;
	for(size_t i = 0; i < len; i++) {
		if((s[i] < '0' || s[i] > '9') && s[i] != '*' && s[i] != '#')
			return 0;
	}
	return 1;
}

void callroute_decide(const struct callroute_image *im,
		const struct callroute_question *q, struct callroute_answer *a)
{
	struct tg_trie_match match[TG_TRIE_MAX_DIGITS + 1];
	struct vendor vendors[CALLROUTE_ENTRIES_MAX];
	const struct callroute_plan *plan;
	uint32_t open;
	int n;

	memset(a, 0, sizeof *a);
	if(im == NULL) {
		refuse(a, CALLROUTE_NO_DATA, "no_data");
		return;
	}
	plan = find_plan(im, q->plan, q->plan_len);
	if(plan == NULL) {
		refuse(a, CALLROUTE_NO_DATA, "no_plan");
		return;
	}
	if(!is_number(q->number, q->number_len)) {
		refuse(a, CALLROUTE_NO_PREFIX, "not_a_number");
		return;
	}
	open = plan->count;
	memset(vendors, 0, open * sizeof vendors[0]);
	n = tg_trie_walk((const char *)im + im->trie_at, q->number, q->number_len,
			match, TG_TRIE_MAX_DIGITS + 1);
	while(n > 0 && open > 0)
		open -= settle(im, plan, &match[--n], q->now, vendors);
	choose(im, plan, vendors, q->seed, a);
}

int callroute_parse_codes(
		const char *text, struct callroute_codes *out, const char **bad)
{
	memset(out, 0, sizeof *out);
	for(;;) {
		int off = 0, lo, hi;

		while(*text == ' ' || *text == ',')
			text++;
		if(*text == '\0')
			return 0;
		if(bad)
			*bad = text;
		off = *text == '!';
		text += off;
		if(text[0] < '3' || text[0] > '6')
			return -EINVAL;
		lo = hi = (text[0] - '0') * 100;
		if(text[1] == 'x' && text[2] == 'x') {
			hi += 99;
		} else if(text[1] >= '0' && text[1] <= '9' && text[2] >= '0'
				  && text[2] <= '9') {
			lo = hi += (text[1] - '0') * 10 + text[2] - '0';
		} else {
			return -EINVAL;
		}
		text += 3;
		if(*text != '\0' && *text != ',' && *text != ' ')
			return -EINVAL;
		for(int code = lo - 300; code <= hi - 300; code++) {
			uint64_t bit = 1ULL << (code & 63);

			if(off)
				out->bits[code >> 6] &= ~bit;
			else
				out->bits[code >> 6] |= bit;
		}
	}
}

int callroute_fails_over(const struct callroute_codes *codes, int reply)
{
	if(reply < 300 || reply > 699)
		return 0;
	reply -= 300;
	return (codes->bits[reply >> 6] >> (reply & 63)) & 1;
}

/* Adds symbols to a user part; '#' has to be escaped there (RFC 3261, 25.1).
 * Returns the new length, also when it did not all fit. */
static size_t add_user(
		char *out, size_t size, size_t n, const char *s, size_t len)
{
	for(size_t i = 0; i < len; i++) {
		const char *symbol = s[i] == '#' ? "%23" : &s[i];
		size_t bytes = s[i] == '#' ? 3 : 1;

		if(n + bytes <= size)
			memcpy(out + n, symbol, bytes);
		n += bytes;
	}
	return n;
}

int callroute_make_uri(const struct callroute_trunk *t, const char *number,
		size_t len, char *out, size_t size)
{
	char user[CALLROUTE_REQUEST_URI_MAX];
	size_t strip = t->strip < len ? t->strip : len;
	const char *host = strchr(t->uri, ':');
	size_t n = add_user(user, sizeof user, 0, t->prefix, strlen(t->prefix));
	int made;

	n = add_user(user, sizeof user, n, number + strip, len - strip);
	if(host == NULL || n == 0)
		return -EINVAL;
	if(n > sizeof user)
		return -ENOSPC;
	made = snprintf(out, size, "%.*s:%.*s@%s", (int)(host - t->uri), t->uri,
			(int)n, user, host + 1);
	return made < 0 || (size_t)made >= size ? -ENOSPC : made;
}
