# SPDX-License-Identifier: GPL-2.0-or-later
"""A real telephone: Debian's linphone-cli (`linphonec`), told what to do over its standard input.

It reads a tone from a WAV as microphone and writes what it hears to another. What it
prints are the events that we wait for. It asks for a GRUU (RFC 5627) and uses the one that it
gets as its Contact, and it keeps its settings in a HOME of its own.
"""

import os
import subprocess

from . import ports, tone
from .process import Process, eventually

RTP_PORTS = 20
CONFIG = """\
[sip]
sip_port={sip}
sip_tcp_port=-2
sip_tls_port=0
use_ipv6=0
default_proxy=0
guess_hostname=1

[net]
mtu=1300

[rtp]
audio_rtp_port={rtp}-{rtp_last}

[video]
enabled=0
capture=0
display=0

[sound]
ec=0
hold_music={tone}

[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_route=<sip:{server};transport={transport};lr>
reg_identity=sip:{user}@{domain}
reg_expires={expires}
reg_sendregister=1
publish=0

[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
"""
CODECS = (("PCMU", 8000, 1), ("PCMA", 8000, 1), ("opus", 48000, 0), ("speex", 16000, 0), ("speex", 8000, 0),
          ("G729", 8000, 0))


class Linphone(Process):
    """A running linphonec with one account, in the network `space` (lab.Namespace; None: ours)."""

    STDIN = subprocess.PIPE

    def __init__(self, run_dir, user, domain, password, server, hertz, host=ports.OFFICE, expires=120,
                 transport="udp", space=None):
        self.user, self.domain, self.host, self.hertz = user, domain, host, hertz
        self.folder = os.path.join(run_dir, f"linphone-{user}")
        # Without this folder it has no database, and ends.
        os.makedirs(os.path.join(self.folder, ".local", "share", "linphone"))
        self.heard = os.path.join(self.folder, "heard.wav")
        config, first = os.path.join(self.folder, "linphonerc"), ports.block(RTP_PORTS)
        with open(config, "w", encoding="utf-8") as out:
            out.write(CONFIG.format(
                tone=tone.make(os.path.join(self.folder, "tone.wav"), hertz), sip=ports.port(), rtp=first,
                rtp_last=first + RTP_PORTS - 1, user=user, domain=domain, password=password, expires=expires,
                server=f"{server[0]}:{server[1]}", transport=transport))
            for number, (mime, rate, enabled) in enumerate(CODECS):
                out.write(f"\n[audio_codec_{number}]\nmime={mime}\nrate={rate}\nenabled={enabled}\n")
        argv = ["linphonec", "-d", "6", "-l", os.path.join(self.folder, "trace"), "-c", config]
        super().__init__(f"linphone-{user}", space.inside(argv) if space else argv,
                         os.path.join(self.folder, "log"), cwd=self.folder,
                         env={"HOME": self.folder, "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "TERM": "dumb"})

    def start(self):
        """Start and say where its sound comes from and goes to."""
        super().start()
        try:
            self._until("soundcard use files", "Using wav files")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, seconds=5):
        """Quit (it unregisters); then as any process."""
        if self.alive:
            try:
                self._say("quit")
                self.child.wait(seconds)
            except (OSError, subprocess.TimeoutExpired):
                pass        # the process group is ended below
        if self.child:
            self.child.stdin.close()
        return super().stop(seconds)

    def _say(self, line):
        self.child.stdin.write(f"{line}\n".encode())
        self.child.stdin.flush()

    def _until(self, line, answer, seconds=10):
        """Say a line until it is answered like this. What is said before it reads its input is lost."""
        def asked():
            self._say(line)
            return self.grep(answer)
        if not eventually(asked, seconds, 0.1):
            raise self.error(f"'{line}' was not answered with /{answer}/ in {seconds} s")

    # -- telephone ----------------------------------------------------------

    def registered(self, seconds=10):
        """Wait until its registration is accepted (it says so only when asked); then it records what it hears."""
        self._until("status register", r"\bregistered, identity=", seconds)
        self._say("record heard.wav")

    def dial(self, uri):
        """Place a call; a mark from which its events count."""
        since = self.mark()
        self._say(f"call {uri}")
        return since

    def rings(self, since=0, seconds=10):
        """Wait for a call to come in."""
        self.wait_line("Receiving new incoming call", seconds, since)

    def hears_ringing(self, since=0, seconds=10):
        """Wait until the other end rings."""
        self.wait_line(r"Call \d+ to .* ringing", seconds, since)

    def answer(self):
        """Take the call that comes in."""
        self._say("answer")

    def established(self, since=0, seconds=10):
        """Wait for the call to be up."""
        self.wait_line(r"Media streams established", seconds, since)

    def hold(self):
        """Let the other end wait."""
        self._say("pause")

    def resume(self):
        """Take the call back."""
        self._say("resume")

    def hang_up(self):
        """End the call."""
        self._say("terminate")

    def closed(self, since=0, seconds=10):
        """Wait for the end of the call; the reason it gives."""
        return self.wait_line(r"Call \d+ with .* (ended|error)", seconds, since)

    def recordings(self):
        """What it heard."""
        return [self.heard]
