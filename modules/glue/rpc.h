/*
 * RPC helpers: every list is paged, because replies by datagram end at 64 KiB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GLUE_RPC_H
#define GLUE_RPC_H

#include "glue/ksr.h"

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

#endif
