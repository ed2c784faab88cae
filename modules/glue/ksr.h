/*
 * Kamailio's headers in the order that they want, for every file that sees
 * Kamailio. Compile options come from the server's own build (modules.mk).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_KSR_H
#define GLUE_KSR_H

#include "core/sr_module.h"
#include "core/dprint.h"
#include "core/ut.h"
#include "core/mod_fix.h"
#include "core/pvar.h"
#include "core/kemi.h"
#include "core/rpc_lookup.h"
#include "core/counters.h"
#include "core/pt.h"
#include "core/cfg/cfg_struct.h"

#include <stdint.h>
#include <time.h>

/* What a str prints as: LM_INFO("%.*s", GLUE_STR(s)) takes two arguments. */
#define GLUE_STR(text) (text).len, (text).s

/* Text of a message on its way into a log line: what is not printable becomes
 * '?', so that it can neither end nor forge a line. */
static inline void glue_make_printable(char *text)
{
	for(; *text != '\0'; text++) {
		if(*text <= ' ' || *text > '~')
			*text = '?';
	}
}

/* Monotonic microseconds: the `now` of lib and policies. */
static inline uint64_t glue_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

#endif
