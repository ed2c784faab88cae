/*
 * What became of a registration, as usrloc tells it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REGGUARD_KAMAILIO_USRLOC_H
#define REGGUARD_KAMAILIO_USRLOC_H

#include "glue/ksr.h"
#include "regguard/regguard.h"

/* Registers with usrloc. 0, -1. */
int regguard_ul_init(void);
/* This process is about to save() this request. */
void regguard_ul_expect(sip_msg_t *msg, const struct regguard_request *r);
void regguard_ul_forget(void);

#endif
