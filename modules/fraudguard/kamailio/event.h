/*
 * Events: a SIP worker hands them over, the keeper logs them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FRAUDGUARD_KAMAILIO_EVENT_H
#define FRAUDGUARD_KAMAILIO_EVENT_H

#include "fraudguard/fraudguard.h"

/* Hands one event to the keeper; never waits. */
void fraudguard_report(const struct fraudguard_hit *hit);
/* The keeper: logs what has come in. */
void fraudguard_log_events(uint64_t now);

#endif
