/*
 * Process identity for structures in shared memory: who am I, is the other one
 * still there. Process numbers are those of the caller's PID namespace, which
 * all processes of one server share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_PROCESS_H
#define TG_PROCESS_H

#include <sys/types.h>

/* getpid(2) without the system call (100 ns on some machines), also right in a
 * freshly forked child. */
pid_t tg_process_self(void);

/* Non-zero when no process `pid` exists any more. A zombie still exists; so
 * does a stranger that got the number of a dead process: callers must stay
 * correct, if slower, when a dead process looks alive. */
int tg_process_gone(pid_t pid);

#endif
