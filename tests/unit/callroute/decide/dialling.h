/*
 * What becomes of a number that is dialled somewhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_CALLROUTE_DIALLING_H
#define TESTS_UNIT_CALLROUTE_DIALLING_H

#include "unit/support.h"

#include "callroute/decide/normalize.h"

#include <errno.h>
#include <string.h>

static inline struct callroute_dialling of(const char *iso)
{
	struct callroute_dialling d;
	const char *bad;

	assert_int_equal(callroute_dialling_of(iso, &d), 0);
	assert_int_equal(callroute_dialling_check(&d, &bad), 0);
	assert_null(bad);
	return d;
}

static inline void assert_dials(const struct callroute_dialling *d,
		const char *dialled, const char *wanted)
{
	char out[CALLROUTE_SERVICE_MAX + 1];
	int rc = callroute_normalize(d, dialled, strlen(dialled), out, sizeof(out));

	if(rc != (int)strlen(wanted) || strcmp(out, wanted) != 0)
		fail_msg("'%s' from +%s -> '%s' (%d), expected %s", dialled,
				d->calling_code, out, rc, wanted);
}

static inline void assert_refuses(
		const struct callroute_dialling *d, const char *dialled, int error)
{
	char out[CALLROUTE_SERVICE_MAX + 1] = "old";
	int rc = callroute_normalize(d, dialled, strlen(dialled), out, sizeof(out));

	if(rc != error || out[0] != '\0')
		fail_msg("'%s' from +%s -> '%s' (%d), expected %d", dialled,
				d->calling_code, out, rc, error);
}

#endif
