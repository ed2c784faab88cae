/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glue/rpc.h"

#include <errno.h>
#include <string.h>

int glue_rpc_number(rpc_t *rpc, void *ctx, int *out)
{
	str s = STR_NULL;
	int n = 0;

	if(rpc->scan(ctx, "*.S", &s) != 1 || s.s == NULL)
		return 0;
	if(s.len < 1 || s.len > 9)
		return -1;
	for(int i = 0; i < s.len; i++) {
		if(s.s[i] < '0' || s.s[i] > '9')
			return -1;
		n = n * 10 + s.s[i] - '0';
	}
	*out = n;
	return 0;
}

int glue_rpc_page(rpc_t *rpc, void *ctx, struct glue_page *page)
{
	*page = (struct glue_page){.first = 0, .rows = GLUE_RPC_PAGE};
	if(glue_rpc_number(rpc, ctx, &page->first) < 0
			|| glue_rpc_number(rpc, ctx, &page->rows) < 0 || page->rows < 1
			|| page->rows > GLUE_RPC_PAGE) {
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

enum glue_given glue_rpc_text(
		rpc_t *rpc, void *ctx, int only_text, char *text, size_t size)
{
	str s = STR_NULL;

	text[0] = '\0';
	if(rpc->scan(ctx, only_text ? "*S" : "*.S", &s) != 1 || s.s == NULL) {
		s = (str)STR_NULL;
		return only_text && rpc->scan(ctx, "*.S", &s) == 1 && s.s != NULL
					   ? GLUE_A_NUMBER
					   : GLUE_NOT_GIVEN;
	}
	if((size_t)s.len >= size)
		return GLUE_TOO_LONG;
	memcpy(text, s.s, (size_t)s.len);
	text[s.len] = '\0';
	return GLUE_GIVEN;
}

int glue_rpc_store(rpc_t *rpc, void *ctx, struct tg_store *store,
		struct glue_page *page, void *payload, const char *what,
		int (*add)(rpc_t *rpc, void *ctx, const void *payload))
{
	uint32_t cursor = 0;
	int rc, tries = 10; /* a set whose holder was stopped: 20 ms each */

	while((rc = tg_store_next(store, &cursor, glue_now(), NULL, NULL, payload))
					== 0
			|| (rc == -EBUSY && tries-- > 0)) {
		if(rc == 0 && glue_rpc_row(page) && add(rpc, ctx, payload) < 0)
			return -1;
	}
	if(rc != -EBUSY)
		return 0;
	rpc->fault(ctx, 500,
			"a process is stopped inside the table of %s: no whole list now",
			what);
	return -1;
}
