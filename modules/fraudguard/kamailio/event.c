/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fraudguard/kamailio/event.h"
#include "fraudguard/kamailio/state.h"

static const char *event_name(const struct fraudguard_hit *h)
{
	if(h->mode != FRAUDGUARD_ENFORCE)
		return "shadow";
	if(h->until)
		return "ban";
	/* Not written, as the source could be forged: this request only. */
	return fraudguard_action_name(
			h->action == FRAUDGUARD_BAN ? FRAUDGUARD_REFUSE : h->action);
}

/* One line an event: the event first, then key=value. */
void fraudguard_log_events(uint64_t now)
{
	struct fraudguard_hit h;

	for(int i = 0; i < 1024 && tg_ring_pop(fraudguard.ring, &h, now) == 0; i++)
		LM_WARN("%s key=%s rule=%s observed=%u threshold=%u window=%u mode=%s "
				"until=%lld callid=%s\n",
				event_name(&h), h.key, h.rule, h.observed, h.threshold,
				h.window_sec, fraudguard_mode_name(h.mode), (long long)h.until,
				h.callid[0] ? h.callid : "-");
}

void fraudguard_report(const struct fraudguard_hit *hit)
{
	/* A Call-ID is the caller's text: nothing of it may end the log line. */
	struct fraudguard_hit h = *hit;

	glue_make_printable(h.callid);
	glue_make_printable(h.key);
	glue_keeper_tell(&fraudguard.keeper, fraudguard.ring, &h);
}
