/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "regguard/live/profile.h"

#include <string.h>

struct regguard_network regguard_network_of(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct regguard_network n = {{0}};

	memcpy(n.prefix, addr, memcmp(addr, mapped, 12) == 0 ? 15 : 8);
	return n;
}

static int is_used(const struct regguard_known_device *k)
{
	return k->last_seen != 0;
}

/*
 * Points of agreement, 6 at most. With ENOUGH points two fingerprints are the
 * same device. The program's name does not depend on its version, so it must
 * agree; an upgrade may change some of the rest. An instance gives one point
 * only: it can be read on the wire and copied as easily as the name.
 */
#define ENOUGH 3

static int agreement(
		const struct regguard_device *known, const struct regguard_device *d)
{
	/* A device with an instance always sends it; a device without one may get
	 * one later. */
	if(known->agent != d->agent
			|| (known->instance != 0 && known->instance != d->instance))
		return 0;
	return (known->headers == d->headers) * 2 + (known->caps == d->caps) * 2
		   + (known->shape == d->shape) + (known->instance != 0);
}

struct regguard_known_device *regguard_find_device(
		struct regguard_profile *p, const struct regguard_device *d)
{
	struct regguard_known_device *best = NULL;
	int most = ENOUGH - 1;

	for(int i = 0; i < REGGUARD_DEVICES; i++) {
		int points = is_used(&p->devices[i])
							 ? agreement(&p->devices[i].device, d)
							 : 0;

		if(points > most) {
			most = points;
			best = &p->devices[i];
		}
	}
	return best;
}

struct regguard_known_network *regguard_find_network(
		struct regguard_profile *p, const struct regguard_network *n)
{
	for(int i = 0; i < REGGUARD_NETWORKS; i++) {
		if(p->networks[i].last_seen != 0
				&& memcmp(&p->networks[i].network, n, sizeof *n) == 0)
			return &p->networks[i];
	}
	return NULL;
}

int regguard_owner_is_alive(const struct regguard_profile *p, uint64_t now)
{
	for(int i = 0; i < REGGUARD_DEVICES; i++) {
		if(is_used(&p->devices[i]) && p->devices[i].live_until > now)
			return 1;
	}
	return 0;
}

/* Never 0, because 0 marks a free place. */
static uint32_t seconds(uint64_t now)
{
	uint32_t s = (uint32_t)(now / 1000000);

	return s ? s : 1;
}

struct regguard_known_device *regguard_learn(struct regguard_profile *p,
		const struct regguard_device *d, const struct regguard_network *n,
		uint64_t now)
{
	struct regguard_known_device *device = regguard_find_device(p, d);
	struct regguard_known_network *network = regguard_find_network(p, n);

	if(device == NULL) {
		device = &p->devices[0];
		for(int i = 1; i < REGGUARD_DEVICES; i++) {
			if(p->devices[i].last_seen < device->last_seen)
				device = &p->devices[i];
		}
		memset(device, 0, sizeof *device);
	}
	if(network == NULL) {
		network = &p->networks[0];
		for(int i = 1; i < REGGUARD_NETWORKS; i++) {
			if(p->networks[i].last_seen < network->last_seen)
				network = &p->networks[i];
		}
	}
	device->device = *d;
	device->last_seen = network->last_seen = seconds(now);
	network->network = *n;
	if(p->first_seen == 0)
		p->first_seen = seconds(now);
	p->accepted++;
	return device;
}
