/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callroute/kamailio/statefile.h"
#include "callroute/kamailio/state.h"
#include "callroute/live/live_state.h"

static size_t bytes(void)
{
	return callroute_state_bytes(callroute.live);
}

static size_t save(uint64_t now, int64_t wall, void *data, size_t size)
{
	return callroute_state_save(callroute.live, now, wall, data, size);
}

static int restore(const void *data, size_t len, uint64_t now, int64_t wall)
{
	return callroute_state_restore(callroute.live, data, len, now, wall);
}

struct glue_statefile callroute_statefile = {.path = &callroute.state_file,
		.format = {"callroute", CALLROUTE_STATE_VERSION},
		.what = "trunks",
		.bytes = bytes,
		.save = save,
		.restore = restore};
