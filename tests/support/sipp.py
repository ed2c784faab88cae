# SPDX-License-Identifier: GPL-2.0-or-later
"""SIPp runs, bounded in calls and in time, and what came of them.

Scenarios are in support/scenarios/. A run's counters come from SIPp's own
statistics file (-trace_stat); the answers it got, from its message trace, which
is parsed by `sip.Message` and not by the scenario that is under judgement.
"""

import csv
import os
import re

from . import ports, sip
from .process import Process, eventually

START_SECONDS = 10
SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")


class Sipp(Process):
    """One SIPp.

    scenario  a name in support/scenarios/, without .xml
    server    (host, port) to send to; None for a server scenario
    calls     how many calls, then it ends by itself
    seconds   after which it ends in any case
    keys      {name: value} for [name] in the scenario
    words     {name: text} for %name% in the scenario, where SIPp takes no [name]: a status line
    echo      send back the RTP that comes in
    fields    lines of the injection file: each call takes the next ([field0] ...)
    """

    def __init__(self, run_dir, scenario, server=None, host=ports.OFFICE, port=None, calls=1, rate=10,
                 at_once=1, seconds=30, keys=None, words=None, fields=(), name=None, media_port=None,
                 echo=False):
        self.name = name or f"sipp-{scenario}"
        self.folder = os.path.join(run_dir, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.host, self.port = host, port or ports.port()
        self.calls, self.seconds = calls, seconds
        argv = ["sipp", "-sf", self._scenario(scenario, words or {}), "-i", host, "-p", self.port,
                "-mi", host, "-mp", media_port or ports.block(4), "-m", calls, "-r", rate, "-l", at_once,
                "-timeout", seconds, "-timeout_error", "-nostdin", "-nd", "-recv_timeout", 5000,
                "-trace_stat", "-stf", "stat.csv", "-fd", 1, "-trace_msg", "-message_file", "messages.log",
                "-trace_err", "-error_file", "errors.log"]
        for key, value in (keys or {}).items():
            argv += ["-key", key, value]
        if fields:
            with open(os.path.join(self.folder, "fields.csv"), "w", encoding="utf-8") as out:
                out.write("SEQUENTIAL\n" + "".join(f"{line}\n" for line in fields))
            argv += ["-inf", "fields.csv"]
        if echo:
            argv.append("-rtp_echo")
        if server:
            argv.append(f"{server[0]}:{server[1]}")
        super().__init__(self.name, argv, os.path.join(self.folder, "log"), cwd=self.folder)

    def _scenario(self, name, words):
        """A copy of the scenario with the words put in."""
        with open(os.path.join(SCENARIOS, f"{name}.xml"), encoding="utf-8") as source:
            text = source.read()
        for word, value in words.items():
            text = text.replace(f"%{word}%", value)
        path = os.path.join(self.folder, f"{name}.xml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def start(self):
        """Start and wait until its SIP port is bound."""
        super().start()
        try:
            if not eventually(lambda: not self.alive or ports.bound(self.port), START_SECONDS):
                raise self.error("its SIP port is not there")
            if not self.alive and self.child.returncode:
                raise self.error(f"ended at start with status {self.child.returncode}")
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def uri(self):
        """Its SIP URI, for a trunk."""
        return f"sip:{self.host}:{self.port}"

    def finish(self):
        """Wait for its end; its exit status: 0 = every call went by the scenario."""
        return self.wait(self.seconds + 10)

    def stats(self):
        """The last line of its statistics: {column: value}."""
        with open(os.path.join(self.folder, "stat.csv"), encoding="utf-8", errors="replace") as source:
            rows = list(csv.reader(source, delimiter=";"))
        return dict(zip(rows[0], rows[-1]))

    def good(self):
        """(successful, failed) calls."""
        last = self.stats()
        return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])

    def messages(self, received=True):
        """The messages of its trace, oldest first."""
        path = os.path.join(self.folder, "messages.log")
        if not os.path.exists(path):
            return []
        with open(path, "rb") as source:
            text = source.read()
        found = re.findall(rb"message (received|sent) [^\n]*:\n\n(.*?)(?=\n-{20,}|\Z)", text, re.S)
        wanted = b"received" if received else b"sent"
        return [sip.Message(re.sub(rb"\r?\n", b"\r\n", raw)) for kind, raw in found if kind == wanted]

    def finals(self, method="INVITE"):
        """(status, reason, Call-ID) of each first final response to a method, in order of arrival."""
        seen, out = set(), []
        for message in self.messages():
            if (message.is_response and message.status >= 200 and message.status not in (401, 407)
                    and message.cseq[1] == method and message.callid not in seen):
                seen.add(message.callid)
                out.append((message.status, message.reason, message.callid))
        return out

    def requests(self, method="INVITE"):
        """Distinct Call-IDs of the requests of a method that reached it, in order."""
        return list(dict.fromkeys(m.callid for m in self.messages() if m.method == method))
