/*
 * Any rows are either refused with a reason or become an image that answers any
 * question without a step out of bounds, and with what the rows said. An image of
 * kept rates is that of the rows to the byte.
 *
 * Input: the number to ask for (its length, its bytes), then rows as
 * callroute_input.h has them, in any order: what an unsorted table refers to is
 * not found, or told.
 *
 * Build and run, from the top of the tree: make fuzz F=callroute_build
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "callroute_input.h"

#include "callroute/callroute.h"
#include "lib/prefix/trie.h"

#include <errno.h>

#define ROWS 300
#define NOW INT64_C(1700000000)

static void complain(void *arg, const char *line)
{
	int *lines = arg;

	/* A line ends where it ends, whatever the columns hold. */
	require(strlen(line) > 0 && strpbrk(line, "\r\n") == NULL);
	require(++*lines <= 21);
}

/* --- questions -------------------------------------------------------------- */

static void check_answer(const struct callroute_image *im,
		const struct callroute_question *q, const struct callroute_answer *a)
{
	char uri[CALLROUTE_REQUEST_URI_MAX];

	require(a->reason != NULL && a->count >= 0
			&& a->count <= CALLROUTE_CANDIDATES);
	require((a->count > 0) == (a->verdict == CALLROUTE_OK));
	require((a->redirect[0] != '\0') == (a->verdict == CALLROUTE_REDIRECTED));
	for(int i = 0; i < a->count; i++) {
		const struct callroute_candidate *c = &a->candidates[i];
		const struct callroute_trunk *t = callroute_find_trunk(im, c->trunk_id);
		int n;

		require(t != NULL && (t->state == CALLROUTE_UP || a->emergency));
		require(c->price >= -1 && c->price <= CALLROUTE_PRICE_MAX);
		require(c->prefix_len <= CALLROUTE_NUMBER_MAX);
		for(int j = 0; j < i; j++)
			require(a->candidates[j].trunk_id != c->trunk_id);
		n = callroute_make_uri(t, q->number, q->number_len, uri, sizeof uri);
		require(n == -EINVAL || (n > 0 && strlen(uri) == (size_t)n));
	}
}

/* Every vendor has a fate, and as many are chosen as there are candidates. */
static void check_work(
		const struct callroute_work *work, const struct callroute_answer *a)
{
	int chosen = 0;

	require(work->count <= CALLROUTE_VENDORS_MAX);
	for(int i = 0; i < work->count && a->count > 0; i++) {
		require(work->vendors[i].fate < CALLROUTE_FATES);
		chosen += work->vendors[i].fate == CALLROUTE_FATE_CHOSEN;
	}
	require(chosen == a->count);
}

/* Every plan is asked for a number, in several moments. */
static void ask(const struct callroute_image *im, struct callroute_live *live,
		const char *digits, size_t len)
{
	static struct callroute_work work;
	const struct callroute_plan *plans =
			CALLROUTE_ROWS(im, struct callroute_plan, plans);

	for(uint64_t i = 0; i < im->plans.count && i < 16; i++) {
		for(int64_t now = NOW; now < NOW + 3 * 40000; now += 40000) {
			struct callroute_question q = {.plan_id = plans[i].id,
					.number = digits,
					.number_len = len,
					.src = "4930",
					.src_len = now == NOW ? 0 : 4,
					.now = now,
					.clock = 1000000,
					.seed = (uint64_t)now};
			struct callroute_answer a;

			callroute_decide(im, live, &q, &work, &a);
			require(a.verdict != CALLROUTE_NO_DATA);
			check_answer(im, &q, &a);
			check_work(&work, &a);
			callroute_is_emergency_number(im, &plans[i], digits, len, now);
		}
	}
}

static void look_up(
		const struct callroute_image *im, const char *digits, size_t len)
{
	static const uint8_t addr[16] = {
			[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2};
	const struct callroute_group *groups =
			CALLROUTE_ROWS(im, struct callroute_group, groups);
	struct callroute_caller who = {"alice", digits, 5, len, addr, "t", 1};
	const struct callroute_account *a = callroute_find_account(im, &who);
	uint32_t members[CALLROUTE_MEMBERS_MAX];
	char ported[16];
	int known;

	require(a == NULL || a->plan < im->plans.count);
	for(uint64_t i = 0; i < im->groups.count; i++) {
		int n = callroute_hunt(im, &groups[i], NOW, i, members, 64);

		for(int j = 0; j < n; j++)
			require(members[j] < im->members.count);
	}
	require(callroute_find_did(im, digits, len, NOW, &known) == NULL || known);
	require(callroute_find_ported(im, digits, len, ported) == strlen(ported));
}

/* --- the same twice --------------------------------------------------------- */

/* The rows once more; their rates from `kept`, when there is one. */
static struct callroute_builder *build(const uint8_t *data, size_t size,
		struct callroute_live *live, const struct callroute_image *kept,
		int *lines)
{
	static struct input in;
	struct callroute_builder *b =
			callroute_builder_new(NOW, live, complain, lines);

	memset(&in, 0, sizeof in);
	in.at = data;
	in.left = size;
	in.skip_rates = kept != NULL;
	require(b != NULL);
	for(int row = 0; row < ROWS && in.left > 0; row++)
		add_row(b, &in);
	if(kept != NULL) {
		require(callroute_can_keep_rates(b, kept, 0) == 1);
		require(callroute_keep_rates(b, kept, 0) == 0);
	}
	return b;
}

/* Of just that size, so that the sanitizer guards its end. */
static struct callroute_image *write_image(
		struct callroute_builder *b, size_t wanted, int fill)
{
	void *mem = aligned_alloc(64, (wanted + 63) & ~(size_t)63);
	size_t used;

	require(mem != NULL);
	memset(mem, fill, wanted);
	require(callroute_builder_write(b, mem, wanted, &used) == 0);
	require(used <= wanted);
	return mem;
}

static struct callroute_live *fresh_live(void **mem)
{
	static const struct callroute_live_config cfg = {512, 16, 16, 8, 60000000};
	size_t size = (callroute_live_size(&cfg) + 63) & ~(size_t)63;
	struct callroute_live *live;

	*mem = aligned_alloc(64, size);
	require(*mem != NULL);
	memset(*mem, 0, size);
	require(callroute_live_init(*mem, size, &cfg, &live) == 0);
	return live;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char digits[40], none[8];
	struct callroute_builder *b;
	struct callroute_image *im, *again;
	struct callroute_live *live;
	size_t len, wanted;
	int lines = 0, rc;
	void *mem;

	if(size == 0 || size - 1 < (size_t)data[0] % sizeof digits)
		return 0;
	len = data[0] % sizeof digits;
	memcpy(digits, data + 1, len);
	data += 1 + len;
	size -= 1 + len;
	live = fresh_live(&mem);
	b = build(data, size, live, NULL, &lines);
	rc = callroute_builder_write(b, none, 0, &wanted);
	require(rc == -EBADMSG || rc == -ENODATA || rc == -ENOSPC);
	require((rc == -EBADMSG) == (lines > 0));
	if(rc == -ENOSPC) {
		im = write_image(b, wanted, 0x5a);
		ask(im, live, digits, len);
		ask(im, live, "4930*#", 6);
		look_up(im, digits, len);
		callroute_builder_free(b);
		b = build(data, size, live, im, &lines);
		again = write_image(b, wanted, 0xa5);
		require(im->bytes == again->bytes && memcmp(im, again, im->bytes) == 0);
		free(im);
		free(again);
	}
	callroute_builder_free(b);
	free(mem);
	return 0;
}
