/*
 * Prefix escalation by distinct children; see escalate.h.
 *
 *   header | record store, one record a prefix: count, flag, children[] |
 *
 * Each edit drops the children that have left the window. A record expires one
 * window after its last offence, so no time in it is older than two windows.
 * Two windows are less than the range of the 32-bit milliseconds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/table/escalate.h"

#include <errno.h>
#include <string.h>

#define THRESHOLD_MAX 64
#define WINDOW_MAX (UINT64_C(7) * 24 * 3600 * 1000000)
#define SPACE 0x65736300u /* ids: SPACE + level */

struct child
{
	uint32_t tag;
	uint32_t seen; /* ms, wraps */
};

struct record
{
	uint8_t children;
	uint8_t reached; /* at its last offence */
	uint8_t unused[2];
	struct child child[THRESHOLD_MAX]; /* as many as the highest threshold */
};

#define RECORD_SIZE(most) \
	(offsetof(struct record, child) + (most) * sizeof(struct child))

struct tg_escalate
{
	_Alignas(64) struct tg_hashkey key;
	uint64_t window_us;
	uint8_t threshold[TG_ESCALATE_LEVELS];
	uint8_t most; /* highest threshold = children a record holds */
};

/* One prefix of an address, and the child of that prefix that holds the
 * address. */
struct spot
{
	enum tg_escalate_level level;
	uint64_t id;
	uint32_t child;
};

static struct tg_store *store_of(const struct tg_escalate *e)
{
	return (struct tg_store *)(uintptr_t)(e + 1);
}

static int settle(const struct tg_escalate_config *cfg, uint8_t *most,
		struct tg_store_config *store)
{
	unsigned i;

	*most = 0;
	if(cfg == NULL || cfg->records < 8 || cfg->records > UINT32_C(1) << 24
			|| cfg->window_us < 1000000 || cfg->window_us > WINDOW_MAX)
		return -EINVAL;
	for(i = 0; i < TG_ESCALATE_LEVELS; i++) {
		if(cfg->threshold[i] == 1 || cfg->threshold[i] > THRESHOLD_MAX)
			return -EINVAL;
		if(cfg->threshold[i] > *most)
			*most = cfg->threshold[i];
	}
	if(*most == 0)
		*most = 2; /* every level is off */
	store->records = cfg->records;
	store->payload = (uint32_t)RECORD_SIZE(*most);
	return 0;
}

size_t tg_escalate_size(const struct tg_escalate_config *cfg)
{
	struct tg_store_config store;
	uint8_t most;

	if(settle(cfg, &most, &store) != 0)
		return 0;
	return sizeof(struct tg_escalate) + tg_store_size(&store);
}

int tg_escalate_init(void *mem, size_t size,
		const struct tg_escalate_config *cfg, struct tg_escalate **out)
{
	struct tg_escalate *e = mem;
	struct tg_store_config config;
	struct tg_store *store;
	uint8_t most;
	int rc;

	if(mem == NULL || out == NULL || (uintptr_t)mem % 64 != 0
			|| settle(cfg, &most, &config) != 0 || size < sizeof(*e))
		return -EINVAL;
	rc = tg_store_init(store_of(e), size - sizeof(*e), &config, &store);
	if(rc != 0)
		return rc;
	e->key = cfg->key;
	e->window_us = cfg->window_us;
	memcpy(e->threshold, cfg->threshold, sizeof(e->threshold));
	e->most = most;
	*out = e;
	return 0;
}

/* ---- prefixes ---- */

static int is_v4(const uint8_t a[16])
{
	static const uint8_t mapped[12] = {
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return memcmp(a, mapped, sizeof(mapped)) == 0;
}

int tg_escalate_prefix(const uint8_t address[16], enum tg_escalate_level level,
		uint8_t prefix[16], unsigned *bits)
{
	static const uint8_t kept[] = {15, 8, 6}, length[] = {24, 64, 48};

	if((unsigned)level >= TG_ESCALATE_LEVELS
			|| is_v4(address) != (level == TG_ESCALATE_V4_24))
		return -EINVAL;
	memset(prefix, 0, 16);
	memcpy(prefix, address, kept[level]);
	if(bits != NULL)
		*bits = length[level];
	return 0;
}

static int find_spot(const struct tg_escalate *e, const uint8_t address[16],
		enum tg_escalate_level level, struct spot *spot)
{
	uint8_t prefix[16];

	if(tg_escalate_prefix(address, level, prefix, NULL) != 0
			|| e->threshold[level] == 0)
		return -ENOENT;
	spot->level = level;
	spot->id = tg_hash_id(&e->key, SPACE + level, prefix, sizeof(prefix));
	switch(level) {
		case TG_ESCALATE_V4_24:
			spot->child = address[15];
			break;
		case TG_ESCALATE_V6_48:
			spot->child = (uint32_t)address[6] << 8 | address[7];
			break;
		default:
			spot->child = (uint32_t)tg_siphash13(&e->key, address + 8, 8);
	}
	return 0;
}

/* ---- one record ---- */

static uint32_t ms(uint64_t us)
{
	return (uint32_t)(us / 1000);
}

/* A time ahead of `now` (from another process's clock) counts as now. */
static int has_left(const struct child *c, uint32_t now_ms, uint32_t window_ms)
{
	int32_t age = (int32_t)(now_ms - c->seen);

	return age > 0 && (uint32_t)age >= window_ms;
}

static void drop_old(struct record *r, uint32_t now_ms, uint32_t window_ms)
{
	unsigned i, left = 0;

	for(i = 0; i < r->children; i++)
		if(!has_left(&r->child[i], now_ms, window_ms))
			r->child[left++] = r->child[i];
	r->children = (uint8_t)left;
}

/* In a full record the new child replaces the one not seen for longest. The
 * latest `most` distinct children are enough to know whether `most` are in the
 * window. */
static void see(struct record *r, unsigned most, uint32_t tag, uint32_t now_ms)
{
	unsigned i, oldest = 0;

	for(i = 0; i < r->children; i++) {
		if(r->child[i].tag == tag) {
			if((int32_t)(now_ms - r->child[i].seen) > 0)
				r->child[i].seen = now_ms;
			return;
		}
		if((int32_t)(r->child[i].seen - r->child[oldest].seen) < 0)
			oldest = i;
	}
	if(r->children < most)
		oldest = r->children++;
	r->child[oldest] = (struct child){tag, now_ms};
}

struct offence
{
	const struct tg_escalate *e;
	const struct spot *spot;
	uint64_t now;
	uint8_t children, reached, rose; /* out */
};

static int record_offence(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct offence *o = arg;
	struct record *r = payload;
	uint8_t threshold = o->e->threshold[o->spot->level];

	(void)fresh;
	drop_old(r, ms(o->now), ms(o->e->window_us));
	if(r->children < threshold)
		r->reached = 0;
	see(r, o->e->most, o->spot->child, ms(o->now));
	o->children = r->children;
	o->reached = r->children >= threshold;
	o->rose = o->reached && !r->reached;
	r->reached = o->reached;
	*rank = r->children;
	if(*expires < o->now + o->e->window_us)
		*expires = o->now + o->e->window_us;
	return 1;
}

/* ---- the interface ---- */

int tg_escalate_report(struct tg_escalate *e, const uint8_t address[16],
		uint64_t now, struct tg_escalation *out)
{
	unsigned level;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	for(level = 0; level < TG_ESCALATE_LEVELS; level++) {
		struct offence o = {.e = e, .now = now};
		struct spot spot;
		int failed;

		if(find_spot(e, address, (enum tg_escalate_level)level, &spot) != 0)
			continue;
		o.spot = &spot;
		failed = tg_store_edit(store_of(e), spot.id, 1, now + e->window_us, now,
				record_offence, &o);
		if(failed != 0) {
			rc = failed;
			continue;
		}
		out->children[level] = o.children;
		out->reached |= (uint8_t)(o.reached << level);
		out->rose |= (uint8_t)(o.rose << level);
	}
	return rc;
}

int tg_escalate_peek(struct tg_escalate *e, const uint8_t address[16],
		uint64_t now, struct tg_escalation *out)
{
	unsigned level;

	memset(out, 0, sizeof(*out));
	for(level = 0; level < TG_ESCALATE_LEVELS; level++) {
		struct spot spot;
		struct record r;
		int rc;

		if(find_spot(e, address, (enum tg_escalate_level)level, &spot) != 0)
			continue;
		rc = tg_store_get(store_of(e), spot.id, now, &r);
		if(rc == -ENOENT)
			continue;
		if(rc != 0)
			return rc;
		drop_old(&r, ms(now), ms(e->window_us));
		out->children[level] = r.children;
		if(r.children >= e->threshold[level])
			out->reached |= (uint8_t)(1 << level);
	}
	return 0;
}

int tg_escalate_forget(struct tg_escalate *e, const uint8_t address[16],
		enum tg_escalate_level level)
{
	struct spot spot;

	if(find_spot(e, address, level, &spot) != 0)
		return -ENOENT;
	return tg_store_del(store_of(e), spot.id);
}

void tg_escalate_read_stats(
		const struct tg_escalate *e, struct tg_store_stats *out)
{
	tg_store_read_stats(store_of(e), out);
}
