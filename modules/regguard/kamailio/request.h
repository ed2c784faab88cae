/*
 * What a REGISTER tells about its sender.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_KAMAILIO_REQUEST_H
#define REGGUARD_KAMAILIO_REQUEST_H

#include "glue/ksr.h"
#include "regguard/regguard.h"

/* Reads what the policy wants to know from a REGISTER.
 * 0, -1 (malformed: no AoR, no source, or unreadable Contacts). */
int regguard_read_request(sip_msg_t *msg, struct regguard_request *out);
/* The AoR as the policy keys it (lower case); `out` is NUL-terminated and may
 * be cut, the id is of the whole. */
uint64_t regguard_fold_aor(
		const char *aor, size_t len, char out[REGGUARD_AOR_MAX]);
uint64_t regguard_contact_id(const str *contact);

#endif
