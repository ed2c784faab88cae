/*
 * From the rows of the tables to the image by which calls are judged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_BUILD_RULES_H
#define FRAUDGUARD_BUILD_RULES_H

#include "fraudguard/decide/image.h"
#include "lib/share/rowcheck.h"

struct fraudguard_rule_row
{
	long long id, threshold, window_sec, ban_sec, code;
	const char *name, *metric, *match, *action, *reason, *mode;
};

/* Builds in place; start clears `im`. The add functions report and count bad
 * rows; with a count above 0 finish refuses. */
struct fraudguard_builder
{
	struct fraudguard_image *im;
	struct tg_rowcheck check;
};

void fraudguard_build_start(struct fraudguard_builder *b,
		struct fraudguard_image *im, tg_complain_f complain, void *arg);
void fraudguard_build_rule(
		struct fraudguard_builder *b, const struct fraudguard_rule_row *row);
/* kind: ip (address or network in CIDR notation) or account. */
void fraudguard_build_allow(struct fraudguard_builder *b, long long id,
		const char *kind, const char *value);
/* 0, -EBADMSG (bad rows), -ENODATA (no rule at all). */
int fraudguard_build_finish(struct fraudguard_builder *b, int64_t now);

/* The rules when no database is configured: one flood rule. */
void fraudguard_build_defaults(struct fraudguard_builder *b);

#endif
