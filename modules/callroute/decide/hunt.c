/*
 * Hunt groups: which members ring, in which order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/decide/draw.h"

/* Whether member a rings before b; `share` is their drawn order. */
static int rings_before(const struct callroute_member *a, double share_a,
		const struct callroute_member *b, double share_b)
{
	if(a->priority != b->priority)
		return a->priority < b->priority;
	return share_a < share_b;
}

int callroute_hunt(const struct callroute_image *im,
		const struct callroute_group *g, int64_t now, uint64_t seed,
		uint32_t *out, int max)
{
	const struct callroute_member *members =
			CALLROUTE_ROWS(im, struct callroute_member, members);
	double share[CALLROUTE_MEMBERS_MAX];
	int n = 0;

	if(max <= 0)
		return 0;
	if(max > CALLROUTE_MEMBERS_MAX)
		max = CALLROUTE_MEMBERS_MAX;
	for(uint32_t i = g->first; i < g->first + g->count; i++) {
		const struct callroute_member *m = &members[i];
		/* Equals stay in the order of ids, unless they are drawn. */
		double s = g->strategy == CALLROUTE_WEIGHTED
						   ? callroute_share(m->weight, &seed)
						   : (double)i;
		int at;

		if(!callroute_time_holds(im, m->time, now))
			continue;
		if(n == max && !rings_before(m, s, &members[out[n - 1]], share[n - 1]))
			continue;
		at = n < max ? n++ : n - 1;
		while(at > 0
				&& rings_before(m, s, &members[out[at - 1]], share[at - 1])) {
			out[at] = out[at - 1];
			share[at] = share[at - 1];
			at--;
		}
		out[at] = i;
		share[at] = s;
	}
	return n;
}
