# SPDX-License-Identifier: GPL-2.0-or-later
"""Free loopback ports, and the addresses that stand for whole networks.

Every 127.x.y.z is the same machine on Linux, so 127.1.0.1 and 127.2.0.1 are
two sources in two networks without any set-up.

A port that was free a moment ago may be taken when its user starts. Two test
runs beside each other are kept apart: each claims a region of its own by an
abstract UNIX socket, which the kernel releases when the process ends, however
it ends. Inside its region a process goes round, so a port comes back only after
all the others. The regions lie below Linux' ephemeral ports: no outgoing socket
lands in them.
"""

import atexit
import contextlib
import random
import socket

HOME = "127.0.0.1"         # where the servers under test listen
OFFICE = "127.1.0.1"       # the owner's usual network
FOREIGN = "127.2.0.1"      # somebody else's
TRUNKS = "127.3.0.1"       # carriers

NO_IPV6 = "this machine has no ::1 (a plain container has none)"

FIRST, REGION, REGIONS = 12000, 1000, 20

# What a telephone behind a NAT takes for its own address, and its proxy there. tests/alone.sh keeps the whole
# of 192.168.0.0/16 on loopback: what is sent there reaches nobody, as anywhere outside of a NAT.
PRIVATE, PRIVATE_PROXY = "192.168.1.5", "192.168.1.1"

_mine = None        # the claim: held as long as this process lives
_base = _next = 0
_address = 0


def _claim_region():
    """Take a region that no other run has."""
    global _mine, _base, _next
    for number in random.sample(range(REGIONS), REGIONS):
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind(f"\0tollgate-ports-{number}")
        except OSError:
            lock.close()
            continue
        atexit.register(lock.close)
        _mine, _base = lock, FIRST + number * REGION
        _next = _base
        return
    raise RuntimeError(f"{REGIONS} test runs hold all the ports from {FIRST} on")


def has_ipv6():
    """Whether one can listen on ::1 here."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        return True
    return False


def bound(port):
    """Has somebody bound it (UDP, or TCP for listening), on any address? How one sees that a server is up.

    Reads what the kernel lists: to try it with bind() could keep the very server out that is waited for.
    """
    for table, states in (("udp", None), ("udp6", None), ("tcp", ("0A",)), ("tcp6", ("0A",))):
        try:
            with open(f"/proc/net/{table}", encoding="ascii") as lines:
                rows = [line.split() for line in lines][1:]
        except FileNotFoundError:       # no IPv6
            continue
        if any(int(row[1].rsplit(":", 1)[1], 16) == port and (states is None or row[3] in states) for row in rows):
            return True
    return False


def taken(port):
    """Would a bind() to it fail (UDP or TCP, on any address)?"""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return True
    return False


def block(count):
    """The first of `count` ports in a row, free for UDP and TCP. It is an even one."""
    global _next
    if _mine is None:
        _claim_region()
    for _ in range(2 * REGION):
        first = _next + _next % 2
        if first + count > _base + REGION:
            _next = _base
            continue
        used = next((number for number in range(first, first + count) if taken(number)), None)
        _next = first + count if used is None else used + 1
        if used is None:
            return first
    raise RuntimeError(f"no {count} free ports in a row between {_base} and {_base + REGION}")


def address():
    """A loopback address that no other telephone of any run has."""
    global _address
    if _mine is None:
        _claim_region()
    _address += 1
    return f"127.{100 + (_base - FIRST) // REGION}.{_address // 250}.{1 + _address % 250}"


def private_stays_here():
    """Is the private range this machine's own, so that nothing sent there leaves it? (tests/alone.sh)"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((PRIVATE, 0))
        except OSError:
            return False
    return True


def port():
    """One free port. The next one is kept too: baresip takes it for TLS."""
    return block(2)
