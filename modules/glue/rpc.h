/*
 * RPC helpers: every list is paged, because replies by datagram end at 64 KiB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_RPC_H
#define GLUE_RPC_H

#include "glue/ksr.h"
#include "lib/table/store.h"

#define GLUE_RPC_PAGE 100 /* rows a page, as default and at most */

struct glue_page
{
	int first; /* rows to pass over */
	int rows;  /* rows to give */
	int seen;  /* rows offered so far */
};

/* Reads the optional positional parameters [first [rows]]. 0, -1 (the fault is
 * already sent). */
int glue_rpc_page(rpc_t *rpc, void *ctx, struct glue_page *page);
/* Whether the next row belongs to the page. */
int glue_rpc_row(struct glue_page *page);

/* Gives the live records of the store that belong to the page to `add`, which
 * returns < 0 when the reply is full. `payload`: room for one record. 0, -1
 * when the reply ends here (full, or a fault: `what` holds a stopped process).
 * */
int glue_rpc_store(rpc_t *rpc, void *ctx, struct tg_store *store,
		struct glue_page *page, void *payload, const char *what,
		int (*add)(rpc_t *rpc, void *ctx, const void *payload));

/* The next positional parameter as a number from 0 to 999,999,999, read as text
 * (jsonrpcs takes a word for the integer 0); left as it is when none is given.
 * 0, -1: it is no such number. */
int glue_rpc_number(rpc_t *rpc, void *ctx, int *out);

enum glue_given
{
	GLUE_NOT_GIVEN,
	GLUE_GIVEN,
	GLUE_TOO_LONG, /* for the room */
	GLUE_A_NUMBER  /* kamcmd made an integer of it, and may have cut it */
};

/*
 * The next positional parameter as a text of its own: NUL-terminated, "" unless
 * it is GLUE_GIVEN. What the RPC hands out may live in one buffer for all
 * parameters. kamcmd makes an integer of what looks like one, without leading
 * zeros and in 32 bits: `only_text` refuses that as GLUE_A_NUMBER (kamcmd
 * s:0049 sends a text).
 */
enum glue_given glue_rpc_text(
		rpc_t *rpc, void *ctx, int only_text, char *text, size_t size);

#endif
