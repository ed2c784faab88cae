/*
 * What a message says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CALLROUTE_KAMAILIO_REQUEST_H
#define CALLROUTE_KAMAILIO_REQUEST_H

#include "callroute/kamailio/record.h"
#include "glue/ksr.h"

#include "modules/tm/h_table.h"

/* The request this message belongs to: itself, or its transaction's; NULL. */
sip_msg_t *callroute_request_of(sip_msg_t *msg);
/* Key of the request in the attempt store; also from a reply, through its
 * transaction. 0 = the message has none. */
uint64_t callroute_request_id(sip_msg_t *msg);
/* Key of a dialog in the answered store. The tags in the order of the request
 * that made the dialog. 0 = a part is missing. */
uint64_t callroute_dialog_id(const str *callid, const str *from, const str *to);
/* The two dialogs that a request in a dialog may belong to: as one of the
 * caller's, as one of the other side's. 0, -1 = it is in none. */
int callroute_dialog_ids(sip_msg_t *msg, uint64_t out[2]);
/* The user part of the request URI, its %XX undone. Valid until the next call
 * of it. 0, -1. */
int callroute_request_number(sip_msg_t *msg, str *out);
/* A caller's number as somebody writes it: its digits, without '+' and visual
 * separators. Empty when it is none, or longer than CALLROUTE_CALLER_MAX - 1.
 * Returns its length. */
size_t callroute_read_caller(const str *text, char out[CALLROUTE_CALLER_MAX]);
/* The caller's number: digits without '+', may be empty. Returns its length.
 * P-Asserted-Identity is for those who trust each other (RFC 3325, 5): it is
 * believed of a trunk's address and of an account that is known by its address
 * or trunk. For all others, and where no number is asserted, it is that of
 * From. */
size_t callroute_caller_number(sip_msg_t *msg,
		const struct callroute_sender *sender, char out[CALLROUTE_CALLER_MAX]);
/* Whether an account that is not believed asserts an identity all the same. */
int callroute_is_forged(sip_msg_t *msg, const struct callroute_sender *sender);

/* The transaction of this message, in whatever route; NULL. */
struct cell *callroute_transaction(void);

#endif
