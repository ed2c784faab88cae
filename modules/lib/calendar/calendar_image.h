/*
 * Layout of a calendar image; private to calendar*.c.
 *
 *   header | window[windows]     ascending, disjoint, not even touching
 *
 * Byte order is the machine's: an image is for this machine only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_CALENDAR_IMAGE_H
#define TG_CALENDAR_IMAGE_H

#include <stdint.h>

#define CALENDAR_MAGIC 0x314c4143u /* CAL1 */

struct calendar_window
{
	int64_t from, till; /* UTC seconds, [from, till) */
};

struct calendar_image
{
	uint32_t magic;
	uint32_t windows;
	int64_t from, till; /* the horizon; every window lies in it */
	struct calendar_window window[];
};

#endif
