/*
 * Prefix trie: an immutable image that answers "which prefixes of this number
 * carry a value" in one walk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_TRIE_H
#define TG_TRIE_H

#include <stddef.h>
#include <stdint.h>

/* Longest prefix stored and longest number walked, in symbols. E.164 has 15
 * digits; routing and carrier prefixes come before them. */
#define TG_TRIE_MAX_DIGITS 32

struct tg_trie_row
{
	const char *prefix; /* symbols 0-9 * #; need not be NUL-terminated */
	uint8_t len;		/* 0 .. TG_TRIE_MAX_DIGITS; 0 matches every number */
	uint32_t value;		/* the caller's, returned as it is */
};

struct tg_trie_match
{
	uint32_t value;
	uint32_t len; /* length of the matched prefix, symbols */
};

/* Bytes that are enough for an image of `rows` rows with `symbols` symbols in
 * all. The image itself is usually far smaller (see *used). SIZE_MAX when no
 * size is enough. */
size_t tg_trie_bound(size_t rows, size_t symbols);

/*
 * Builds the image. `rows` are sorted by tg_trie_compare and have distinct
 * prefixes; `mem` is 4-byte aligned. Needs no heap.
 * 0 (*used = image bytes); -ENOSPC (`size` too small, `mem` not aligned);
 * -EINVAL (bad symbol or length), -EEXIST (a prefix twice), -EDOM (not sorted):
 * for these three *bad_row is the row's index and `mem` is untouched. `bad_row`
 * may be NULL.
 */
int tg_trie_build(const struct tg_trie_row *rows, size_t n, void *mem,
		size_t size, size_t *used, size_t *bad_row);

/* The order of rows for tg_trie_build: symbol by symbol in the order 0-9 * #, a
 * prefix before its extensions. qsort(3) signature over struct tg_trie_row. */
int tg_trie_compare(const void *a, const void *b);

/* 0 when `mem` holds an image that is safe to walk for any number, else
 * -EBADMSG. Reads at most `size` bytes and takes time linear in `size`,
 * whatever the bytes are. */
int tg_trie_check(const void *mem, size_t size);

/*
 * All stored prefixes of `number`, shortest first, at most `max` of them. Where
 * there are more, the shortest ones are left out. Symbols outside 0-9 * # end
 * the walk. Returns how many were filled. No locks, no allocation, no side
 * effect.
 */
int tg_trie_walk(const void *image, const char *number, size_t len,
		struct tg_trie_match *out, int max);

/* The longest stored prefix of `number` only. 0, -ENOENT. */
int tg_trie_longest(const void *image, const char *number, size_t len,
		struct tg_trie_match *out);

/*
 * A cursor over all stored prefixes, in the order of tg_trie_compare. It lies
 * on the caller's stack (under 1 KB, nothing to free), so several images can be
 * read side by side. Its fields are private to trie_each.c.
 */
struct tg_trie_cursor
{
	const void *image;
	uint32_t place;		  /* the short string to look at next */
	uint8_t place_len;	  /* its symbols */
	uint8_t depth;		  /* branches in use */
	struct tg_trie_branch /* begun and not yet finished, from the root down */
	{
		const struct trie_node *child; /* the next one */
		const uint32_t *value;		   /* the next one */
		uint32_t bits; /* symbols still to come, as in trie_image.h */
		uint32_t len;  /* symbols before the branch */
	} branch[TG_TRIE_MAX_DIGITS];
	char prefix[TG_TRIE_MAX_DIGITS];
};

/* Puts the cursor before the first prefix of an image that was built here or
 * passed tg_trie_check. The image must outlive the cursor. */
void tg_trie_first(const void *image, struct tg_trie_cursor *c);

/*
 * The next prefix and its value. 0, or -ENOENT after the last prefix and in all
 * later calls; *row is then untouched. row->prefix points into the cursor, has
 * no NUL, and is valid until the next call. Each prefix that a walk can find
 * comes exactly once, and no other. All calls together take time linear in the
 * image, whatever its bytes are; no locks, no allocation.
 */
int tg_trie_next(struct tg_trie_cursor *c, struct tg_trie_row *row);

#endif
