# SPDX-License-Identifier: GPL-2.0-or-later
"""A Kamailio of our own: checked, started on a free port, asked by RPC, stopped.

Ready means: it answers an RPC and a SIP OPTIONS. RPC is JSON-RPC over the UNIX
datagram socket that the jsonrpcs module makes in the run directory (-Y): no
port, no HTTP, and a stock configuration has it too. One reply holds 64 KiB at
most, which is why the modules' lists are paged.
"""

import atexit
import functools
import json
import os
import socket
import tempfile

from . import ports, server, sip
from .patience import wait_while_busy
from .process import STOP_SECONDS, Process, ProcessError, run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
OUR_MODULES = os.path.join(BUILD, "modules")
# The name of a UNIX socket has 107 characters, and its own name comes after the folder.
LONGEST_RUN_DIR = 107 - len("/kamailio_rpc.sock")
CRASH = r"child process \d+ exited by a signal|BUG:|core was generated|ERROR: AddressSanitizer|runtime error:"


class RpcError(AssertionError):
    """Kamailio refused an RPC: `code` and `text` say why."""

    def __init__(self, method, code, text):
        super().__init__(f"RPC {method}: {code} {text}")
        self.code, self.text = code, text


def module_path():
    """Our modules first, then the installed Kamailio's own."""
    return f"{OUR_MODULES}:{server.modules()}"


def check(cfg, env=None, defines=(), seconds=60):
    """`kamailio -c` on a file: (is it good, what it said)."""
    with tempfile.TemporaryDirectory(prefix="tollgate-check-") as run_dir:
        done = run([server.binary(), "-c", "-E", "-f", cfg, "-L", module_path(), "-Y", run_dir,
                    *[arg for define in defines for arg in ("-A", define)]],
                   seconds, env=env, cwd=run_dir)
    return done.returncode == 0, done.stdout


@functools.lru_cache(maxsize=None)
def whole_lines():
    """The library that keeps the lines of several processes apart (whole_lines.c), compiled once a run."""
    folder = tempfile.TemporaryDirectory(prefix="tollgate-lines-")
    atexit.register(folder.cleanup)
    target = os.path.join(folder.name, "whole_lines.so")
    done = run(["cc", "-shared", "-fPIC", "-O1", "-o", target,
                os.path.join(os.path.dirname(__file__), "whole_lines.c")], 60)
    if done.returncode:
        raise ProcessError(f"whole_lines.c: {done.stdout}")
    return target


class Kamailio(Process):
    """A running Kamailio.

    cfg      the file to run
    run_dir  its folder: sockets, log, working directory
    listen   -l arguments; a cfg that sets `listen` itself needs none
    aliases  domains that are its own, whatever the port
    answers_options  False for a cfg that answers no OPTIONS: the RPC alone tells that it is up
    host, port  where it answers SIP over UDP (and TCP)
    """

    def __init__(self, cfg, run_dir, port, host=ports.HOME, listen=(), aliases=(), env=None,
                 defines=(), shm_mb=64, pkg_mb=8, name="kamailio", answers_options=True):
        argv = [server.binary(), "-DD", "-E", "-f", cfg, "-L", module_path(), "-Y", run_dir,
                "-w", run_dir, "-m", shm_mb, "-M", pkg_mb]
        for where in listen:
            argv += ["-l", where]
        argv += [f"--alias={domain}" for domain in aliases]
        for define in defines:
            argv += ["-A", define]
        super().__init__(name, argv, os.path.join(run_dir, f"{name}.log"),
                         env={"LD_PRELOAD": whole_lines(), **(env or {})}, cwd=run_dir)
        if len(run_dir) > LONGEST_RUN_DIR:
            raise ProcessError(f"run_dir of {len(run_dir)} characters, {LONGEST_RUN_DIR} fit: {run_dir}")
        self.run_dir = run_dir
        self.host, self.port = host, port
        self.answers_options = answers_options
        self._calls = 0

    @property
    def address(self):
        """(host, port) of its SIP socket."""
        return self.host, self.port

    def start(self):
        """Start and wait until it answers: as long as it works on that (patience.py)."""
        super().start()
        try:
            wait_while_busy(self, lambda: self.alive and self._answers(), "does not answer")
            if not self.alive:
                raise self.error(f"ended at start with status {self.child.returncode}")
        except BaseException:
            self.stop()
            raise
        return self

    def start_and_fail(self, seconds=None):
        """Start where the start must fail: what it logged, and its exit status.

        seconds  how long it may go on without a sign of work
        """
        super().start()
        try:
            wait_while_busy(self, lambda: False, "still running", quiet=seconds)
            status = self.wait(STOP_SECONDS)
            return "\n".join(self.lines), status
        finally:
            self.stop()

    def _answers(self):
        try:
            self.rpc("core.uptime")
        except (OSError, RpcError):
            return False
        return not self.answers_options or sip.ping(self.address, 0.5) is not None

    # -- RPC ----------------------------------------------------------------

    def rpc(self, method, *params, seconds=5):
        """One RPC; its result. Raises RpcError when refused."""
        self._calls += 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind("")       # the kernel gives an abstract address: no file to clean up
            sock.settimeout(seconds)
            sock.connect(os.path.join(self.run_dir, "kamailio_rpc.sock"))
            sock.send(json.dumps({"jsonrpc": "2.0", "id": self._calls, "method": method,
                                  "params": list(params)}).encode())
            answer = json.loads(sock.recv(1 << 17))
        if "error" in answer:
            raise RpcError(method, answer["error"].get("code"), answer["error"].get("message"))
        return answer.get("result")

    def contacts(self, user, domain=None, table="location"):
        """The Contact URIs bound to an address of record, by usrloc's own word."""
        aor = f"{user}@{domain}" if domain else user
        try:
            found = self.rpc("ul.lookup", table, aor)
        except RpcError as refused:
            if "AOR not found" in refused.text or "has no contacts" in refused.text:
                return []
            raise
        return [entry["Contact"]["Address"] for entry in found["Contacts"]]

    def crashed(self):
        """The log lines that tell of a crash, of memory misuse or of a bug."""
        return self.grep(CRASH)
