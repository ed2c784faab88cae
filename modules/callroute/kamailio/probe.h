/*
 * OPTIONS to the trunks that are due, from a process of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_PROBE_H
#define CALLROUTE_KAMAILIO_PROBE_H

#include "glue/ksr.h"

/* mod_init: registers the process. child_init of the main process: forks it. 0,
 * -1. */
int callroute_probe_init(void);
int callroute_probe_start(void);

#endif
