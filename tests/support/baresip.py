# SPDX-License-Identifier: GPL-2.0-or-later
"""A real telephone: Debian's baresip, told what to do over its ctrl_tcp.

Each has a folder of its own with `config` and `accounts`. It plays the tone of
its WAV as microphone and dumps what it decodes of each call into
`rec/dump-*-dec.wav`: what a listener would have heard. The path is relative to its
working directory: under a long name baresip writes no dump.

ctrl_tcp speaks netstrings of JSON: commands with a token, responses with the
same token, and events (CALL_ESTABLISHED ...), which are what we wait for.
`stdio` stays out: there is no terminal. The TLS listener takes the SIP port + 1,
so the ports are given out in pairs (support/ports.py).
"""

import glob
import json
import os
import select
import socket
import time

from . import ports, tone
from .process import Process, eventually, run

START_SECONDS = 15

CONFIG = """\
poll_method             epoll
sip_listen              {host}:{sip}
net_interface           {host}
call_max_calls          4
call_local_timeout      60
audio_path              {folder}
audio_source            aufile,{wav}
audio_player            aubridge,none
audio_channels          1
ausrc_srate             8000
auplay_srate            8000
rtp_ports               {rtp_first}-{rtp_last}
rtcp_mux                no
jitter_buffer_delay     1-5
module_path             {modules}
module                  g711.so
module                  aufile.so
module                  aubridge.so
module                  sndfile.so
{extra}module_tmp              uuid.so
module_tmp              account.so
module_app              menu.so
module_app              ctrl_tcp.so
ctrl_tcp_listen         {host}:{ctrl}
snd_path                rec
"""
RTP_PORTS = 20


def modules_folder():
    """Where the package keeps baresip's modules."""
    for line in run(["dpkg-query", "-L", "baresip-core"], 20).stdout.splitlines():
        if line.endswith("/g711.so"):
            return os.path.dirname(line)
    raise AssertionError("Debian's package baresip-core is not installed: tests/packages.sh demo")


class Baresip(Process):
    """A running baresip with one account.

    modules   more of its modules, such as "srtp.so"
    account   more account parameters, such as ";mediaenc=srtp-mand"
    space     the network that it lives in (lab.Namespace); None: ours
    """

    def __init__(self, run_dir, user, domain, password, proxy, hertz, host=ports.OFFICE,
                 expires=120, modules=(), account="", answer="auto", space=None):
        self.user, self.domain, self.host, self.hertz = user, domain, host, hertz
        self.folder = os.path.join(run_dir, f"baresip-{user}")
        self.sip_port, self.ctrl_port = ports.port(), ports.port()
        self.rtp_first = ports.block(RTP_PORTS)
        os.makedirs(os.path.join(self.folder, "rec"))
        wav = tone.make(os.path.join(self.folder, f"tone-{hertz}.wav"), hertz)
        with open(os.path.join(self.folder, "config"), "w", encoding="utf-8") as out:
            out.write(CONFIG.format(
                host=host, sip=self.sip_port, ctrl=self.ctrl_port, folder=self.folder, wav=wav,
                rtp_first=self.rtp_first, rtp_last=self.rtp_first + RTP_PORTS - 1,
                modules=modules_folder(),
                extra="".join(f"module                  {name}\n" for name in modules)))
        with open(os.path.join(self.folder, "accounts"), "w", encoding="utf-8") as out:
            out.write(f'<sip:{user}@{domain};transport=udp>;auth_user={user};auth_pass={password};'
                      f'outbound="sip:{proxy[0]}:{proxy[1]};transport=udp";regint={expires};'
                      f"answermode={answer};audio_codecs=pcma,pcmu{account}\n")
        with open(os.path.join(self.folder, "contacts"), "w", encoding="utf-8"):
            pass
        self.events, self._sock, self._buffer, self._token = [], None, b"", 0
        self._reach = space.connect if space else socket.create_connection
        argv = ["baresip", "-4", "-f", self.folder]
        super().__init__(f"baresip-{user}", space.inside(argv) if space else argv,
                         os.path.join(self.folder, "log"), cwd=self.folder)

    # -- life ---------------------------------------------------------------

    def start(self):
        """Start and wait until it takes commands."""
        super().start()
        try:
            if not eventually(lambda: not self.alive or self._connect(), START_SECONDS):
                raise self.error("its control port does not answer")
            if not self.alive:
                raise self.error(f"ended at start with status {self.child.returncode}")
        except BaseException:
            self.stop()
            raise
        return self

    def _connect(self):
        try:
            self._sock = self._reach((self.host, self.ctrl_port), 1)
            return True
        except OSError:
            return False

    def stop(self, seconds=5):
        """Quit (it unregisters); then as any process."""
        if self._sock:
            try:
                self._send("quit", "")
                self.child.wait(seconds)
            except Exception:  # whatever it is: the process group is ended below
                pass
            self._sock.close()
            self._sock = None
        return super().stop(seconds)

    # -- control ------------------------------------------------------------

    def _send(self, command, params):
        self._token += 1
        text = json.dumps({"command": command, "params": params, "token": str(self._token)}).encode()
        self._sock.sendall(b"%d:%s," % (len(text), text))
        return str(self._token)

    def _pump(self, seconds):
        """Read what there is into `events`; False when nothing came in time."""
        if not select.select([self._sock], [], [], max(0.0, seconds))[0]:
            return False
        data = self._sock.recv(1 << 16)
        if not data:
            raise self.error("closed its control connection")
        self._buffer += data
        while b":" in self._buffer:
            size, _, rest = self._buffer.partition(b":")
            end = int(size)
            if len(rest) < end + 1:
                break
            self.events.append(json.loads(rest[:end]))
            self._buffer = rest[end + 1:]
        return True

    def command(self, name, params="", seconds=5):
        """One command; its response's text."""
        mine = self._send(name, params)
        answer = self._await(lambda e: e.get("response") and e.get("token") == mine, seconds, 0)
        if not answer:
            raise self.error(f"no response to '{name} {params}'")
        return answer.get("data", "")

    def _await(self, wanted, seconds, since):
        deadline = time.monotonic() + seconds
        while True:
            for event in self.events[since:]:
                if wanted(event):
                    return event
            left = deadline - time.monotonic()
            if left <= 0 or not self._pump(left):
                return None

    def mark(self):
        """A place in the events: pass it to event() as `since`."""
        while self._pump(0):
            pass
        return len(self.events)

    def event(self, kind, seconds=10, since=0):
        """The first event of a type, or an error with the log."""
        found = self._await(lambda e: e.get("event") and e.get("type") == kind, seconds, since)
        if not found:
            seen = [e.get("type") for e in self.events if e.get("event")]
            raise self.error(f"no {kind} in {seconds} s; events: {seen}")
        return found

    # -- telephone ----------------------------------------------------------

    @property
    def contact(self):
        """host:port of its SIP socket."""
        return f"{self.host}:{self.sip_port}"

    def registered(self, seconds=10):
        """Wait until its registration is accepted: its own word in the log.

        Not the event REGISTER_OK: it may come before we hold the control connection.
        """
        return self.wait_line(r"\} 200 .*binding", seconds)

    def dial(self, uri):
        """Place a call; a mark from which its events count."""
        since = self.mark()
        self.command("dial", uri)
        return since

    def established(self, since=0, seconds=10):
        """Wait for the call to be up; its Call-ID. An error as soon as it is closed instead."""
        found = self._await(lambda e: e.get("type") in ("CALL_ESTABLISHED", "CALL_CLOSED"), seconds, since)
        if not found:
            raise self.error(f"the call is not up after {seconds} s")
        if found["type"] == "CALL_CLOSED":
            raise self.error(f"the call did not come about: {found.get('param')}")
        return found["id"]

    def rings(self, since=0, seconds=10):
        """Wait for a call to come in."""
        self.event("CALL_INCOMING", seconds, since)

    def hears_ringing(self, since=0, seconds=10):
        """Wait until the other end rings."""
        self.event("CALL_RINGING", seconds, since)

    def answer(self):
        """Take the call that comes in (with answer="manual")."""
        self.command("accept")

    def hold(self):
        """Let the other end wait."""
        self.command("hold")

    def resume(self):
        """Take the call back."""
        self.command("resume")

    def hang_up(self):
        """End the call."""
        self.command("hangup")

    def closed(self, since=0, seconds=10):
        """Wait for the end of the call; the reason it gives."""
        return self.event("CALL_CLOSED", seconds, since).get("param", "")

    def recordings(self):
        """What it heard: the decoded audio of its calls, oldest first."""
        return sorted(glob.glob(os.path.join(self.folder, "rec", "dump-*-dec.wav")), key=os.path.getmtime)
