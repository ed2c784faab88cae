# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo succeeds, and it can fail: each part taken away makes its own step fail."""

import os
import re
import sys
import tempfile

import pytest

from support import kamailio, process

DEMO = os.path.join(kamailio.ROOT, "tests", "demo", "demo.py")
SECONDS = 170
LAST = 6


@pytest.fixture
def folder():
    """A temporary folder with a short name: UNIX sockets stand in it (pytest's own names are long)."""
    with tempfile.TemporaryDirectory(prefix="tg-") as name:
        yield name


def play(folder, *options):
    """Run the demo: (exit status, {step: did it hold}, what it printed)."""
    done = process.run([sys.executable, DEMO, *options], SECONDS, env={"TMPDIR": folder})
    marks = re.findall(r"^\[(\d)\].*?\[(ok|FAIL), ", done.stdout, re.M | re.S)
    return done.returncode, {int(number): mark == "ok" for number, mark in marks}, done.stdout


def test_all_steps_hold_and_nothing_is_left(folder):
    status, steps, text = play(folder)
    assert (status, steps) == (0, {number: True for number in range(1, LAST + 1)}), text
    assert f"{LAST} of {LAST} steps as expected" in text.splitlines()[-1]
    assert not os.listdir(folder), "the demo left files behind"


@pytest.mark.parametrize("part,failing", [("rtpengine", 2), ("fraudguard", 4), ("regguard", 5)])
def test_without_a_part_its_step_fails(folder, part, failing):
    status, steps, text = play(folder, "--without", part)
    assert status == 1, text
    assert len(steps) == LAST and not steps[failing], text
    assert steps[1] and steps[LAST], text
    if part != "rtpengine":
        assert [number for number, good in steps.items() if not good] == [failing], text
