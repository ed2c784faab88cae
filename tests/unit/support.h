/*
 * What every unit test shares: cmocka in the order it wants its headers, and
 * allocation failures on demand.
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

/* Zero-filled, 64-byte aligned memory for the structures under test; freed by
 * support_free. Never NULL: a failing test machine aborts the test. */
void *support_memory(size_t size);
void support_free(void *mem);

#endif
