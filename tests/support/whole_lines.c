/*
 * Preloaded into a Kamailio under test: its log on stderr stays buffered by lines.
 * Kamailio turns buffering off (daemonize.c), and from glibc 2.37 on a line then
 * leaves 128 bytes at a time, with other processes' lines in between.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>

void setbuf(FILE *stream, char *buf)
{
	/* A buffer of our own: who has written before has one of a byte by now. */
	static char line[8192];

	(void)buf;
	setvbuf(stream, stream == stderr ? line : NULL, _IOLBF,
			stream == stderr ? sizeof line : 0);
}
