/*
 * The record of a call; see capacity_record.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/live/capacity_record.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof((struct callroute_call *)0)->held
					   == CALLROUTE_OWNERS * sizeof(uint32_t),
		"a place for each owner");

static int names(const uint32_t id[])
{
	unsigned kind;

	for(kind = 0; kind < CALLROUTE_OWNERS; kind++)
		if(id[kind] != 0)
			return 1;
	return 0;
}

static int announce(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_call *r = payload;
	struct callroute_attempt *a = arg;

	(void)fresh;
	(void)rank;
	a->before = *r;
	if(names(r->next))
		return -EINPROGRESS;
	memcpy(r->next, a->next, sizeof r->next);
	r->step = a->step;
	if(*expires < a->expires)
		*expires = a->expires;
	return 1;
}

static int undo(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_call *r = payload;
	struct callroute_attempt *a = arg;

	(void)expires;
	(void)rank;
	if(fresh || r->step != a->before.step)
		return -ESTALE;
	memcpy(r->next, a->left, sizeof r->next);
	r->step = a->step;
	return 1;
}

static int settle(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_call *r = payload;
	struct callroute_attempt *a = arg;

	(void)expires;
	if(fresh)
		return -ENOENT; /* released meanwhile */
	if(r->step != a->step) {
		a->overtaken = *r;
		return -ESTALE;
	}
	memcpy(r->held, a->next, sizeof r->held);
	memcpy(r->next, a->left, sizeof r->next);
	*rank = 1;
	return names(r->held) || names(r->next);
}

static int take_out(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	const struct callroute_call *r = payload;
	struct callroute_attempt *a = arg;

	(void)rank;
	/* The step numbers are circular. */
	if(fresh || (a->until && (int32_t)(r->step - a->step) >= 0))
		return -ENOENT;
	a->before = *r;
	a->expires = *expires;
	return 0;
}

static int put_back(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_call *r = payload;
	struct callroute_attempt *a = arg;

	(void)expires;
	if(!fresh)
		return -EEXIST;
	memcpy(r->next, a->left, sizeof r->next);
	r->step = a->before.step;
	*rank = 1;
	return 1;
}

static int extend(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct callroute_attempt *a = arg;

	(void)rank;
	if(fresh)
		return -ENOENT;
	a->before = *(struct callroute_call *)payload;
	*expires = a->expires;
	return 1;
}

static int edit(struct callroute_live *live, uint64_t call,
		tg_store_edit_f change, struct callroute_attempt *a, uint64_t now)
{
	return tg_store_edit(callroute_part(live, live->calls_at), call, 0,
			a->expires > now ? a->expires : now + 1, now, change, a);
}

int callroute_record_announce(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	return edit(live, call, announce, a, now);
}

int callroute_record_undo(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	return edit(live, call, undo, a, now);
}

int callroute_record_settle(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	return edit(live, call, settle, a, now);
}

int callroute_record_take_out(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	return edit(live, call, take_out, a, now);
}

int callroute_record_extend(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	return edit(live, call, extend, a, now);
}

int callroute_record_put_back(struct callroute_live *live, uint64_t call,
		struct callroute_attempt *a, uint64_t now)
{
	return edit(live, call, put_back, a, now);
}
