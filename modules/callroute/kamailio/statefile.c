/*
 * The state file: what was learned of trunks (live_state.h) is read at start, once
 * the tables are there, and written by the keeper: half a minute after the last
 * time, a tick after a trunk or a breaker went down or up, and at the end.
 *
 * Memory: what the file holds, in the keeper, while it writes. No SIP worker waits
 * for the disk. Failure mode: a file that is missing, torn or of another version
 * is named in the log, and the trunks start as new ones; one that cannot be written
 * is an error in the log, once until it can be written again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute/kamailio/statefile.h"
#include "callroute/kamailio/state.h"
#include "callroute/live/live_state.h"
#include "lib/share/statefile.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#define EVERY_US 30000000
#define BYTES_MAX (1u << 30)

static const struct tg_statefile_format format = {
		"callroute", CALLROUTE_STATE_VERSION};
static uint64_t saved_at;
static int changed, failing, begun;

static int64_t wall_clock(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void save(uint64_t now)
{
	size_t size = callroute_state_bytes(callroute.live);
	void *data = malloc(size);
	int rc = -ENOMEM;

	saved_at = now;
	changed = 0;
	if(data != NULL) {
		size = callroute_state_save(
				callroute.live, now, wall_clock(), data, size);
		rc = tg_statefile_write(callroute.state_file.s, &format, data, size);
	}
	free(data);
	if(rc < 0 && !failing)
		LM_ERR("state-not-saved file=%s: %s\n", callroute.state_file.s,
				tg_statefile_text(rc));
	failing = rc < 0;
}

void callroute_state_load(void)
{
	void *data;
	size_t len;
	int rc;

	if(callroute.state_file.len == 0)
		return;
	rc = tg_statefile_read(
			callroute.state_file.s, &format, BYTES_MAX, &data, &len);
	if(rc == -ENOENT)
		return;
	if(rc == 0) {
		rc = callroute_state_restore(
				callroute.live, data, len, glue_now(), wall_clock());
		free(data);
		if(rc < 0)
			rc = -TG_STATEFILE_DAMAGED;
	}
	if(rc < 0)
		LM_WARN("state-not-restored file=%s: %s\n", callroute.state_file.s,
				tg_statefile_text(rc));
	else
		LM_INFO("state-restored file=%s trunks=%d\n", callroute.state_file.s,
				rc);
}

void callroute_state_begin(void)
{
	begun = 1;
}

void callroute_state_touch(void)
{
	changed = 1;
}

void callroute_state_tick(uint64_t now)
{
	if(callroute.state_file.len > 0 && (changed || now - saved_at >= EVERY_US))
		save(now);
}

void callroute_state_end(void)
{
	if(callroute.state_file.len > 0 && begun)
		save(glue_now());
}
