# SPDX-License-Identifier: GPL-2.0-or-later
"""A DNS server of our own on loopback, and a Kamailio that asks it and nobody else.

The system's resolver asks port 53 of the addresses in /etc/resolv.conf: the server takes a
127.53.x.y of its own there, and Kamailio runs in a mount namespace whose resolv.conf names
it. Both need privileges; missing() says what is not there.
"""

import contextlib
import os
import random
import socket
import struct
import threading

from .process import run

NAPTR, NXDOMAIN, SERVFAIL = 35, 3, 2


def name_of(packet, at):
    """(labels joined by dots, where it ends) of the name in a question."""
    labels = []
    while packet[at]:
        size = packet[at]
        labels.append(packet[at + 1:at + 1 + size].decode("ascii").lower())
        at += 1 + size
    return ".".join(labels), at + 1


def text(value):
    """A character-string of RFC 1035, 3.3."""
    return bytes([len(value)]) + value.encode("ascii")


def naptr(order, preference, uri, service="E2U+sip", flags="u"):
    """The data of a NAPTR record (RFC 3403) that gives a whole URI (RFC 6116)."""
    return struct.pack(">HH", order, preference) + text(flags) + text(service) + text(f"!^.*$!{uri}!") + b"\0"


def enum_name(number, tree):
    """+49301 is 1.0.3.9.4.<tree>."""
    return ".".join(reversed(number.lstrip("+"))) + "." + tree.rstrip(".")


class Server:
    """Answers NAPTR questions by `records`: {name: [data]}, or {name: response code}; all else does not exist."""

    def __init__(self):
        self.records, self.asked = {}, []
        self._sock, self._over = None, False
        for _ in range(20):
            self.host = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                sock.bind((self.host, 53))
            except OSError:
                sock.close()
                continue
            sock.settimeout(0.05)
            self._sock = sock
            break
        else:
            raise OSError("cannot bind port 53 of any 127.53.x.y")
        self._thread = threading.Thread(target=self._run, name=f"dns {self.host}", daemon=True)
        self._thread.start()

    def stop(self):
        """End the thread and close the socket."""
        self._over = True
        self._thread.join(5)
        self._sock.close()

    def _run(self):
        while not self._over:
            try:
                packet, source = self._sock.recvfrom(4096)
            except socket.timeout:
                continue
            self._sock.sendto(self._answer(packet), source)

    def _answer(self, packet):
        name, end = name_of(packet, 12)
        kind = struct.unpack(">H", packet[end:end + 2])[0]
        self.asked.append((name, kind))
        found = self.records.get(name, NXDOMAIN) if kind == NAPTR else NXDOMAIN
        code, rows = (found, []) if isinstance(found, int) else (0, found)
        # A response, recursion desired and available.
        head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(rows), 0, 0)
        body = b"".join(struct.pack(">HHHIH", 0xC00C, NAPTR, 1, 60, len(row)) + row for row in rows)
        return head + packet[12:end + 4] + body


def missing(folder):
    """What this machine does not allow, in words; empty = all is there."""
    try:
        Server().stop()
    except OSError as error:
        return str(error)
    done = run([*private_resolver(folder, "127.53.0.1"), "cat", "/etc/resolv.conf"], 20)
    return "" if done.stdout.startswith("nameserver 127.53.0.1\n") else f"no mount namespace: {done.stdout.strip()}"


def private_resolver(folder, host):
    """What a command is prefixed with, so that its resolver asks `host`."""
    path = os.path.join(str(folder), "resolv.conf")
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"nameserver {host}\noptions timeout:1 attempts:1\n")
    # The file may be a link to one that is not there.
    return ["unshare", "--mount", "--", "sh", "-c",
            f'mount --bind "{path}" "$(readlink -m /etc/resolv.conf)" && exec "$@"', "sh"]


@contextlib.contextmanager
def server():
    """A Server for a while."""
    one = Server()
    try:
        yield one
    finally:
        one.stop()
