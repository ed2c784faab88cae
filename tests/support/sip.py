# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw SIP: messages as bytes that a test can shape at will, and the sockets for them.

Deliberately no stack: nothing is corrected, completed or retransmitted unless
the caller asks, because half of the tests send what a stack never would.
Digest follows RFC 2617, RFC 7616 (SHA-256) and RFC 8760 (several challenges).
"""

import hashlib
import itertools
import os
import re
import secrets
import select
import socket
import time

from . import ports

DEADLINE = 5.0
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
           "c": "content-type", "k": "supported", "s": "subject", "e": "content-encoding"}
TAG = re.compile(r";\s*tag=([^;>\s]+)", re.I)
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_numbers = itertools.count(1)


def token(prefix=""):
    """A fresh identifier: tag, branch, Call-ID."""
    return f"{prefix}{secrets.token_hex(6)}{next(_numbers)}"


def branch():
    """A fresh RFC 3261 branch."""
    return token("z9hG4bK")


# -- messages ---------------------------------------------------------------

class Message:
    """A parsed message. Header names are matched without case, compact forms too."""

    def __init__(self, raw, source=None, sock=None):
        self.raw, self.source, self.sock = raw, source, sock    # whence it came, and to which socket
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))
        parts = self.start.split(" ", 2)
        self.is_response = self.start.startswith("SIP/2.0 ")
        self.status = int(parts[1]) if self.is_response else None
        self.reason = parts[2] if self.is_response and len(parts) > 2 else ""
        self.method = None if self.is_response else parts[0]
        self.uri = parts[1] if not self.is_response and len(parts) > 1 else None

    def all(self, name):
        """Every value of a header, in order."""
        return [value for known, value in self.headers if known == name.lower()]

    def get(self, name, default=None):
        """The first value of a header."""
        values = self.all(name)
        return values[0] if values else default

    @property
    def callid(self):
        """The Call-ID."""
        return self.get("call-id")

    @property
    def cseq(self):
        """(number, method) of the CSeq header."""
        number, _, method = (self.get("cseq") or "0 ").partition(" ")
        return int(number), method.strip()

    def tag(self, name):
        """The tag of From or To."""
        found = TAG.search(self.get(name) or "")
        return found[1] if found else None

    def contact_uris(self):
        """The URIs of all Contact headers."""
        values = [re.sub(r'"[^"]*"', "", value) for value in self.all("contact")]
        return [uri for value in values for uri in re.findall(r"<([^>]+)>", value) or [value.partition(";")[0].strip()]]

    def __repr__(self):
        return f"<{self.start} | {self.callid}>"


def build(start, headers, body=b""):
    """Bytes of a message; `headers` is a list of (name, value). Adds Content-Length when missing."""
    if isinstance(body, str):
        body = body.encode()
    headers = list(headers)
    if not any(name.lower() in ("content-length", "l") for name, _ in headers):
        headers.append(("Content-Length", str(len(body))))
    text = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{start}\r\n{text}\r\n".encode() + body


def with_header(raw, name, value):
    """The same bytes with one header replaced (all of that name), added, or, by None, removed."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    keep = [line for line in lines[1:]
            if line.partition(b":")[0].strip().lower() != name.lower().encode()]
    added = [] if value is None else [f"{name}: {value}".encode()]
    place = 1 if name.lower() == "via" else len(keep) + 1
    out = [lines[0], *keep]
    out[place:place] = added
    return b"\r\n".join(out) + b"\r\n\r\n" + body


def sdp(host, port, codecs=(("0", "PCMU"), ("8", "PCMA")), profile="RTP/AVP", direction="sendrecv"):
    """A plain one-stream offer or answer."""
    maps = "".join(f"a=rtpmap:{number} {name}/8000\r\n" for number, name in codecs)
    return (f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} {profile} {' '.join(n for n, _ in codecs)}\r\n{maps}a={direction}\r\n").encode()


def media_of(body):
    """(address, port) of the first audio stream of an SDP."""
    text = body.decode("utf-8", "replace")
    port = re.search(r"^m=audio (\d+)", text, re.M)
    host = re.search(r"^c=IN IP[46] (\S+)", text, re.M)
    return (host[1] if host else None), (int(port[1]) if port else None)


# -- digest -----------------------------------------------------------------

def challenge(value):
    """The parameters of a WWW-Authenticate or Proxy-Authenticate value."""
    found = re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', value.partition(" ")[2])
    return {name.lower(): quoted or plain for name, quoted, plain in found}


def is_stale(response):
    """Does a challenge ask for the same credentials with its new nonce?"""
    return any(challenge(value).get("stale", "").lower() == "true"
               for name in ("www-authenticate", "proxy-authenticate") for value in response.all(name))


def digest(params, method, uri, user, password, count=1, cnonce=None, body=b"", use_qop=True):
    """The value of the Authorization that answers a challenge."""
    algorithm = params.get("algorithm", "MD5").upper()
    make = HASHES[algorithm]

    def hexed(*parts):
        return make(":".join(parts).encode()).hexdigest()

    offered = [one.strip() for one in params.get("qop", "").split(",") if one.strip()]
    qop = ("auth" if "auth" in offered else offered[0]) if offered and use_qop else None
    first = hexed(user, params["realm"], password)
    second = hexed(method, uri)
    if qop == "auth-int":
        second = hexed(method, uri, make(body).hexdigest())
    fields = [f'username="{user}"', f'realm="{params["realm"]}"', f'nonce="{params["nonce"]}"',
              f'uri="{uri}"', f"algorithm={algorithm}"]
    if qop:
        cnonce = cnonce or secrets.token_hex(8)
        counter = f"{count:08x}"
        response = hexed(first, params["nonce"], counter, cnonce, qop, second)
        fields += [f"qop={qop}", f"nc={counter}", f'cnonce="{cnonce}"']
    else:
        response = hexed(first, params["nonce"], second)
    fields.append(f'response="{response}"')
    if "opaque" in params:
        fields.append(f'opaque="{params["opaque"]}"')
    return "Digest " + ", ".join(fields)


def pick_challenge(response, algorithm=None):
    """(header to answer with, parameters): the wanted algorithm, else the first that we know."""
    for asked, answer in (("www-authenticate", "Authorization"),
                          ("proxy-authenticate", "Proxy-Authorization")):
        for value in response.all(asked):
            params = challenge(value)
            name = params.get("algorithm", "MD5").upper()
            if name == algorithm or (algorithm is None and name in HASHES):
                return answer, params
    raise AssertionError(f"no usable challenge in {response!r}: {response.headers}")


# -- sockets ----------------------------------------------------------------

class Endpoint:
    """One local SIP address. UDP; or TCP, connected to `server`.

    claimed   (host, port) that it takes for its own and writes into Via: what a client behind a NAT knows
    listen    (host, port) of a second UDP socket: where its Contact says that it listens
    rport     does its Via ask for the port (RFC 3581)?
    dress     function from the bytes of a message, and whether they leave by the second socket, to those to send
    """

    def __init__(self, server, host=ports.OFFICE, port=0, transport="udp", claimed=None, listen=None, rport=True,
                 dress=None):
        self.server, self.transport = server, transport
        self._inbox, self._stream = [], b""
        self.seen = []
        self._rport, self._dress, self._second = rport, dress, None
        if transport == "udp":
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((host, port))
        else:
            self.sock = socket.create_connection(server, DEADLINE, (host, port))
        if listen:
            self._second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._second.bind(listen)
        self.host, self.port = self.sock.getsockname()
        self.claimed = claimed or (self.host, self.port)

    @property
    def where(self):
        """host:port of this end."""
        return f"{self.host}:{self.port}"

    def via(self, own_branch=None):
        """A Via value for a new request."""
        host, port = self.claimed
        return (f"SIP/2.0/{self.transport.upper()} {host}:{port}{';rport' if self._rport else ''}"
                f";branch={own_branch or branch()}")

    def send(self, raw, to=None, sock=None):
        """Send the bytes, as they are if the endpoint has no `dress`. `sock`: the one that a request came to."""
        if self._dress:
            raw = self._dress(raw, sock is not None and sock is self._second)
        if self.transport == "udp":
            (sock or self.sock).sendto(raw, to or self.server)
        else:
            self.sock.sendall(raw)

    def _take(self, seconds):
        """One more message from the socket, or None."""
        sockets = [one for one in (self.sock, self._second) if one]
        ready = select.select(sockets, [], [], max(0.0, seconds))[0]
        if not ready:
            return None
        if self.transport == "udp":
            try:
                data, source = ready[0].recvfrom(1 << 16)
            except ConnectionRefusedError:
                return None
            return Message(data, source, ready[0]) if data.strip() else None
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the peer closed the TCP connection")
        self._stream += data
        return self._cut()

    def _cut(self):
        """A complete message off the TCP stream, or None."""
        self._stream = self._stream.lstrip(b"\r\n")        # keepalives (RFC 5626, 3.5.1)
        head, found, rest = self._stream.partition(b"\r\n\r\n")
        if not found:
            return None
        size = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)[1])
        if len(rest) < size:
            return None
        self._stream = rest[size:]
        return Message(head + b"\r\n\r\n" + rest[:size], self.server)

    def expect(self, wanted, seconds=DEADLINE):
        """The first message that `wanted` accepts; others stay for later calls. None in vain."""
        for index, message in enumerate(self._inbox):
            if wanted(message):
                return self._inbox.pop(index)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            message = self._cut() if self._stream else None
            message = message or self._take(left)
            if message is None:
                continue
            self.seen.append(message)
            if wanted(message):
                return message
            self._inbox.append(message)
        return None

    def final(self, callid, cseq, seconds=DEADLINE):
        """The final response to a request of ours, or None."""
        return self.expect(lambda m: m.is_response and m.status >= 200 and m.callid == callid
                           and m.cseq == cseq, seconds)

    def any_answer(self, callid, seconds=DEADLINE):
        """Whatever response comes first for a Call-ID, or None."""
        return self.expect(lambda m: m.is_response and m.callid == callid, seconds)

    def request(self, method, seconds=DEADLINE):
        """The next request of a method that reaches us, or None."""
        return self.expect(lambda m: m.method == method, seconds)

    def reply(self, request, status, reason, headers=(), body=b"", tag=None):
        """Answer a request that reached us, to where it came from."""
        own = [(name.title() if name != "call-id" else "Call-ID", value)
               for name, value in request.headers
               if name in ("via", "record-route", "from", "to", "call-id", "cseq")]
        if tag:
            own = [(name, value if name != "To" or TAG.search(value) else f"{value};tag={tag}")
                   for name, value in own]
        own = [("CSeq" if name == "Cseq" else name, value) for name, value in own]
        self.send(build(f"SIP/2.0 {status} {reason}", [*own, *headers], body), request.source, request.sock)

    def close(self):
        """Close the sockets."""
        self.sock.close()
        if self._second:
            self._second.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ping(server, seconds=1.0, host=ports.HOME):
    """An OPTIONS to the server itself: the response, or None."""
    with Endpoint(server, host) as end:
        callid = token("ping")
        end.send(build(f"OPTIONS sip:{server[0]}:{server[1]} SIP/2.0", [
            ("Via", end.via()), ("Max-Forwards", "10"),
            ("From", f"<sip:ping@{end.host}>;tag={os.getpid()}"), ("To", f"<sip:{server[0]}:{server[1]}>"),
            ("Call-ID", callid), ("CSeq", "1 OPTIONS"), ("Contact", f"<sip:ping@{end.where}>")]))
        return end.any_answer(callid, seconds)
