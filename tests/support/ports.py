# SPDX-License-Identifier: GPL-2.0-or-later
"""Free loopback ports, and the addresses that stand for whole networks.

Every 127.x.y.z is the same machine on Linux, so 127.1.0.1 and 127.2.0.1 are
two sources in two networks without any set-up.

A port that was free a moment ago may be taken when its user starts. Two test
runs beside each other are kept apart by a reservation: an abstract UNIX socket
per port, which the kernel releases when the process ends, however it ends.
The range lies below Linux' ephemeral ports, so no outgoing socket lands in it.
"""

import random
import socket

HOME = "127.0.0.1"         # where the servers under test listen
OFFICE = "127.1.0.1"       # the owner's usual network
FOREIGN = "127.2.0.1"      # somebody else's
TRUNKS = "127.3.0.1"       # carriers

FIRST, LAST = 12000, 31999
TRIES = 500

_reserved = {}


def _claim(port):
    """The reservation of one port, or None when another run holds it."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f"\0tollgate-port-{port}")
    except OSError:
        lock.close()
        return None
    return lock


def _is_free(port):
    """Free for UDP and for TCP on every IPv4 address of the machine."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True


def block(count, align=2):
    """The first of `count` consecutive ports, free for UDP and TCP, kept for this process."""
    for _ in range(TRIES):
        first = random.randrange(FIRST, LAST - count, 1)
        first -= first % align
        locks = []
        for port in range(first, first + count):
            lock = _claim(port) if port not in _reserved and _is_free(port) else None
            if lock is None:
                break
            locks.append(lock)
        if len(locks) == count:
            _reserved.update(zip(range(first, first + count), locks))
            return first
        for lock in locks:
            lock.close()
    raise RuntimeError(f"no {count} free ports in a row between {FIRST} and {LAST}")


def port():
    """One free port. The next one is kept too: baresip takes it for TLS."""
    return block(2)


def release(first, count):
    """Give ports back before the process ends."""
    for number in range(first, first + count):
        lock = _reserved.pop(number, None)
        if lock:
            lock.close()
