# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP as somebody on the wire sees it: UDP payloads on the loopback interface.

Needs root, or the capability to open a packet socket. The loopback interface
shows each packet twice, leaving and arriving; only arriving ones are taken. The
kernel keeps what concerns the server and nothing else, so that a busy machine
does not push it out of the socket's buffer.
"""

import ctypes
import select
import socket
import struct
import time

from . import sip

ETH_P_IP = 0x0800
UDP = 17
SO_ATTACH_FILTER = 26


def only_to(port):
    """A classic BPF program (bpf(4)) for packets that begin with IPv4: UDP to this port."""
    return [
        (0x30, 0, 0, 9),            # A = protocol
        (0x15, 0, 4, UDP),
        (0xb1, 0, 0, 0),            # X = length of the IP header
        (0x48, 0, 0, 2),            # A = destination port
        (0x15, 0, 1, port),
        (0x06, 0, 0, 0x40000),      # take it all
        (0x06, 0, 0, 0),            # leave it
    ]


class Sniffer:
    """Listens to UDP packets for one (host, port)."""

    def __init__(self, server):
        self.server = server
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        code = b"".join(struct.pack("HBBI", *one) for one in only_to(server[1]))
        kept = ctypes.create_string_buffer(code)
        program = struct.pack("HP", len(code) // 8, ctypes.addressof(kept))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        self.sock.bind(("lo", ETH_P_IP))

    def _payload(self, packet):
        """(source, payload) of a UDP packet for the server, else None."""
        length = (packet[0] & 15) * 4
        if packet[9] != UDP or len(packet) < length + 8:
            return None
        _, port, size = struct.unpack("!HHH", packet[length:length + 6])
        if (socket.inet_ntoa(packet[16:20]), port) != self.server:
            return None
        source = socket.inet_ntoa(packet[12:16]), struct.unpack("!H", packet[length:length + 2])[0]
        return source, packet[length + 8:length + size]

    def wait(self, wanted, seconds=10):
        """The first message that `wanted` accepts, or None."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left)[0]:
                break
            packet, address = self.sock.recvfrom(1 << 16)
            found = self._payload(packet) if address[2] != socket.PACKET_OUTGOING else None
            if found and found[1].strip():
                message = sip.Message(found[1], found[0])
                if wanted(message):
                    return message
        return None

    def register_of(self, user, seconds=10):
        """The next REGISTER of a user that carries credentials, or None."""
        return self.wait(lambda m: m.method == "REGISTER" and m.get("authorization")
                         and f'username="{user}"' in m.get("authorization"), seconds)

    def close(self):
        """Close the socket."""
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
