# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute alone between one caller and any number of scripted trunks.

    routing = Routing(folder, [Trunk("a", price=1), Trunk("b", price=2, probe_interval=1)])
    with routing:
        routing.ends["a"].invite = (503,)
        routing.call("+4930123")

No registrar, no accounts unless `sql` adds some: who sends INVITE gets a route
by plan "default", and $callroute(...) of each attempt is in the log. A trunk's
far end answers by itself, by the attributes that a test sets at any time.
"""

import os
import select
import socket
import threading
import time

from . import ports, sip, testcfg
from .agent import Agent
from .kamailio import Kamailio
from .process import eventually
from .stack import complaints_of, create_database, execute

REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 404: "Not Found",
           405: "Method Not Allowed", 408: "Request Timeout", 480: "Temporarily Unavailable", 486: "Busy Here",
           487: "Request Terminated", 500: "Server Internal Error", 503: "Service Unavailable"}
PREFIXES = ("49", "44", "1")

CFG = testcfg.head("kex", "htable", "corex", listen=["tcp:127.0.0.1:{port}"], more="""
{dialog}modparam("dialog", "enable_stats", 1)
modparam("htable", "htable", "seen=>size=4;")
modparam("callroute", "probe_from", "sip:prober@probes.test")
""") + testcfg.REQUEST + testcfg.start() + """
    record_route();
    {before}
    callroute_select("default");
    $var(code) = $rc;
    if ($var(code) < 0) {{
        sl_send_reply("480", "$callroute(reason) $var(code)");
        exit;
    }}
    xlog("L_NOTICE", "trunk-try trunk=$callroute(trunk) attempt=$callroute(attempt)\\n");
    t_on_failure("NEXT");
    t_relay();
}}

failure_route[NEXT] {{
    if (t_is_canceled()) exit;
    callroute_next();
    if ($rc > 0) {{
        xlog("L_NOTICE", "trunk-try trunk=$callroute(trunk) attempt=$callroute(attempt)\\n");
        t_on_failure("NEXT");
        t_relay();
    }}
}}
{routes}
"""


class Trunk:
    """A row of callroute_trunk with its rates: `price` is micro-units a minute to every prefix."""

    def __init__(self, name, price=1000, transport="udp", uri=None, **columns):
        self.name, self.price, self.transport, self.uri = name, price, transport, uri
        self.columns = columns
        self.port = ports.port()

    def sql(self, key):
        """The statements of carrier, deck, rates, trunk and plan entry number `key`."""
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        row = {"id": key, "carrier_id": key, "name": self.name, "try_timeout_ms": 500,
               "uri": self.uri or f"sip:{ports.TRUNKS}:{self.port}{suffix}", **self.columns}
        values = ", ".join(repr(value) for value in row.values())
        yield f"INSERT INTO callroute_carrier (id, name) VALUES ({key}, '{self.name}-carrier')"
        yield f"INSERT INTO callroute_deck (id, name) VALUES ({key}, '{self.name}')"
        for prefix in PREFIXES:
            yield f"INSERT INTO callroute_rate (deck_id, prefix, price) VALUES ({key}, '{prefix}', {self.price})"
        yield f"INSERT INTO callroute_trunk ({', '.join(row)}) VALUES ({values})"
        yield f"INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) VALUES (1, {key}, {key})"


class FarEnd:
    """What stands behind a trunk: a thread that answers by its attributes and keeps what came.

    options  status for OPTIONS, None = silence
    invite   statuses for INVITE one after the other; () = silence; the last may be provisional
    """

    def __init__(self, port, transport="udp", host=ports.TRUNKS):
        self.options, self.invite = 200, (180, 200)
        self.requests = []
        self._change = threading.Condition()
        self._over = False
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self._sock = socket.socket(socket.AF_INET, kind)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sock.bind((host, port))
        self._streams = {}
        if transport != "udp":
            self._sock.listen(8)
        self.where = "%s:%d" % self._sock.getsockname()
        self._udp = transport == "udp"
        self._thread = threading.Thread(target=self._run, name=f"far end {self.where}", daemon=True)
        self._thread.start()

    def stop(self):
        """End the thread and close the sockets."""
        self._over = True
        self._thread.join(5)
        for one in (*self._streams, self._sock):
            one.close()

    def got(self, method, since=0):
        """The requests of a method, retransmissions left out, from number `since` on."""
        with self._change:
            found = {}
            for one in self.requests:
                if one.method == method:
                    found.setdefault((one.callid, one.cseq, one.get("via")), one)
            return list(found.values())[since:]

    def wait(self, method, count=1, seconds=10.0):
        """Wait until `count` requests of a method came: all of them. Fails in vain."""
        with self._change:
            self._change.wait_for(lambda: len(self._count(method)) >= count, seconds)
        found = self.got(method)
        assert len(found) >= count, f"{self.where} got {len(found)} {method}, not {count}"
        return found

    def _count(self, method):
        return {(one.callid, one.cseq, one.get("via")) for one in self.requests if one.method == method}

    def reply(self, request, status, headers=()):
        """Answer a request that came."""
        body = b""
        own = [(name if name == "call-id" else name, value) for name, value in request.headers
               if name in ("via", "record-route", "from", "to", "call-id", "cseq")]
        own = [(name, f"{value};tag=far{self.where[-5:]}" if name == "to" and ";tag=" not in value else value)
               for name, value in own]
        if request.method == "INVITE" and status == 200:
            headers = [("Contact", f"<sip:far@{self.where}>"), ("Content-Type", "application/sdp"), *headers]
            body = sip.sdp(ports.TRUNKS, 5000)
        raw = sip.build(f"SIP/2.0 {status} {REASONS.get(status, 'Reply')}", [*own, *headers], body)
        if self._udp:
            self._sock.sendto(raw, request.source)
        else:
            request.source.sendall(raw)

    def _take(self, message):
        with self._change:
            self.requests.append(message)
            self._change.notify_all()
        if message.is_response:
            return
        statuses = {"OPTIONS": (self.options,) if self.options else (), "INVITE": self.invite,
                    "ACK": ()}.get(message.method, (200,))
        for status in statuses:
            self.reply(message, status)
        if message.method == "CANCEL":
            for invite in self.got("INVITE"):
                if invite.callid == message.callid and invite.get("via") == message.get("via"):
                    self.reply(invite, 487)

    def _run(self):
        while not self._over:
            for sock in select.select([self._sock, *self._streams], [], [], 0.05)[0]:
                if self._udp:
                    data, source = sock.recvfrom(1 << 16)
                    if data.strip():
                        self._take(sip.Message(data, source))
                elif sock is self._sock:
                    self._streams[sock.accept()[0]] = b""
                else:
                    self._read_stream(sock)

    def _read_stream(self, sock):
        data = sock.recv(1 << 16)
        if not data:
            del self._streams[sock]
            sock.close()
            return
        *whole, self._streams[sock] = (self._streams[sock] + data).split(b"\r\n\r\n")
        for one in whole:      # OPTIONS and ACK have no body, and no more is asked over TCP here
            self._take(sip.Message(one + b"\r\n\r\n", sock))


class Routing:
    """A Kamailio with callroute alone, its trunks, and callers.

    trunks   Trunk rows; each has a far end in `ends` by its name, but those with a `uri` of their own
    plan     more columns of plan "default"
    sql      more statements
    params   more modparams, as text
    before   script before callroute_select()
    routes   more routes, as text
    cfg      the whole file instead of CFG: takes {port} {second} {database} {params}
    """

    def __init__(self, folder, trunks, plan=None, sql=(), params="", before="", routes="", dialog=False,
                 cfg=CFG, wrap=None, **how):
        self.folder, self.trunks = str(folder), trunks
        os.makedirs(self.folder, exist_ok=True)
        self.port, self.second = ports.port(), ports.port()
        self.server = (ports.HOME, self.port)
        columns = {"id": 1, "name": "default", "max_attempts": 8, **(plan or {})}
        rows = [f"INSERT INTO callroute_plan ({', '.join(columns)}) VALUES "
                f"({', '.join(repr(value) for value in columns.values())})"]
        for key, trunk in enumerate(trunks, 1):
            rows += trunk.sql(key)
        self.database = create_database(os.path.join(self.folder, "routes.sqlite"), demo=False, sql=[*rows, *sql])
        path = os.path.join(self.folder, "routing.cfg")
        with open(path, "w", encoding="utf-8") as out:
            out.write(cfg.format(port=self.port, second=self.second, database=self.database, params=params,
                                 before=before, routes=routes, dialog="" if dialog else "#"))
        self.kamailio = Kamailio(path, self.folder, self.port, **how)
        if wrap:
            self.kamailio.argv = [*wrap, *self.kamailio.argv]
        self.ends, self._open = {}, []

    def __enter__(self):
        for trunk in self.trunks:
            if trunk.uri is None:
                self.ends[trunk.name] = FarEnd(trunk.port, trunk.transport)
        try:
            self.kamailio.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind, *_):
        complaints = complaints_of(self.kamailio)
        self._close()
        if complaints and kind is None:
            raise self.kamailio.error("; ".join(complaints))

    def _close(self):
        for one in (*self.ends.values(), *self._open):
            (one.stop if hasattr(one, "stop") else one.close)()
        self._open = []

    def keep(self, thing):
        """Stop or close `thing` at the end."""
        self._open.append(thing)
        return thing

    # -- rows -----------------------------------------------------------------

    def sql(self, *statements):
        """Run statements on the database; the rows of the last one."""
        return execute(self.database, *statements)

    def reload(self):
        """Load the tables again and wait for it; fails when the load was refused."""
        ticket = self.rpc("callroute.reload")["ticket"]
        assert eventually(lambda: self.rpc("callroute.status")["last_load"]["ticket"] >= ticket, 10)
        load = self.rpc("callroute.status")["last_load"]
        assert load["result"] == "published", load

    # -- what it says -----------------------------------------------------------

    def rpc(self, *words):
        """An RPC's result."""
        return self.kamailio.rpc(*words)

    def trunk(self, name):
        """The trunk's row of callroute.list_trunks."""
        return next(row for row in self.rpc("callroute.list_trunks") if row["trunk"] == name)

    def becomes(self, name, column, value, seconds=15):
        """Wait until a trunk's column shows the value."""
        assert eventually(lambda: self.trunk(name)[column] == value, seconds), self.trunk(name)

    def stats(self, name):
        """The trunk's row of callroute.stats."""
        return next(row for row in self.rpc("callroute.stats")["trunks"] if row["trunk"] == name)

    # -- calls ------------------------------------------------------------------

    def agent(self, user="4989111", host=ports.OFFICE):
        """A caller; nobody asks for credentials."""
        return self.keep(Agent(self.server, user, "caller.test", "", host))

    def call(self, number="+4930123456", agent=None, hang_up=True, **how):
        """One call: (Answer, names of the trunks that were tried, in order)."""
        agent = agent or self.agent()
        mark = self.kamailio.mark()
        answer = agent.invite(f"sip:{number}@127.0.0.1", **{"seconds": 15, **how})
        if answer.status == 200:
            dialog = agent.dialog(answer)
            dialog.ack()
            if hang_up:
                assert dialog.bye().status == 200
        return answer, self.tried(mark)

    def tried(self, mark):
        """The trunks tried since a mark of the log."""
        return [line.partition("trunk=")[2].split()[0] for line in self.kamailio.grep("trunk-try ", mark)]


def seconds_of(function):
    """(what the function returned, how long it took)."""
    start = time.monotonic()
    return function(), time.monotonic() - start
