# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo succeeds, and it can fail: each part taken away makes its own step fail."""

import os
import re
import sys

import pytest

from support import kamailio, process

DEMO = os.path.join(kamailio.ROOT, "tests", "demo", "demo.py")
SECONDS = 170
LAST = 6


def play(tmp_path, *options):
    """Run the demo: (exit status, {step: did it hold}, what it printed)."""
    done = process.run([sys.executable, DEMO, *options], SECONDS, env={"TMPDIR": tmp_path})
    marks = re.findall(r"^\[(\d)\].*?\[(ok|FAIL), ", done.stdout, re.M | re.S)
    return done.returncode, {int(number): mark == "ok" for number, mark in marks}, done.stdout


def test_all_steps_hold_and_nothing_is_left(tmp_path):
    status, steps, text = play(tmp_path)
    assert (status, steps) == (0, {number: True for number in range(1, LAST + 1)}), text
    assert f"{LAST} of {LAST} steps as expected" in text.splitlines()[-1]
    assert not list(tmp_path.iterdir()), "the demo left files behind"


@pytest.mark.parametrize("part,failing", [("rtpengine", 2), ("fraudguard", 4), ("regguard", 5)])
def test_without_a_part_its_step_fails(tmp_path, part, failing):
    status, steps, text = play(tmp_path, "--without", part)
    assert status == 1, text
    assert len(steps) == LAST and not steps[failing], text
    assert steps[1] and steps[LAST], text
    if part != "rtpengine":
        assert [number for number, good in steps.items() if not good] == [failing], text
