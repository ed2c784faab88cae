# SPDX-License-Identifier: GPL-2.0-or-later
"""What was learned of trunks over a restart, in the file of modparam state_file."""

import os
import signal
import time

import pytest

from support.live import NUMBER, Live, breaker, probed
from support.process import eventually
from support.routing import Trunk
from support.stack import complaints_of


def with_file(folder, name="callroute.state"):
    """The parameter, and the path."""
    path = os.path.join(str(folder), name)
    return f'modparam("callroute", "state_file", "{path}")', path


def lose_a(live):
    """Probes make a go down."""
    live.ends["a"].options = None
    live.becomes("a", "health", "down")


def open_b(live):
    """Calls open b's breaker."""
    live.ends["b"].invite = (503,)
    live.statuses(4)
    assert live.trunk("b")["breaker"] == "open"


def learn(live):
    """a is down, b's breaker open, c works; what the server says of them."""
    lose_a(live)
    open_b(live)
    live.rpc("callroute.set_trunk", "d", "drain")
    return said(live)


def said(live):
    """{trunk: (health, breaker, operator)}."""
    return {one["trunk"]: (one["health"], one["breaker"], one["operator"]) for one in live.rpc("callroute.list_trunks")}


def quality(live):
    """{trunk: (calls, ASR, NER)}, but for the last call that fades away."""
    return {one["trunk"]: (one["calls"], one["asr"], one["ner"]) for one in live.rpc("callroute.list_quality")}


def trunks():
    """Of a down trunk nobody hears for a minute: what is known at the start is what was saved."""
    return [probed("a", 1000), Trunk("b", 2000, breaker_id=1), Trunk("c", 3000), Trunk("d", 4000)]


ROWS = [breaker(1, half_open_after=3600)]


def seen_to_be_known(live, known, before):
    """All of it is there again but for the operator's word; no event told of it."""
    after = said(live)
    assert after.pop("d") == ("not_probed", "none", "table")
    assert after == {name: known[name] for name in "abc"}
    assert quality(live) == before
    assert live.call(NUMBER)[1] == ["c"]
    assert live.kamailio.grep("trunk-down|breaker trunk=") == []
    live.ends["a"].options = 200
    live.becomes("a", "health", "up")


def test_a_restart(tmp_path):
    params, path = with_file(tmp_path)
    with Live(tmp_path / "r", trunks(), sql=ROWS, params=f"debug=2\n{params}") as live:
        known, before = learn(live), quality(live)
        assert complaints_of(live.kamailio) == []
        assert os.stat(path).st_mode & 0o777 == 0o600
        live.kamailio.start()
        live.kamailio.wait_line(f"state-restored file={path} trunks=4")
        seen_to_be_known(live, known, before)


def test_killed(tmp_path):
    """What went down is in the file a moment later, not at the end."""
    params, path = with_file(tmp_path)
    with Live(tmp_path / "r", trunks(), sql=ROWS, params=params) as live:
        assert eventually(lambda: os.path.exists(path))
        for change in (lose_a, open_b):
            before = time.time_ns()
            change(live)
            assert eventually(lambda since=before: os.stat(path).st_mtime_ns > since), "not saved"
        known = said(live)
        os.killpg(live.kamailio.pid, signal.SIGKILL)
        live.kamailio.stop()
        live.kamailio.start()
        assert said(live) == known
        assert {"b", "c"} <= quality(live).keys()


def test_without_a_file_all_starts_anew(tmp_path):
    with Live(tmp_path / "r", trunks(), sql=ROWS) as live:
        learn(live)
        live.kamailio.stop()
        live.ends["a"].options = 200
        live.kamailio.start()
        assert said(live) == {"a": ("up", "none", "table"), "b": ("not_probed", "closed", "table"),
                              "c": ("not_probed", "none", "table"), "d": ("not_probed", "none", "table")}
        assert quality(live) == {}


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: b"not a state", lambda data: data[:-1], lambda data: data + b"x",
    lambda data: data[:70] + bytes([data[70] ^ 1]) + data[71:], lambda data: data.replace(b"callroute", b"regguard\0")],
    ids=["empty", "foreign", "cut", "longer", "changed", "of_another"])
def test_a_file_that_is_none(tmp_path, damage):
    """It is named and left aside; the next save makes it good."""
    params, path = with_file(tmp_path)
    with Live(tmp_path / "r", trunks(), sql=ROWS, params=params) as live:
        live.call(NUMBER)
        assert list(quality(live)) == ["a"]
        live.kamailio.stop()
        with open(path, "rb") as source:
            data = source.read()
        with open(path, "wb") as out:
            out.write(damage(data))
        live.kamailio.start()
        live.kamailio.wait_line(f"state-not-restored file={path}: ")
        assert quality(live) == {}
        assert live.call(NUMBER)[1] == ["a"]
        live.kamailio.stop()
        live.kamailio.start()
        assert live.kamailio.grep("state-not-restored") == []
        assert list(quality(live)) == ["a"]


def test_a_directory_that_is_not_there(tmp_path):
    """Said once; calls go on, and when the directory is there the state is saved."""
    params, path = with_file(tmp_path, "later/callroute.state")
    with Live(tmp_path / "r", trunks(), sql=ROWS, params=params) as live:
        live.kamailio.wait_line(f"state-not-saved file={path}: ")
        assert live.call(NUMBER)[1] == ["a"]
        os.mkdir(tmp_path / "later")
        lose_a(live)
        assert eventually(lambda: os.path.exists(path))
        assert len(live.kamailio.grep("state-not-saved")) == 1
