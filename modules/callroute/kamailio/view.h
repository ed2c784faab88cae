/*
 * What $callroute(...) says of a message: the process that decided remembers
 * it, any other reads the attempt store.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_VIEW_H
#define CALLROUTE_KAMAILIO_VIEW_H

#include "callroute/kamailio/record.h"
#include "glue/ksr.h"

struct callroute_view
{
	const char *reason; /* static text */
	struct callroute_sender sender;
	struct callroute_dialling dialling;	   /* of the sender's account */
	char number[CALLROUTE_NUMBER_MAX + 1]; /* normalised; "" = not asked */
	uint8_t sos; /* the number stands for urn:service:sos */
	struct callroute_attempt attempt;
	struct callroute_trunk trunk; /* id 0 = none chosen */
	char carrier[CALLROUTE_NAME_MAX];
	char codecs[CALLROUTE_CODECS_MAX];
	char source[CALLROUTE_NAME_MAX];  /* trunk of callroute_is_trunk */
	char target[CALLROUTE_URI_MAX];	  /* of callroute_did */
	char redirect[CALLROUTE_URI_MAX]; /* of a redirect rule */
};

/* The view of this message in this process; empty when it is a new one. */
struct callroute_view *callroute_view_of(const sip_msg_t *msg);
/* The same, with what the attempt store knows of its transaction. */
struct callroute_view *callroute_view_find(sip_msg_t *msg);
/* The number that a function is asked about, its '+' gone: the parameter, else
 * what callroute_normalize() made, else the request's. 0, -1: none. */
int callroute_asked_number(sip_msg_t *msg, const struct callroute_view *view,
		const str *given, str *out);

#endif
