/*
 * The shape word tells when in its bucket the events came, to a seventh of the
 * window. So the sliding window does not have to assume that the events of the
 * previous bucket are evenly spread.
 *
 *   63      60 59    56 55            28 27            0
 *  | window   | scale  | current: 7 x 4 | previous: 7 x 4 |
 *  | no, low  |        |     bits       |     bits        |
 *
 * A seventh holds up to 15 units of 2^scale events. At the 16th unit all
 * sevenths are halved and the scale grows by one. The shape gives only
 * proportions; the counts are in the window word. A process killed between the
 * two writes, or a lost race, costs accuracy for one window and never a count.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CELLS_SHAPE_H
#define TG_CELLS_SHAPE_H

#include <stdint.h>

#define TG_PARTS 7
#define TG_PARTS_BITS 28
#define TG_PARTS_MASK UINT64_C(0xfffffff)
#define TG_SCALE_MAX 15

static inline uint64_t tg_shape(unsigned number, uint64_t cur, uint64_t prev)
{
	return (uint64_t)(number & 0xf) << 60 | cur << TG_PARTS_BITS | prev;
}

/* The shape as of window `number`. A shape that is ahead (this process's clock
 * is behind) stays. */
static inline uint64_t tg_shape_turn(uint64_t shape, unsigned number)
{
	unsigned ahead = (number - (unsigned)(shape >> 60)) & 0xf;

	if(ahead == 0 || ahead > 7)
		return shape;
	return tg_shape(number, 0,
			ahead == 1 ? (shape >> TG_PARTS_BITS) & TG_PARTS_MASK : 0);
}

/* Enters `n` events at `part`; the bucket holds `before` already. */
static inline uint64_t tg_shape_add(
		uint64_t shape, unsigned part, uint32_t before, uint32_t n)
{
	uint64_t cur = (shape >> TG_PARTS_BITS) & TG_PARTS_MASK;
	unsigned scale = (unsigned)(shape >> 56) & 0xf, at = 4 * part;
	uint64_t total = (uint64_t)before + n, units;

	for(;;) {
		/* One unit for every 2^scale events, whichever of them enters it. */
		units = (total >> scale) - (before >> scale);
		if(((cur >> at) & 0xf) + units <= 15 || scale == TG_SCALE_MAX)
			break;
		cur = (cur >> 1) & UINT64_C(0x7777777);
		scale++;
	}
	if(((cur >> at) & 0xf) + units > 15)
		units = 15 - ((cur >> at) & 0xf);
	cur += units << at;
	return (shape & ~(UINT64_C(0xf) << 56 | TG_PARTS_MASK << TG_PARTS_BITS))
		   | scale * (UINT64_C(1) << 56) | cur << TG_PARTS_BITS;
}

static inline uint32_t tg_sum_parts(uint32_t parts)
{
	uint32_t bytes = (parts & 0x0f0f0f0f) + (parts >> 4 & 0x0f0f0f0f);

	return bytes * 0x01010101 >> 24;
}

/* How much of the previous bucket lies after `pos` (in 1/256 of a part): *share
 * of *all. *all is 0 when nothing is known. */
static inline void tg_shape_after(
		uint64_t shape, unsigned pos, uint32_t *share, uint32_t *all)
{
	uint32_t prev = (uint32_t)(shape & TG_PARTS_MASK);
	unsigned part = pos >> 8;
	uint32_t from = prev >> 4 * part;

	*all = tg_sum_parts(prev) << 8;
	*share = (tg_sum_parts(from) << 8) - (from & 0xf) * (pos & 0xff);
}

#endif
