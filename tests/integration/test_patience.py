# SPDX-License-Identifier: GPL-2.0-or-later
"""A start is awaited as long as the process works, and given up with a word on what it did last."""

import os

import pytest

from support import kamailio, patience, ports
from support.process import Process, ProcessError

BUSY = "i=0; while [ $i -lt 100000000 ]; do i=$((i + 1)); done"
WORDY = "while :; do echo a row; sleep 0.3; done"
CFG = """\
log_stderror=yes
children=1
loadmodule "jsonrpcs.so"
request_route {{ exit; }}
listen=udp:{host}:{port}
"""


@pytest.fixture
def shell(tmp_path):
    """A function that starts a shell command as a Process."""
    started = []

    def make(command):
        started.append(Process("shell", ["sh", "-c", command], tmp_path / "log").start())
        return started[-1]

    yield make
    for one in started:
        one.stop()


def given_up(process, quiet, longest):
    """What is said when it is given up."""
    with pytest.raises(ProcessError) as error:
        patience.wait_while_busy(process, lambda: False, "does not answer", quiet=quiet, longest=longest)
    return str(error.value)


def test_who_sleeps_is_given_up_soon(shell):
    """Without a sign of work it is no use to wait."""
    said = given_up(shell("sleep 60"), 2, 30)
    assert "does not answer after 2 s (2 s without a sign of work); " in said
    assert "it never showed that it works" in said and "state S" in said, said


@pytest.mark.parametrize("command, sign", [(BUSY, "of processor time"), (WORDY, "it wrote to its log")])
def test_who_works_is_given_up_late(shell, command, sign):
    """By the processor or by the log; and not for ever."""
    said = given_up(shell(command), 3, 5)
    assert "after 5 s (the longest wait there is); last sign of work: after " in said and sign in said, said


def test_the_work_of_a_child_counts(shell):
    """Kamailio's tables are loaded by a process of its own."""
    said = given_up(shell(f"({BUSY}) & wait"), 3, 5)
    assert "the longest wait there is" in said, said


def test_who_ends_is_not_waited_for(shell):
    """Whoever asked tells why."""
    assert not patience.wait_while_busy(shell("exit 3"), lambda: False, "does not answer")


def kamailio_after(tmp_path, command):
    """A Kamailio that does something else first."""
    port = ports.port()
    cfg = tmp_path / "kamailio.cfg"
    cfg.write_text(CFG.format(host=ports.HOME, port=port), encoding="utf-8")
    server = kamailio.Kamailio(str(cfg), str(tmp_path), port, answers_options=False)
    server.argv = ["sh", "-c", f'{command}; exec "$@"', "sh", *server.argv]
    return server


def test_a_slow_start_of_kamailio_is_awaited(tmp_path, monkeypatch):
    """Longer than the bound for one that does nothing."""
    monkeypatch.setattr(patience, "QUIET_SECONDS", 3)
    with kamailio_after(tmp_path, "timeout --foreground 5 sh -c 'while :; do :; done'") as server:
        assert server.rpc("core.uptime")["uptime"] >= 0


def test_a_start_that_hangs_is_told_of(tmp_path, monkeypatch):
    """With what its processes do, and nothing of it is left."""
    monkeypatch.setattr(patience, "QUIET_SECONDS", 2)
    server = kamailio_after(tmp_path, "echo reading the table; sleep 60")
    with pytest.raises(ProcessError, match=r"does not answer after \d s \(2 s without a sign of work\); last sign of "
                                           r"work: after 1 s it wrote to its log; .* state S [^$]*reading the table"):
        server.start()
    assert server.child is None and not os.path.exists(os.path.join(server.run_dir, "kamailio_rpc.sock"))
