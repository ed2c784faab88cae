/*
 * Health probes: OPTIONS to each trunk whose interval is over, and what became
 * of the one before.
 *
 * What shows life: any final reply of the far end, 404 and 405 too (a gateway
 * need not know OPTIONS, RFC 3261, 11.2), but for two: 503, by which a server
 * asks to be sent nothing for now (21.5.4), and 408, by which a proxy says that
 * what is behind it is silent. dispatcher takes 2xx alone unless it is told
 * otherwise; most carriers' gateways would be down by that. A probe has failed
 * when nothing came before the next one is due, or tm's fr_timer, whichever is
 * earlier; also when it could not be sent. ICMP and refused connections are
 * silence.
 *
 * Who is probed: what the data in use have, with an interval, and not down by
 * table or operator; drained trunks too. A trunk that is not probed keeps what
 * was known of it, in case it comes back. When: each trunk at its own place in
 * the interval (health.h), so that no start and no stall makes a burst.
 *
 * Processes: two of our own, since tm resolves names in the process that sends
 * and may wait for them (dns_retr_time): one for trunks with an address, which
 * never waits, and one for trunks behind names, which wait for each other
 * alone. Replies are seen by whichever worker receives them.
 *
 * Memory bound: 4 B a trunk slot. A silent trunk has fr_timer / interval
 * transactions at a time. Locking: none; of reply, deadline and a failed
 * sending the first to take the probe's number is its outcome.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/probe.h"
#include "callroute/kamailio/event.h"
#include "callroute/callroute.h"
#include "callroute/live/health.h"
#include "core/resolve.h"
#include "core/timer.h"
#include "core/timer_proc.h"
#include "core/parser/parse_uri.h"
#include "glue/map.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(uint64_t), "ids travel as pointers");

/* What a probe needs of a trunk, copied out of the snapshot. */
struct target
{
	uint32_t id;
	char uri[CALLROUTE_URI_MAX];
	char socket[CALLROUTE_NAME_MAX];
};

#define PROBES_AT_ONCE 256 /* found in one read section */

/* By slot: the number of the probe under way, 0 = none. */
static _Atomic uint32_t *under_way;

/* Whether the trunk is probed, as the data in use and the operator have it. */
static int is_probed(const struct callroute_trunk *t)
{
	return t->probe_interval != 0
		   && callroute_state_of(callroute.live, t) != CALLROUTE_DOWN;
}

/* Takes the probe `number` off its slot; of two processes only one succeeds. */
static int is_mine(int slot, uint32_t number)
{
	return slot >= 0 && number != 0
		   && atomic_compare_exchange_strong(&under_way[slot], &number, 0);
}

/* The probe's outcome, of a trunk that is still probed. */
static void report(uint32_t id, int answered)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_trunk *t = im ? callroute_find_trunk(im, id) : NULL;
	int edge = 0;

	if(t != NULL && is_probed(t))
		edge = callroute_health_probe(callroute.live, (int)t->live, answered,
				t->down_after, t->up_after, glue_now());
	callroute_leave();
	if(edge != 0)
		callroute_tell(
				edge > 0 ? CALLROUTE_TRUNK_UP : CALLROUTE_TRUNK_DOWN, id, "");
}

static void on_outcome(struct cell *t, int type, struct tmcb_params *p)
{
	uint64_t packed = (uint64_t)(uintptr_t)*p->param;
	uint32_t id = (uint32_t)packed;
	/* FAKED_REPLY: no answer came. */
	int answered = p->rpl != NULL && p->rpl != FAKED_REPLY && p->code != 408
				   && p->code != 503;

	if(is_mine(callroute_live_find(callroute.live, id), packed >> 32))
		report(id, answered);
}

static void probe(const struct target *target)
{
	static str method = str_init("OPTIONS");
	static uint32_t last;
	int slot = callroute_live_find(callroute.live, target->id);
	uac_req_t req;
	str uri = {(char *)target->uri, (int)strlen(target->uri)};
	str socket = {(char *)target->socket, (int)strlen(target->socket)};
	uint64_t packed;

	if(slot < 0)
		return;
	last += last == UINT32_MAX ? 2 : 1; /* never 0 */
	packed = (uint64_t)last << 32 | target->id;
	if(atomic_exchange(&under_way[slot], last) != 0)
		report(target->id, 0); /* the one before was not answered in time */
	set_uac_req(&req, &method, NULL, NULL, NULL, TMCB_LOCAL_COMPLETED,
			on_outcome, (void *)(uintptr_t)packed);
	if(socket.len > 0)
		req.ssock = &socket;
	/* It could not even be sent: its name has no address, or Kamailio has no
	 * socket of that transport. */
	if(callroute.tm.t_request(&req, &uri, &uri, &callroute.probe_from, NULL) < 0
			&& is_mine(slot, (uint32_t)(packed >> 32)))
		report(target->id, 0);
}

/* Whether the URI's host must be resolved. */
static int is_name(const char *text)
{
	str s = {(char *)text, (int)strlen(text)};
	struct sip_uri uri;

	return parse_uri(s.s, s.len, &uri) == 0 && str2ip(&uri.host) == NULL
		   && str2ip6(&uri.host) == NULL;
}

/* `names`: whose turn it is. Looks from *at on, and moves it: to where it goes
 * on when the room is full, else to 0. */
static int collect_due(
		struct target *due, int names, uint64_t now, uint64_t *at)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_trunk *t =
			im ? CALLROUTE_ROWS(im, struct callroute_trunk, trunks) : NULL;
	uint64_t count = im ? im->trunks.count : 0, i = *at;
	int n = 0;

	for(; i < count && n < PROBES_AT_ONCE; i++) {
		if(!is_probed(&t[i]) || is_name(t[i].uri) != names
				|| !callroute_health_due(callroute.live, (int)t[i].live,
						(uint64_t)t[i].probe_interval * 1000000, now))
			continue;
		due[n].id = t[i].id;
		memcpy(due[n].uri, t[i].uri, sizeof due[n].uri);
		memcpy(due[n].socket, t[i].socket, sizeof due[n].socket);
		n++;
	}
	callroute_leave();
	*at = i < count ? i : 0;
	return n;
}

/* Once through all trunks; a reload in between costs somebody one tick. */
static void on_timer(unsigned ticks, void *param)
{
	static struct target due[PROBES_AT_ONCE];
	uint64_t at = 0;

	do {
		int n = collect_due(due, param != NULL, glue_now(), &at);

		for(int i = 0; i < n; i++)
			probe(&due[i]);
	} while(at != 0);
}

int callroute_probe_init(void)
{
	size_t slots = (size_t)callroute_live_slots(callroute.live);

	if(glue_map_bytes((void **)&under_way, slots * sizeof *under_way) != 0) {
		LM_ERR("cannot map the probes' memory (max_trunks=%d)\n",
				callroute.max_trunks);
		return -1;
	}
	return register_basic_timers(2);
}

int callroute_probe_start(void)
{
	static int names;

	if(fork_basic_timer(PROC_TIMER, "callroute probes", 1, on_timer, NULL, 1)
					< 0
			|| fork_basic_timer(PROC_TIMER, "callroute probes of names", 1,
					   on_timer, &names, 1)
					   < 0)
		return -1;
	return 0;
}
