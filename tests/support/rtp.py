# SPDX-License-Identifier: GPL-2.0-or-later
"""The sound of a scripted telephone: a tone out, and what comes in as samples.

G.711 mu-law (payload 0), 20 ms a packet, in real time, both ways at once. RTP is
RFC 3550; the law is ITU-T G.711.
"""

import bisect
import math
import random
import select
import socket
import struct
import time

from . import ports, tone

PACKET = 160            # samples
PERIOD = PACKET / tone.RATE


def _expand(code):
    """The sample of a mu-law code (0..255): 16 bits, signed."""
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return -size if code & 0x80 else size


SAMPLES = [_expand(code) for code in range(256)]
_ORDER = sorted(range(256), key=SAMPLES.__getitem__)
_SORTED = [SAMPLES[code] for code in _ORDER]


def _compress(sample):
    """The mu-law code whose sample is next to this one."""
    at = min(bisect.bisect_left(_SORTED, sample), 255)
    if at and sample - _SORTED[at - 1] < _SORTED[at] - sample:
        at -= 1
    return _ORDER[at]


class Stream:
    """One RTP socket of a telephone at `host`."""

    def __init__(self, host):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, ports.block(2)))
        self.port = self.sock.getsockname()[1]
        self._ssrc, self._number, self._phase = random.getrandbits(32), 0, 0
        self.heard, self.payloads = [], set()

    def send(self, hertz, to):
        """20 ms of a tone."""
        first, self._phase = self._phase, self._phase + PACKET
        sound = bytes(_compress(int(13000 * math.sin(2 * math.pi * hertz * (first + n) / tone.RATE)))
                      for n in range(PACKET))
        head = struct.pack("!BBHII", 0x80, 0, self._number & 0xFFFF, first & 0xFFFFFFFF, self._ssrc)
        self._number += 1
        self.sock.sendto(head + sound, to)

    def take(self):
        """Keep what has arrived."""
        while select.select([self.sock], [], [], 0)[0]:
            try:
                data = self.sock.recv(2048)
            except ConnectionRefusedError:
                continue
            self.payloads.add(data[1] & 0x7F)
            self.heard += [SAMPLES[code] for code in data[12:]]

    def close(self):
        """Close the socket."""
        self.sock.close()


def talk(sides, seconds=0.4, limit=6.0):
    """Both speak until each has heard `seconds` of sound, at most `limit` seconds.

    sides  two of (Stream, hertz, (host, port) to send to)
    Returns for each the shares (tone.share) of the first one's and of the second one's
    tone in the last `seconds` that it heard; (0.0, 0.0) where it heard less than that.
    """
    need = int(seconds * tone.RATE)
    for stream, _, _ in sides:
        stream.take()
        stream.heard = []
    due = time.monotonic()
    end = due + limit
    while due < end and any(len(stream.heard) < need for stream, _, _ in sides):
        for stream, hertz, to in sides:
            stream.send(hertz, to)
        due += PERIOD
        while (left := due - time.monotonic()) > 0:
            select.select([stream.sock for stream, _, _ in sides], [], [], left)
            for stream, _, _ in sides:
                stream.take()
        for stream, _, _ in sides:
            stream.take()
    tones = [hertz for _, hertz, _ in sides]
    return [tuple(tone.share(stream.heard[-need:], tone.RATE, hertz) if len(stream.heard) >= need else 0.0
                  for hertz in tones) for stream, _, _ in sides]
