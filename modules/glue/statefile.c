/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/statefile.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#define EVERY_US 30000000
#define BYTES_MAX (1u << 30)

static int64_t wall_clock(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void save(struct glue_statefile *f, uint64_t now)
{
	size_t size = f->bytes();
	void *data = malloc(size);
	int rc = -ENOMEM;

	f->saved_at = now;
	f->changed = 0;
	if(data != NULL) {
		size = f->save(now, wall_clock(), data, size);
		rc = tg_statefile_write(f->path->s, &f->format, data, size);
	}
	free(data);
	if(rc < 0 && !f->failing)
		LM_ERR("state-not-saved file=%s: %s\n", f->path->s,
				tg_statefile_text(rc));
	f->failing = rc < 0;
}

void glue_state_load(struct glue_statefile *f)
{
	void *data;
	size_t len;
	int rc;

	if(f->path->len == 0)
		return;
	rc = tg_statefile_read(f->path->s, &f->format, BYTES_MAX, &data, &len);
	if(rc == -ENOENT)
		return;
	if(rc == 0) {
		rc = f->restore(data, len, glue_now(), wall_clock());
		free(data);
		if(rc < 0)
			rc = -TG_STATEFILE_DAMAGED;
	}
	if(rc < 0)
		LM_WARN("state-not-restored file=%s: %s\n", f->path->s,
				tg_statefile_text(rc));
	else
		LM_INFO("state-restored file=%s %s=%d\n", f->path->s, f->what, rc);
}

void glue_state_begin(struct glue_statefile *f)
{
	f->begun = 1;
}

void glue_state_touch(struct glue_statefile *f)
{
	f->changed = 1;
}

void glue_state_tick(struct glue_statefile *f, uint64_t now)
{
	if(f->path->len > 0 && (f->changed || now - f->saved_at >= EVERY_US))
		save(f, now);
}

void glue_state_end(struct glue_statefile *f)
{
	if(f->path->len > 0 && f->begun)
		save(f, glue_now());
}
