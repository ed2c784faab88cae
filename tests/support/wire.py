# SPDX-License-Identifier: GPL-2.0-or-later
"""How a telephone writes what it sends: the same message in other clothes.

A test builds its messages with long names, one value a line, and without the
telephone's own proxy. `dress` is the last step before the socket: it adds what the
proxy adds, joins and folds and shortens as the telephone's traits say. All of it is
allowed by RFC 3261, 7.3: nothing that is said may change by it.
"""

import hashlib
import re

COMPACT = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Content-Length": "l",
           "Content-Type": "c", "Supported": "k", "Subject": "s"}
# Whose values are a list (RFC 3261, 7.3.1) and may stand in one line.
LISTS = ("Via", "Route", "Record-Route", "Supported", "Allow", "Contact")
FOLDED = (*LISTS, "From", "To", "Authorization", "Proxy-Authorization")
ADDRESSES = ("From", "To", "Contact", "Route", "Record-Route")


def dress(raw, traits, proxy=None):
    """The bytes to send. `proxy`: host:port of the telephone's own proxy, as it names itself."""
    head, _, body = raw.partition(b"\r\n\r\n")
    start, *lines = head.decode().split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    if proxy:
        headers = _through(proxy, traits.transport, start, headers)
    if traits.headers == "joined":
        headers = _joined(headers)
    if traits.case == "mixed":
        headers = [(name.swapcase(), _mixed(name, value)) for name, value in headers]
    if traits.headers == "compact":
        headers = [(COMPACT.get(_usual(name), name), value) for name, value in headers]
    if traits.headers == "folded":
        headers = [(name, _folded(value) if _usual(name) in FOLDED else value) for name, value in headers]
    text = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{start}\r\n{text}\r\n".encode() + body


def _usual(name):
    """The usual spelling of a header's name."""
    return next((known for known in FOLDED + tuple(COMPACT) if known.lower() == name.lower()), name)


def _values(headers, name):
    return [value for known, value in headers if known == name]


def _through(proxy, transport, start, headers):
    """What the proxy makes of it: its Via, its Record-Route, and its own Route gone."""
    route = ("Record-Route", f"<sip:{proxy};{'transport=tcp;' if transport == 'tcp' else ''}lr>")
    method = _values(headers, "CSeq")[0].split()[1]
    if start.startswith("SIP/2.0 "):
        if method != "INVITE" or start[8:11] == "100" or start[8] > "2":
            return headers
        first = next((at for at, (name, _) in enumerate(headers) if name == "Record-Route"), len(headers))
        return headers[:first] + [route] + headers[first:]
    via = _values(headers, "Via")[0]
    # The same for the same request: an ACK and a CANCEL must match their INVITE.
    branch = hashlib.sha256(re.search(r"branch=([^;,\s]+)", via)[1].encode()).hexdigest()[:16]
    # Its own Route is the first one. Another office's proxy may well have the same private address.
    own = next((at for at, (name, _) in enumerate(headers) if name == "Route"), None)
    if own is not None and headers[own][1].lower() == route[1]:
        headers = headers[:own] + headers[own + 1:]
    added = [("Via", f"{via.split()[0]} {proxy};rport;branch=z9hG4bK{branch}")]
    return added + ([route] if method == "INVITE" else []) + headers


def _joined(headers):
    """Each list in one line."""
    joined = []
    for name, value in headers:
        if name in LISTS:
            if name in (known for known, _ in joined):
                continue
            value = ", ".join(_values(headers, name))
        joined.append((name, value))
    return joined


def _mixed(name, value):
    """Capitals: scheme, transport, names of parameters. Not in a tag, a branch, a user part."""
    if name == "Via":
        value = re.sub(r"(?<=SIP/2\.0/)\w+", lambda found: found[0].lower(), value)
    if name in ("Authorization", "Proxy-Authorization"):
        return re.sub(r"^Digest", "DIGEST", value)
    if name in ADDRESSES:
        value = re.sub(r"<sip:", "<SIP:", value)
        value = re.sub(r"(?<=;transport=)\w+", lambda found: found[0].upper(), value)
    if name in ADDRESSES + ("Via",):
        # Route values come back as they were given: they are compared as URIs, parameter names without case.
        value = re.sub(r";(rport|branch|tag|transport|expires|reg-id)\b", lambda found: found[0].upper(), value)
    return value


def _folded(value):
    """A line end and a space before each parameter outside of <> and quotes, and after each comma of a list."""
    folded, quoted, depth = "\r\n ", False, 0
    for char in value:
        if char == '"':
            quoted = not quoted
        elif not quoted:
            depth += {"<": 1, ">": -1}.get(char, 0)
            if char == ";" and not depth:
                folded += "\r\n\t"
        folded += char
        if char == "," and not quoted and not depth:
            folded += "\r\n "
    return folded
