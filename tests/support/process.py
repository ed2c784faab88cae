# SPDX-License-Identifier: GPL-2.0-or-later
"""A child process with its log, its readiness and its orderly end.

Failure mode: whatever goes wrong raises `ProcessError`, whose text holds the
tail of the child's log; a reader of a failed test needs no second look.
The child leads a process group of its own, so that its end takes its own
children along and nobody else's. It also gets SIGTERM when we die first.
"""

import os
import re
import select
import signal
import subprocess
import threading
import time

TAIL_LINES = 25
STOP_SECONDS = 10
# A pipe holds as much; who looks at the lines reads a few times that and not for ever.
PIPE_BYTES, DRAINS = 1 << 16, 4


class ProcessError(AssertionError):
    """A child did not do what it must; the message ends with its log's tail."""


def readable(pipe, seconds):
    """Is there something in the pipe, or its end? Waits for it."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Process:
    """One child. Use as a context manager, or call start() and stop()."""

    STDIN = subprocess.DEVNULL

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name = name
        self.argv = [str(arg) for arg in argv]
        self.log = str(log)
        self.env = {**os.environ, **{k: str(v) for k, v in (env or {}).items()}}
        self.cwd = cwd
        self.child = None
        self.lines = []
        self._news = threading.Condition()
        self._reader = None
        self._ended = True
        self._rest = b""
        self.stuck = []     # what a child that ignored SIGTERM was doing

    # -- life ---------------------------------------------------------------

    def start(self):
        """Start the child; its output goes to the log file and to `lines`."""
        self.lines, self._rest, self.stuck = [], b"", []
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *self.argv],
            stdin=self.STDIN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.env, cwd=self.cwd, start_new_session=True)
        self._ended = False
        self._reader = threading.Thread(target=self._read, args=(self.child.stdout,), name=f"log of {self.name}",
                                        daemon=True)
        self._reader.start()
        return self

    def _read(self, pipe):
        """The thread that reads: whatever the pipe holds, until its end."""
        try:
            while self._drain():
                readable(pipe, 1)
        except ValueError:
            pass        # stop() has closed it: somebody else holds its other end

    def _drain(self):
        """Take what the pipe holds, into `lines` and the log file; False at its end.

        Also called by whoever looks at the lines: what the child wrote before that
        moment is in them, whenever the thread gets its turn.
        """
        with self._news:
            for _ in range(DRAINS):
                if self._ended or not readable(self.child.stdout, 0):
                    break
                data = os.read(self.child.stdout.fileno(), PIPE_BYTES)
                with open(self.log, "ab") as out:
                    out.write(data)
                *whole, self._rest = (self._rest + data).split(b"\n")
                if not data and self._rest:
                    whole.append(self._rest)
                self.lines += [raw.decode("utf-8", "replace") for raw in whole]
                self._ended = not data
                self._news.notify_all()
            return not self._ended

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM, then SIGKILL to what is left of the group. Returns the exit status.

        A server that was started a moment ago may lose the signal in children that it
        has just forked (Kamailio does): after a second all of the group get it again.
        """
        if self.child is None:
            return None
        status = self.child.poll()
        if status is None:
            self.child.terminate()
            status = self._ended_within(1)
            if status is None:
                os.killpg(self.child.pid, signal.SIGTERM)
                status = self._ended_within(seconds)
            if status is None:
                self.stuck = self.busy_with()
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if status is None:
            self.child.wait()
            status = -signal.SIGKILL
        self._reader.join(seconds)
        with self._news:
            self._ended = True
            self.child.stdout.close()
        self.child = None
        return status

    def _ended_within(self, seconds):
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def members(self):
        """The ids of the child and of all processes that it started."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(pid)) == self.child.pid:
                    yield int(pid)
            except ProcessLookupError:
                continue

    def busy_with(self):
        """What the processes of the group are busy with, one line each: for one that does not end."""
        lines = []
        for pid in self.members():
            try:
                facts = []
                for name in ("stat", "wchan", "syscall"):
                    with open(f"/proc/{pid}/{name}", encoding="utf-8") as source:
                        facts.append(source.read().strip())
            except OSError:
                continue
            lines.append(f"pid {pid} state {facts[0].rpartition(')')[2].split()[0]} "
                         f"in {facts[1]} syscall {' '.join(facts[2].split()[:3])}")
        return lines

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def alive(self):
        """Is the child still running?"""
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self):
        """The child's process id."""
        return self.child.pid

    def wait(self, seconds):
        """Wait for the child to end by itself; its exit status."""
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.error(f"still running after {seconds} s") from None
        self._reader.join(STOP_SECONDS)
        return status

    # -- what it says -------------------------------------------------------

    def mark(self):
        """A place in the log: pass it to wait_line() or grep() as `since`."""
        self._drain()
        with self._news:
            return len(self.lines)

    def grep(self, pattern, since=0):
        """All log lines so far that match."""
        self._drain()
        with self._news:
            lines = self.lines[since:]
        return [line for line in lines if re.search(pattern, line)]

    def wait_line(self, pattern, seconds=15, since=0):
        """The first log line that matches, waiting for it until the deadline."""
        deadline = time.monotonic() + seconds
        seen = since
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    if re.search(pattern, line):
                        return line
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    break
                self._news.wait(left)
        what = "ended" if self._ended else f"said nothing like it in {seconds} s"
        raise self.error(f"waiting for the log line /{pattern}/: it {what}")

    def tail(self, count=TAIL_LINES):
        """The end of the log, as text."""
        with self._news:
            return "\n".join(f"    | {line}" for line in self.lines[-count:])

    def error(self, text):
        """An exception that carries the log's tail."""
        return ProcessError(f"{self.name}: {text}\n  log {self.log}:\n{self.tail()}")


def run(argv, seconds, env=None, cwd=None):
    """Run a command to its end; CompletedProcess with text output. Never raises on its status."""
    return subprocess.run(
        [str(arg) for arg in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds, check=False,
        env={**os.environ, **{k: str(v) for k, v in (env or {}).items()}}, cwd=cwd)


def eventually(probe, seconds=10, pause=0.05):
    """Ask `probe` until it answers something true; its last answer.

    For state that can only be asked for (an RPC, a file): where there is an
    event to wait for, wait for that.
    """
    deadline = time.monotonic() + seconds
    gate = threading.Event()
    while True:
        answer = probe()
        if answer or time.monotonic() >= deadline:
            return answer
        gate.wait(pause)
