/*
 * What every unit test shares: cmocka in the order it wants its headers,
 * allocation failures on demand, and a deadline.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* Makes the `nth` allocation (1 = the next one) of this process fail once;
 * 0 switches it off. */
void support_fail_alloc(unsigned nth);

/* Ends the program as failed, with a line that says so, unless it is called again
 * within so many seconds; nothing that waits for something lost waits for ever.
 * Each program starts with the seconds below, for all its tests together. Forked
 * children have no deadline of their own: they end with their parent (procs.h). */
#define SUPPORT_PROGRAM_SECONDS 1200
void support_deadline(unsigned seconds);

/* Zero-filled, 64-byte aligned memory for the structures under test; freed by
 * support_free. Never NULL: a failing test machine aborts the test. */
void *support_memory(size_t size);
void support_free(void *mem);

#endif
