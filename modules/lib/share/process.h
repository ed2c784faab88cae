/*
 * Process identity for structures in shared memory: the own process number, and
 * whether another process still exists. Process numbers are those of the
 * caller's PID namespace, which all processes of one server share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TG_PROCESS_H
#define TG_PROCESS_H

#include <sys/types.h>

/* As getpid(2), but without the system call, which takes 100 ns on some
 * machines. Also right in a freshly forked child. */
pid_t tg_process_self(void);

/* Non-zero when no process has the number `pid` any more. A dead process may
 * look alive: as a zombie, or because another process got its number. Callers
 * must then stay correct, though they may be slower. */
int tg_process_gone(pid_t pid);

#endif
