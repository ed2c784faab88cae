/*
 * Any rows are either refused with a reason or become an image that answers any
 * question without a step out of bounds, and with what the rows said.
 *
 * Build and run, from the top of the tree (clang; `-runs=N` bounds it):
 * mkdir -p build/corpus-callroute && clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Imodules tests/fuzz/fuzz_callroute_build.c modules/callroute/callroute.c modules/callroute/build.c modules/callroute/build_image.c modules/lib/trie*.c -lm -o build/fuzz_callroute_build && build/fuzz_callroute_build -max_total_time=60 -max_len=4096 build/corpus-callroute tests/fuzz/corpus/callroute_build
 *
 * Input: the number to ask for (its length, its bytes), then one row after the
 * other: byte 0 = its table, then its columns: texts as a length and that many
 * bytes, words as a pick, numbers as two bytes (a few stand for the ends of the
 * range).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "callroute/build.h"
#include "callroute/callroute.h"
#include "lib/trie.h"

#define ROWS 400

struct input
{
	const uint8_t *at;
	size_t left;
	char text[8][300]; /* as long as the row is being added */
	int texts;
};

static void require(int what)
{
	if(!what)
		abort();
}

static uint8_t byte(struct input *in)
{
	if(in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static long long number(struct input *in)
{
	int high = byte(in), low = byte(in);

	switch(high) {
		case 0xff:
			return low & 1 ? INT64_MAX : INT64_MIN;
		case 0xfe:
			return (long long)UINT32_MAX + (low & 3) - 1;
		case 0xfd:
			return -low;
		default:
			return high & 1 ? low << 8 | high : low;
	}
}

static const char *text(struct input *in)
{
	char *out = in->text[in->texts++ & 7];
	size_t len = byte(in);

	len = len < in->left ? len : in->left;
	memcpy(out, in->at, len);
	out[len] = '\0';
	in->at += len;
	in->left -= len;
	return out;
}

/* Mostly a sound word, so that the fuzzer gets past the first check. */
static const char *word(struct input *in, const char *const *words)
{
	int n = 0, pick = byte(in);

	while(words[n] != NULL)
		n++;
	return pick < 0xf0 ? words[pick % n] : text(in);
}

struct complaints
{
	int lines;
};

static void complain(void *arg, const char *line)
{
	struct complaints *c = arg;

	/* A line ends where it ends, whatever the columns hold. */
	require(strlen(line) > 0 && strpbrk(line, "\r\n") == NULL);
	require(++c->lines <= 21);
}

static void add_trunk(struct callroute_builder *b, struct input *in)
{
	static const char *const states[] = {"up", "drain", "down", NULL};
	static const char *const medias[] = {"rtp", "sdes", "dtls", NULL};
	static const char *const uris[] = {"sip:192.0.2.1",
			"sips:gw.example.com:5061;lr", "sip:[2001:db8::1]:5070", NULL};
	static const char *const codes[] = {"5xx,408", "!486,4xx", "", NULL};
	struct callroute_trunk_row row = {.id = number(in),
			.carrier_id = number(in),
			.name = text(in),
			.uri = word(in, uris),
			.socket = text(in),
			.prefix = text(in),
			.media = word(in, medias),
			.failover_codes = word(in, codes),
			.admin_state = word(in, states),
			.strip = number(in),
			.try_timeout_ms = number(in),
			.ring_timeout_ms = number(in)};

	require(callroute_add_trunk(b, &row) == 0);
}

static void add_rate(struct callroute_builder *b, struct input *in)
{
	struct callroute_rate_row row = {.id = number(in),
			.deck_id = number(in),
			.price = number(in),
			.valid_from = number(in),
			.valid_till = number(in),
			.prefix = text(in),
			.blocked = byte(in) & 1,
			.is_default = byte(in) & 1};

	require(callroute_add_rate(b, &row) == 0);
}

static void add_row(struct callroute_builder *b, struct input *in)
{
	static const char *const orders[] = {"price", "priority", NULL};
	static const char *const money[] = {"EUR", "USD", NULL};
	long long id;
	const char *name;

	switch(byte(in) % 6) {
		case 0:
			id = number(in);
			name = text(in);
			require(callroute_add_carrier(b, id, name, byte(in) & 1) == 0);
			break;
		case 1:
			id = number(in);
			name = text(in);
			require(callroute_add_deck(b, id, name, word(in, money), byte(in))
					== 0);
			break;
		case 2:
			add_trunk(b, in);
			break;
		case 3:
			add_rate(b, in);
			break;
		case 4: {
			struct callroute_plan_row row = {.id = number(in),
					.max_attempts = number(in),
					.name = text(in),
					.order_by = word(in, orders)};

			require(callroute_add_plan(b, &row) == 0);
			break;
		}
		default: {
			struct callroute_entry_row row = {.id = number(in),
					.plan_id = number(in),
					.trunk_id = number(in),
					.deck_id = number(in),
					.priority = number(in),
					.weight = number(in)};

			require(callroute_add_entry(b, &row) == 0);
		}
	}
}

static void check_answer(const struct callroute_image *im,
		const struct callroute_question *q, const struct callroute_answer *a)
{
	char uri[CALLROUTE_REQUEST_URI_MAX];

	require(a->reason != NULL && a->count >= 0
			&& a->count <= CALLROUTE_CANDIDATES);
	require((a->count > 0) == (a->verdict == CALLROUTE_OK));
	for(int i = 0; i < a->count; i++) {
		const struct callroute_candidate *c = &a->candidates[i];
		const struct callroute_trunk *t = callroute_find_trunk(im, c->trunk_id);
		int n;

		require(t != NULL && t->state == CALLROUTE_UP && c->price >= 0
				&& c->prefix_len <= q->number_len);
		for(int j = 0; j < i; j++)
			require(a->candidates[j].trunk_id != c->trunk_id);
		n = callroute_make_uri(t, q->number, q->number_len, uri, sizeof uri);
		require(n == -EINVAL || (n > 0 && strlen(uri) == (size_t)n));
	}
}

/* Every plan is asked for a number, in several moments. */
static void ask(
		const struct callroute_image *im, const char *digits, size_t len)
{
	const struct callroute_plan *plans =
			CALLROUTE_PART(im, struct callroute_plan, plans_at);

	for(uint32_t i = 0; i < im->plans && i < 16; i++) {
		for(int64_t now = 0; now < 512; now += 170) {
			struct callroute_question q = {.plan = plans[i].name,
					.plan_len = strlen(plans[i].name),
					.number = digits,
					.number_len = len,
					.now = now,
					.seed = (uint64_t)now};
			struct callroute_answer a;

			callroute_decide(im, &q, &a);
			require(a.verdict != CALLROUTE_NO_DATA);
			check_answer(im, &q, &a);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.at = data, .left = size};
	struct complaints said = {0};
	struct callroute_builder *b = callroute_builder_new(complain, &said);
	char digits[40];
	size_t len, wanted, used;
	char *mem;
	int rc;

	require(b != NULL);
	len = byte(&in) % sizeof digits;
	for(size_t i = 0; i < len; i++)
		digits[i] = (char)byte(&in);
	for(int row = 0; row < ROWS && in.left > 0; row++)
		add_row(b, &in);
	rc = callroute_builder_write(b, 1, digits, 0, &wanted);
	require(rc == -EBADMSG || rc == -ENODATA || rc == -ENOSPC);
	require((rc == -EBADMSG) == (said.lines > 0));
	if(rc == -ENOSPC) {
		/* Of just that size, so that the sanitizer guards its end. */
		mem = aligned_alloc(64, (wanted + 63) & ~(size_t)63);
		require(mem != NULL);
		require(callroute_builder_write(b, 1, mem, wanted, &used) == 0);
		require(used <= wanted);
		ask((const struct callroute_image *)mem, digits, len);
		ask((const struct callroute_image *)mem, "4930*#", 6);
		free(mem);
	}
	callroute_builder_free(b);
	return 0;
}
