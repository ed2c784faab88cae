/*
 * A trunk as the data in use have it: copied out in one read section, so that
 * nothing points into a snapshot afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/trunk.h"
#include "callroute/kamailio/state.h"

#include <errno.h>
#include <string.h>

int callroute_copy_trunk(
		uint32_t id, struct callroute_view *view, struct callroute_claim *claim)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_trunk *t = im ? callroute_find_trunk(im, id) : NULL;

	if(t != NULL) {
		const struct callroute_carrier *c = &CALLROUTE_ROWS(
				im, struct callroute_carrier, carriers)[t->carrier];
		const char *codecs = callroute_text(im, t->codecs);

		view->trunk = *t;
		memcpy(view->carrier, c->name, sizeof view->carrier);
		memcpy(view->codecs, codecs,
				strnlen(codecs, sizeof view->codecs - 1) + 1);
		if(claim != NULL)
			callroute_claim_of(im, t, claim);
		/* A carrier's switch works like its trunks' own. */
		if(!c->enabled)
			view->trunk.state = CALLROUTE_DOWN;
	}
	callroute_leave();
	return t != NULL ? 0 : -ENOENT;
}

int callroute_copy_breaker(uint32_t id, struct callroute_breaker_config *cfg,
		struct callroute_codes *codes)
{
	const struct callroute_image *im = callroute_enter();
	const struct callroute_trunk *t = im ? callroute_find_trunk(im, id) : NULL;
	int has = t != NULL && t->has_breaker;

	if(has) {
		*cfg = t->breaker;
		*codes = t->breaker_codes;
	}
	callroute_leave();
	return has ? 0 : -ENOENT;
}
