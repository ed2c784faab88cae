/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/live/calls.h"

#include <errno.h>
#include <string.h>

static int place_of(const struct fraudguard_call_record *r, uint64_t owner)
{
	for(int i = 0; i < FRAUDGUARD_OWNERS; i++) {
		if(r->owner[i] == owner)
			return i;
	}
	return -1;
}

int fraudguard_call_holds(const struct fraudguard_tables *t, uint64_t call,
		uint64_t owner, uint64_t now)
{
	struct fraudguard_call_record r;

	return tg_store_get(t->calls, call, now, &r) == 0
		   && place_of(&r, owner) >= 0;
}

struct holding
{
	uint64_t owner, expires;
};

static int add_owner(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	struct fraudguard_call_record *r = payload;
	const struct holding *h = arg;
	int place = place_of(r, h->owner);

	(void)fresh;
	(void)rank;
	if(place < 0)
		place = place_of(r, 0);
	if(place < 0)
		return -EMLINK;
	r->owner[place] = h->owner;
	/* The record must live as long as its longest lease, or that lease could
	 * not be ended. */
	if(*expires < h->expires)
		*expires = h->expires;
	return 1;
}

static int remove_owner(
		void *payload, int fresh, uint64_t *expires, uint8_t *rank, void *arg)
{
	static const struct fraudguard_call_record none;
	struct fraudguard_call_record *r = payload;
	int place = place_of(r, *(const uint64_t *)arg);

	(void)expires;
	(void)rank;
	if(fresh || place < 0)
		return -ENOENT;
	r->owner[place] = 0;
	return memcmp(r, &none, sizeof none) != 0;
}

int fraudguard_call_take(const struct fraudguard_tables *t, uint64_t call,
		uint64_t owner, uint32_t limit, uint64_t expires, uint64_t now,
		uint32_t *count)
{
	struct holding h = {.owner = owner, .expires = expires};
	int rc = tg_lease_acquire(
			t->leases, call, owner, limit, expires, now, count);

	if(rc < 0)
		return rc;
	rc = tg_store_edit(t->calls, call, 0, expires, now, add_owner, &h);
	/* Without a record the end of the call would not find the lease. */
	if(rc < 0)
		tg_lease_release(t->leases, call, owner);
	return rc;
}

void fraudguard_call_drop(const struct fraudguard_tables *t, uint64_t call,
		uint64_t owner, uint64_t now)
{
	tg_lease_release(t->leases, call, owner);
	tg_store_edit(t->calls, call, 0, now + 1, now, remove_owner, &owner);
}

int fraudguard_renew_call(const struct fraudguard_tables *t, uint64_t call,
		uint64_t lease_us, struct fraudguard_now now)
{
	struct fraudguard_call_record r;
	uint64_t expires = now.mono + lease_us;
	int renewed = 0, rc = tg_store_get(t->calls, call, now.mono, &r);

	if(rc < 0)
		return rc;
	rc = -ENOENT;
	for(int i = 0; i < FRAUDGUARD_OWNERS; i++) {
		if(r.owner[i] == 0)
			continue;
		rc = tg_lease_renew(t->leases, call, r.owner[i], expires, now.mono);
		renewed |= rc == 0;
	}
	return renewed ? tg_store_put(t->calls, call, 0, expires, now.mono, &r)
				   : rc;
}

int fraudguard_end_call(const struct fraudguard_tables *t, uint64_t call,
		struct fraudguard_now now)
{
	struct fraudguard_call_record r;
	int released = 0, rc = tg_store_get(t->calls, call, now.mono, &r);

	if(rc < 0)
		return rc;
	rc = -ENOENT;
	for(int i = 0; i < FRAUDGUARD_OWNERS; i++) {
		if(r.owner[i] == 0)
			continue;
		rc = tg_lease_release(t->leases, call, r.owner[i]);
		released |= rc == 0;
	}
	tg_store_del(t->calls, call);
	return released ? 0 : rc;
}
