# SPDX-License-Identifier: GPL-2.0-or-later
"""rtpengine in user space, and the client of its `ng` control protocol.

ng is a cookie, a space and a bencoded dictionary in one UDP datagram; the
reply begins with the same cookie.
"""

import os
import select
import socket
import time

from . import ports
from .process import Process, eventually

START_SECONDS = 20
RTP_PORTS = 100


def bencode(value):
    """int, str, bytes, list or dict as bencode."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"
    return b"l" + b"".join(bencode(one) for one in value) + b"e"


def bdecode(data):
    """The value of a bencoded text; byte strings become str."""
    value, rest = _bdecode(data)
    if rest:
        raise ValueError("bytes after the bencoded value")
    return value


def _bdecode(data):
    if data[:1] == b"i":
        number, _, rest = data[1:].partition(b"e")
        return int(number), rest
    if data[:1] in (b"l", b"d"):
        items, rest = [], data[1:]
        while rest[:1] != b"e":
            item, rest = _bdecode(rest)
            items.append(item)
        rest = rest[1:]
        return (items if data[:1] == b"l" else dict(zip(items[::2], items[1::2]))), rest
    length, _, rest = data.partition(b":")
    size = int(length)
    if len(rest) < size:
        raise ValueError("bencoded text cut short")
    return rest[:size].decode("utf-8", "replace"), rest[size:]


class Rtpengine(Process):
    """A running rtpengine with its own control port and RTP ports."""

    def __init__(self, run_dir, host=ports.HOME, options=()):
        self.host = host
        self.ng_port = ports.port()
        self.rtp_first = ports.block(RTP_PORTS)
        self.rtp_last = self.rtp_first + RTP_PORTS - 1
        self._cookie = 0
        super().__init__("rtpengine", [
            "rtpengine", "--config-file=none", "--foreground", "--log-stderr", "--log-level=6", "--table=-1",
            f"--interface={host}", f"--listen-ng={host}:{self.ng_port}",
            f"--port-min={self.rtp_first}", f"--port-max={self.rtp_last}",
            "--num-threads=2", "--delete-delay=0", "--timeout=60", *options],
            os.path.join(run_dir, "rtpengine.log"), cwd=run_dir)

    @property
    def sock(self):
        """As Kamailio's rtpengine_sock wants it."""
        return f"udp:{self.host}:{self.ng_port}"

    def start(self):
        """Start and wait for the first pong."""
        super().start()
        try:
            if not eventually(lambda: not self.alive or self._pongs(), START_SECONDS):
                raise self.error(f"no pong after {START_SECONDS} s")
            if not self.alive:
                raise self.error(f"ended at start with status {self.child.returncode}")
        except BaseException:
            self.stop()
            raise
        return self

    def _pongs(self):
        try:
            return self.ng("ping", seconds=0.5).get("result") == "pong"
        except OSError:
            return False

    def ng(self, command, seconds=3, **fields):
        """One command; the reply's dictionary. TimeoutError when nobody answers."""
        self._cookie += 1
        cookie = b"%d_%d" % (os.getpid(), self._cookie)
        request = {"command": command, **{k.replace("_", "-"): v for k, v in fields.items()}}
        deadline = time.monotonic() + seconds
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((self.host, self.ng_port))
            sock.send(cookie + b" " + bencode(request))
            while True:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([sock], [], [], left)[0]:
                    raise TimeoutError(f"rtpengine did not answer {command} in {seconds} s")
                got, _, body = sock.recv(1 << 16).partition(b" ")
                if got == cookie:
                    return bdecode(body)

    def calls(self):
        """Call-IDs of the media sessions that exist now."""
        return self.ng("list", limit=1000)["calls"]

    def query(self, callid):
        """Everything about one session."""
        return self.ng("query", call_id=callid)

    def relayed(self, callid):
        """RTP packets received from each side of a session: {side's tag: packets}."""
        counts = {}
        for tag, side in self.query(callid).get("tags", {}).items():
            counts[tag] = sum(stream["stats"]["packets"]
                              for media in side.get("medias", [])
                              for stream in media.get("streams", [])
                              if "RTP" in stream.get("flags", []))
        return counts

    def owns(self, port):
        """Is it one of its RTP ports?"""
        return self.rtp_first <= int(port) <= self.rtp_last
