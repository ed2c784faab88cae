/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/rpc.h"

int glue_rpc_page(rpc_t *rpc, void *ctx, struct glue_page *page)
{
	*page = (struct glue_page){.first = 0, .rows = GLUE_RPC_PAGE};
	if(rpc->scan(ctx, "*d", &page->first) == 1)
		rpc->scan(ctx, "*d", &page->rows);
	if(page->first < 0 || page->rows < 1 || page->rows > GLUE_RPC_PAGE) {
		rpc->fault(ctx, 400, "[first [rows]]: first >= 0, rows 1 to %d",
				GLUE_RPC_PAGE);
		return -1;
	}
	return 0;
}

int glue_rpc_row(struct glue_page *page)
{
	int at = page->seen++;

	return at >= page->first && at < page->first + page->rows;
}
