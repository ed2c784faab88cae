# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kamailio.cfg with a few lines added: what a user does by hand.

The file is taken from Debian's installed package and compared with the checksum
that dpkg keeps, so an edited /etc cannot colour a result.

Lines go in at an *anchor*, a place that exists exactly once in the stock file
of Kamailio 5.6 to 6.x (asserted on every build):

    top             before everything else: #!define lines
    loadmodule      after the last loadmodule
    modparam        after the last modparam
    first           request_route, before everything else
    request-start   request_route, after the stock checks of route(REQINIT)
    after-auth      request_route, after route(AUTH)
    new-call        request_route, before route(PSTN): only initial requests come here
    before-save     route[REGISTRAR], before save("location")
    failure         failure_route[MANAGE_FAILURE], after the cancel check
    reply           onreply_route[MANAGE_REPLY], first
    end             after everything: route blocks of one's own
"""

import hashlib
import os
import re

from . import server
from .process import ProcessError, run

STOCK = "/etc/kamailio/kamailio.cfg"

# anchor: (regular expression of the line, before or after it)
ANCHORS = {
    "top": (r"^#!KAMAILIO\s*$", "after"),
    "loadmodule": (r"^# -+ setting module-specific parameters -+", "before"),
    "modparam": (r"^####### Routing Logic", "before"),
    "first": (r"^request_route \{", "after"),
    "request-start": (r"^\troute\(REQINIT\);", "after"),
    "after-auth": (r"^\troute\(AUTH\);", "after"),
    "new-call": (r"^\troute\(PSTN\);", "before"),
    "before-save": (r'^\s*if \(!save\("location"\)\)', "before"),
    "failure": (r"^\tif \(t_is_canceled\(\)\) exit;", "after"),
    "reply": (r"^onreply_route\[MANAGE_REPLY\] \{", "after"),
}


def stock_text():
    """The stock file, exactly as the package shipped it; that of a server from elsewhere as it lies there."""
    if not server.from_debian():
        with open(server.config(), encoding="utf-8") as source:
            return source.read()
    listed = run(["dpkg-query", "-W", "-f", "${Conffiles}", "kamailio"], 20).stdout
    found = re.search(rf"^ {re.escape(STOCK)} ([0-9a-f]{{32}})", listed, re.M)
    if not found:
        raise ProcessError(f"dpkg knows no {STOCK}: Debian's package kamailio is missing")
    with open(STOCK, "rb") as source:
        data = source.read()
    if hashlib.md5(data).hexdigest() != found[1]:
        raise ProcessError(f"{STOCK} was edited: reinstall it (apt-get --reinstall -o "
                           "Dpkg::Options::=--force-confnew install kamailio)")
    return data.decode()


def insert(text, anchor, lines):
    """The text with lines added at an anchor."""
    if anchor == "end":
        return f"{text.rstrip()}\n\n{lines.rstrip()}\n"
    if anchor not in ANCHORS:
        raise ValueError(f"no anchor '{anchor}': there are {', '.join(ANCHORS)}, end")
    pattern, side = ANCHORS[anchor]
    places = list(re.finditer(pattern, text, re.M))
    if len(places) != 1:
        raise ProcessError(f"anchor '{anchor}' fits {len(places)} lines of {STOCK}, not one")
    at = places[0].start() if side == "before" else text.index("\n", places[0].end()) + 1
    return f"{text[:at]}{lines.rstrip()}\n{text[at:]}"


def write(path, blocks, database=None, switches=()):
    """Write a stock file with additions; its path.

    blocks    [(anchor, lines)], in the order in which they shall stand
    database  a db1 URL for SQLite: becomes DBURL, as the stock file names it
    switches  WITH_... names to define
    """
    text = stock_text()
    head = "".join(f"#!define {name}\n" for name in switches)
    if database:
        head += f'#!define DBURL "{database}"\n'
        blocks = [("loadmodule", 'loadmodule "db_sqlite.so"'), *blocks]
    # Several blocks at one `after` anchor would come out reversed: join them first.
    joined = {}
    for anchor, lines in [("top", head), *blocks]:
        joined[anchor] = f"{joined[anchor]}\n{lines.rstrip()}" if anchor in joined else lines.rstrip()
    for anchor, lines in joined.items():
        text = insert(text, anchor, lines)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return os.path.abspath(path)
