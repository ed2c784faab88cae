/*
 * event_route[callroute:...] and the KEMI callback: run by the keeper.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_EVENT_ROUTES_H
#define CALLROUTE_KAMAILIO_EVENT_ROUTES_H

#include "callroute/kamailio/event.h"

/* Looks up the routes; main process, before the fork. */
void callroute_events_init(void);
/* The keeper: runs the event routes of all that has come in. */
void callroute_events_run(void);

#endif
