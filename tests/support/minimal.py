# SPDX-License-Identifier: GPL-2.0-or-later
"""callroute's smallest configurations, run as they are shipped: trunks with far ends, telephones, a caller.

    with Minimal(folder, "callroute", [Trunk("one")], sql) as server:
        caller, raw = server.dial("030123456")
        outcome = final(caller, raw)        a dialog, or the status of a refusal

smallest() only writes one of any module, for a test that starts it by itself.
"""

import os

from . import kamailio, ports, sip, stack as stack_
from .agent import Agent, Answer, ack
from .inbound import insert
from .routing import FarEnd

NUMBER, DIALLED = "+4930123456", "030123456"


def smallest(folder, module, more="", route=None):
    """The module's smallest configuration with these lines before its route, or with another route: path, env, port.

    Its database has the demo rows.
    """
    with open(os.path.join(kamailio.ROOT, "cfg", "minimal", f"{module}.cfg"), encoding="utf-8") as source:
        head, _, rest = source.read().partition("request_route {")
    path, port = os.path.join(str(folder), f"{module}.cfg"), ports.port()
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"{head}{more}\n" + (route or "request_route {" + rest))
    database = os.path.join(str(folder), f"{module}.sqlite")
    if not os.path.exists(database):
        stack_.create_database(database)
    return path, stack_.environment(str(folder), database, port, switches=()), port


class Minimal:
    """cfg/minimal/<example>.cfg with a database of these rows, and plan "default" with these trunks.

    env   more variables of the configuration
    wrap  what the server's command line is prefixed with
    """

    def __init__(self, folder, example, trunks, sql=(), env=None, wrap=()):
        self.port, self.trunks = ports.port(), trunks
        rows = [insert("callroute_plan", id=1, name="default", max_attempts=8)]
        for key, trunk in enumerate(trunks, 1):
            rows += trunk.sql(key)
        database = stack_.create_database(os.path.join(folder, "minimal.sqlite"), demo=False, sql=[*rows, *sql])
        path = os.path.join(folder, f"{example}.cfg")
        with open(os.path.join(kamailio.ROOT, "cfg", "minimal", f"{example}.cfg"), encoding="utf-8") as source:
            text = source.read()
        with open(path, "w", encoding="utf-8") as out:
            out.write(text + '\nloadmodule "jsonrpcs.so"\n')        # by which we see that it is up
        env = {**stack_.environment(str(folder), database, self.port, switches=()), **(env or {})}
        self.server = kamailio.Kamailio(path, str(folder), self.port, env=env, answers_options=False)
        self.server.argv = [*wrap, *self.server.argv]
        self.ends, self._open = {}, []

    def __enter__(self):
        self.ends = {trunk.name: FarEnd(trunk.port) for trunk in self.trunks}
        try:
            self.server.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind, *_):
        complaints = stack_.complaints_of(self.server)
        self._close()
        if kind is None and complaints:
            raise self.server.error("\n".join(complaints))

    def _close(self):
        for one in self._open:
            one.close()
        for end in self.ends.values():
            end.stop()

    def phone(self):
        """A place where a call may ring, and that is not here."""
        self._open.append(sip.Endpoint(None, ports.FOREIGN))
        return self._open[-1]

    def caller(self, host=ports.OFFICE):
        """A telephone that calls; nobody asks for credentials."""
        self._open.append(Agent(self.server.address, "4989111", "caller.test", "", host))
        return self._open[-1]

    def dial(self, number=DIALLED, host=ports.OFFICE, uri=None):
        """Send an INVITE: (caller, its bytes)."""
        caller = self.caller(host)
        raw = caller.message("INVITE", uri or f"sip:{number}@{ports.HOME}", [("Content-Type", "application/sdp")],
                             sip.sdp(host, 4000))
        caller.end.send(raw)
        return caller, raw

    def called(self, name="one"):
        """The numbers that a trunk was asked for."""
        return [one.uri.partition(":")[2].partition("@")[0] for one in self.ends[name].got("INVITE")]


def final(caller, raw):
    """What comes of an INVITE: the dialog, acknowledged, or the refusal as an Answer."""
    sent = sip.Message(raw)
    response = caller.end.final(sent.callid, sent.cseq, 15)
    assert response is not None, "no final response"
    if response.status >= 300:
        caller.end.send(ack(sent, response))
        return Answer(response, raw)
    dialog = caller.dialog(Answer(response, raw))
    dialog.ack()
    return dialog
