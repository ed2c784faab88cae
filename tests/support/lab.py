# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks of their own for real telephones: one at a public address, one behind a NAT.

    edge ── 198.18.r.1 ──┬── veth ── telephone 198.18.r.k
                         └── veth ── router 198.18.r.k | 10.77.0.1 ── veth ── telephone 10.77.0.2

Each is a network namespace; the router's NAT is the kernel's (nftables, masquerade).
198.18.0.0/15 is for tests (RFC 2544), and no NAT test takes it for private. All of
it hangs on a namespace of our own (tests/alone.sh): nothing of the machine's
network is touched, and it is gone with the process that holds it.
"""

import ctypes
import os
import re
import shutil
import socket
import threading

from . import ports
from .process import Process, ProcessError, run

CLONE_NEWNET = 0x40000000
PRIVATE, GATEWAY = "10.77.0.2", "10.77.0.1"
TOOLS = ("ip", "nft", "unshare", "nsenter")
NAT = "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; }; " \
    "add rule ip nat out oifname outside masquerade"
# /proc/sys is read-only in a container: made writable for this command alone.
FORWARD = "mount -o remount,bind,rw /proc/sys 2>/dev/null; echo 1 >/proc/sys/net/ipv4/ip_forward"


def missing():
    """What keeps this machine from having such networks, in words; None when nothing does."""
    for tool in TOOLS:
        if not shutil.which(tool):
            return f"no {tool} (Debian: iproute2, nftables, util-linux)"
    if not ports.private_stays_here():
        return "not in a network of its own: run by tests/alone.sh"
    done = run(["unshare", "--net", "--mount", "sh", "-c", f"{FORWARD} && nft '{NAT}'"], 20)
    return f"no namespace with a NAT: {done.stdout.strip()[-200:]}" if done.returncode else None


def command(*argv):
    """Run one command; an error with its output unless it succeeds."""
    done = run(argv, 20)
    if done.returncode:
        raise ProcessError(f"{' '.join(argv)}: {done.stdout}")


class Namespace(Process):
    """A network namespace, as long as the process that holds it."""

    def __init__(self, name, folder):
        super().__init__(name, ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
                         os.path.join(folder, f"{name}.log"))

    def start(self):
        """Start and wait until it is there."""
        super().start()
        self.wait_line("^up$")
        return self

    def inside(self, argv):
        """The command that runs `argv` inside."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *argv]

    def do(self, *argv):
        """Run a command inside, to its end."""
        command(*self.inside(argv))

    def connect(self, address, seconds=1):
        """A TCP connection from inside to an address inside."""
        result = []

        def enter():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/proc/{self.pid}/ns/net", "rb") as space:
                if libc.setns(space.fileno(), CLONE_NEWNET):
                    result.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                result.append(socket.create_connection(address, seconds))
            except OSError as error:
                result.append(error)

        # The namespace is the thread's: it ends with it.
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]


class Lab:
    """All networks of one test. Use as a context manager; `edge` is the address that all of them reach."""

    def __init__(self, folder):
        self.folder = str(folder)
        region = re.match(r"127\.(\d+)\.", ports.address())[1]
        self._network = f"198.18.{region}"
        self.edge = f"{self._network}.1"
        self._spaces = []

    def __enter__(self):
        command("ip", "address", "replace", f"{self.edge}/32", "dev", "lo")
        return self

    def __exit__(self, *_):
        for one in reversed(self._spaces):
            one.stop()

    def _space(self, name):
        one = Namespace(f"net-{len(self._spaces)}-{name}", self.folder)
        self._spaces.append(one)
        return one.start()

    def place(self, nat=False):
        """(namespace of a new telephone, its own address)."""
        outside = f"{self._network}.{2 + len(self._spaces)}"
        first = self._space("router" if nat else "telephone")
        self._link_to_edge(first, outside)
        if not nat:
            return first, outside
        telephone = self._space("telephone")
        first.do("ip", "link", "add", "inside", "type", "veth", "peer", "name", "eth0", "netns", str(telephone.pid))
        for space, name, own in ((first, "inside", GATEWAY), (telephone, "eth0", PRIVATE)):
            space.do("ip", "address", "add", f"{own}/24", "dev", name)
            space.do("ip", "link", "set", name, "up")
        telephone.do("ip", "route", "add", "default", "via", GATEWAY)
        first.do("nft", NAT)
        first.do("unshare", "--mount", "sh", "-c", FORWARD)
        return telephone, PRIVATE

    def _link_to_edge(self, space, own):
        name = f"tg{space.pid}"
        command("ip", "link", "add", name, "type", "veth", "peer", "name", "outside", "netns", str(space.pid))
        command("ip", "link", "set", name, "up")
        command("ip", "route", "add", f"{own}/32", "dev", name, "src", self.edge)
        space.do("ip", "address", "add", f"{own}/32", "dev", "outside")
        space.do("ip", "link", "set", "outside", "up")
        space.do("ip", "route", "add", f"{self.edge}/32", "dev", "outside", "src", own)
        space.do("ip", "route", "add", "default", "via", self.edge, "dev", "outside")
