/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callroute/decide/rewrite.h"

#include <errno.h>
#include <string.h>

static int is_symbol(char c, int first)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '#'
		   || (first && c == '+');
}

/* Reads symbols up to `end`. Returns the place behind them, or NULL with the
 * error in *rc. */
static const char *read_symbols(
		const char *at, char *to, uint8_t *len, const char *end, int *rc)
{
	for(*len = 0; *at != '\0' && strchr(end, *at) == NULL; at++) {
		if(!is_symbol(*at, *len == 0)) {
			*rc = -EINVAL;
			return NULL;
		}
		if(*len == CALLROUTE_REWRITE_SYMBOLS) {
			*rc = -EMSGSIZE;
			return NULL;
		}
		to[(*len)++] = *at;
	}
	return at;
}

static int begins(const char *text, size_t len, const char *from, size_t n)
{
	return n <= len && memcmp(text, from, n) == 0;
}

/* Reads one rule into the first free place of `r`. */
static int read_rule(const char **text, struct callroute_rewrite *r)
{
	uint8_t i = r->count;
	const char *at;
	int rc = -EINVAL;

	if(i == CALLROUTE_REWRITE_RULES)
		return -E2BIG;
	at = read_symbols(*text, r->rule[i].from, &r->rule[i].from_len, ">,", &rc);
	if(at == NULL || *at != '>')
		return rc;
	at = read_symbols(at + 1, r->rule[i].to, &r->rule[i].to_len, ",", &rc);
	if(at == NULL || r->rule[i].from_len + r->rule[i].to_len == 0)
		return rc;
	for(uint8_t k = 0; k < i; k++) {
		if(begins(r->rule[i].from, r->rule[i].from_len, r->rule[k].from,
				   r->rule[k].from_len))
			return -EEXIST;
	}
	r->count++;
	*text = at;
	return 0;
}

int callroute_rewrite_parse(
		const char *text, struct callroute_rewrite *out, const char **bad)
{
	int rc = 0;

	memset(out, 0, sizeof(*out));
	*bad = NULL;
	while(*text != '\0' || out->count > 0) {
		*bad = text;
		rc = read_rule(&text, out);
		if(rc < 0)
			break;
		*bad = NULL;
		if(*text == '\0')
			return 0;
		text++; /* the comma: another rule must follow */
	}
	memset(out, 0, sizeof(*out));
	return rc;
}

static int apply(const struct callroute_rewrite *r, const char *number,
		size_t len, char *out, size_t size)
{
	const char *to = "";
	size_t from_len = 0, to_len = 0;

	if(len == 0)
		return -ENODATA;
	for(uint8_t i = 0; i < r->count; i++) {
		if(begins(number, len, r->rule[i].from, r->rule[i].from_len)) {
			from_len = r->rule[i].from_len;
			to = r->rule[i].to;
			to_len = r->rule[i].to_len;
			break;
		}
	}
	if(to_len + len - from_len == 0
			|| (to_len + len - from_len == 1
					&& (to_len > 0 ? to[0] : number[from_len]) == '+'))
		return -ENODATA;
	for(size_t i = from_len; i < len; i++)
		if(!is_symbol(number[i], i == from_len && to_len == 0))
			return -EINVAL;
	if(to_len + len - from_len >= size)
		return -ENOSPC;
	memcpy(out, to, to_len);
	memcpy(out + to_len, number + from_len, len - from_len);
	out[to_len + len - from_len] = '\0';
	return (int)(to_len + len - from_len);
}

int callroute_rewrite_apply(const struct callroute_rewrite *r,
		const char *number, size_t len, char *out, size_t size)
{
	int rc = apply(r, number, len, out, size);

	if(rc < 0 && size > 0)
		out[0] = '\0';
	return rc;
}
