# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for a process as long as it works: a start that loads a million rows takes its time.

At work is who writes to its log or uses the processor, all its processes together. A server
that only idles uses some too, for its timers: so little does not count.
"""

import os
import time

from .process import eventually

QUIET_SECONDS = 30      # without a sign of work
LONGEST_SECONDS = 300   # with any
BUSY = 1 / 30           # of a processor, over the time without a sign, are a sign of work
TICKS = os.sysconf("SC_CLK_TCK")


def spent(process):
    """Seconds of processor time of the process and those that it started, ended ones included."""
    ticks = 0
    for pid in process.members():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as source:
                # utime, stime, and both of the children that it has waited for
                ticks += sum(map(int, source.read().rpartition(")")[2].split()[11:15]))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return ticks / TICKS


class _Watch:
    """The signs of work of one process, looked for once a second."""

    def __init__(self, process, quiet):
        self.process = process
        self.busy = max(quiet * BUSY, 1 / TICKS)
        self.began = self.looked = self.last_sign = time.monotonic()
        self.lines, self.cpu = 0, 0.0
        self.what = "nothing"

    def look(self):
        """Seconds since the last sign of work."""
        now = time.monotonic()
        if now - self.looked >= 1:
            self.looked = now
            lines, cpu = self.process.mark(), spent(self.process)
            signs = []
            if lines > self.lines:
                signs.append("it wrote to its log")
            if cpu - self.cpu >= self.busy:
                signs.append(f"it had used {cpu:.1f} s of processor time")
            if signs:
                self.lines, self.cpu, self.last_sign = lines, max(cpu, self.cpu), now
                self.what = " and ".join(signs)
        return now - self.last_sign

    def story(self):
        """What it did last."""
        since, now = self.last_sign - self.began, time.monotonic() - self.began
        last = "it never showed that it works" if self.what == "nothing" else f"after {since:.0f} s {self.what}"
        doing = "; ".join(self.process.busy_with()) or "nothing to be seen of its processes"
        return (f"last sign of work: {last}; after {now:.0f} s: {self.process.mark()} log lines, "
                f"{spent(self.process):.1f} s of processor time, {doing}")


def wait_while_busy(process, probe, what, quiet=None, longest=None):
    """Ask `probe` until it answers something true, and return that; a false answer when the process has ended.

    what     it does not do, for the error: "does not answer"
    quiet    seconds without a sign of work after which it is given up
    longest  seconds after which it is given up in any case
    """
    quiet, longest = quiet or QUIET_SECONDS, longest or LONGEST_SECONDS
    watch = _Watch(process, quiet)
    answer = None

    def done():
        nonlocal answer
        answer = probe()
        return answer or not process.alive or watch.look() >= quiet

    if eventually(done, longest) and (answer or not process.alive):
        return answer
    waited = time.monotonic() - watch.began
    why = f"{quiet} s without a sign of work" if waited < longest else "the longest wait there is"
    raise process.error(f"{what} after {waited:.0f} s ({why}); {watch.story()}")
