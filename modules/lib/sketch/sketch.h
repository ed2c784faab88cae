/*
 * Admission sketch of the cell table: a count-min estimate (Cormode,
 * Muthukrishnan 2005; conservative update by Estan, Varghese 2002; its use as
 * an admission filter by Einziger, Friedman, Manes: "TinyLFU" 2017) of how
 * often a key that has no cell was seen lately.
 *
 * Memory bound: one cache line for 16 cells. All counters of a key lie in one
 * line: an estimate costs one cache miss.
 * Ageing: a line is halved once per 16.8 s of `now`, and when it has counted as
 * many events of rare keys as it covers cells. So a flood of new keys ages it,
 * one hot key does not. At most 7 words of work in a call.
 * Locking: none. A killed process or a lost race leaves counters a little off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_SKETCH_H
#define TG_SKETCH_H

#include <stdint.h>
#include <stdatomic.h>

#define TG_SKETCH_CELLS 16 /* cells a line covers */
#define TG_SKETCH_MAX 255  /* an estimate stops here */

struct tg_sketch_line
{
	_Alignas(64) _Atomic uint64_t
			age;				  /* epoch:32, rare events since halving:32 */
	_Atomic uint64_t counters[7]; /* 56 x 8 bits, 54 used */
};

/* Counts `n` (>= 1) for the key hashed to `hash` (64 well-mixed bits) and
 * returns its estimate, 1 .. 255. */
uint32_t tg_sketch_add(
		struct tg_sketch_line *line, uint64_t hash, uint32_t n, uint64_t now);

#endif
