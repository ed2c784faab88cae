# SPDX-License-Identifier: GPL-2.0-or-later
"""Chapter 11.1 of callroute's README: from an empty database to a routed call, exactly as it is written there."""

import os

import pytest

from support.process import eventually, run
from support import ports, server, walk as walk_

README = "modules/callroute/README.md"
PORTS = (5060, 5070, 5090, 5091)


def server_is_up(walk):
    """What a reader sees by trying: kamcmd answers."""
    sock = os.path.join(walk.folder, "build", "walk", "kamailio_ctl")

    def asked():
        assert walk.terminals["server"].alive, walk.terminals["server"].error("ended")
        return os.path.exists(sock) and run([server.kamcmd(), "-s", f"unix:{sock}", "core.uptime"], 20).returncode == 0
    assert eventually(asked, 30), walk.terminals["server"].error("does not answer")


def carrier_is_up(walk):
    """SIPp has its port."""
    assert eventually(lambda: ports.bound(walk.ports[5090]), 20), walk.terminals["carrier"].error("has no port")


def test_from_an_empty_database_to_a_routed_call(tmp_path):
    with walk_.Walk(tmp_path, README, "first-call", PORTS,
                    {"server": server_is_up, "carrier": carrier_is_up}) as walk:
        commands = walk.go()
        assert commands == sum(block.text.startswith("$ ") + block.text.count("\n$ ") for block in walk.blocks)
        assert list(walk.terminals) == ["server", "carrier"]
        assert walk.terminals["carrier"].alive and walk.terminals["server"].alive
        status = walk.terminals["server"].stop()
        assert status == 0, walk.terminals["server"].error(f"ended with {status}")


@pytest.mark.parametrize("shown, true, same", [
    ("a\nb", "a\nb", True), ("a\nb", "a\nc", False), ("a\n...\nd", "a\nb\nc\nd", True), ("a...d", "a\nb", False),
    ("", "a", False), ("a.c", "abc", False)])
def test_what_counts_as_the_same_output(shown, true, same):
    assert walk_.matches(shown, true) is same


def test_a_shell_text_is_cut_into_commands():
    assert walk_.steps("$ a <<X\n> b\n> X\nc\n\td\n$ e\n") == [("a <<X\nb\nX", "c\n\td"), ("e", "")]
    with pytest.raises(AssertionError, match="without a command"):
        walk_.steps("c\n$ d\n")
