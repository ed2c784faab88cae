# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: every test gets its own stack, on its own ports, in its own folder.

A stack starts in well under a second, so nothing is shared between tests: each
runs alone and in any order. At the end a stack must stop cleanly; a crashed
worker, a BUG line or a status other than 0 fails the test that caused it.

The scripted telephones of a stack differ as the world's do (support/traits.py): each
test draws its own, by TOLLGATE_SEED and the test's name. A failure shows which they
were. The marker plain_telephones is for tests of what a telephone says, not of calls.
"""

import os
import random

import pytest

from support import kamailio as kamailio_
from support import ports
from support import stack as stack_


def pytest_configure(config):
    """The seed of this run; the workers of pytest-xdist inherit it."""
    os.environ.setdefault("TOLLGATE_SEED", str(random.SystemRandom().randrange(1000000)))


def pytest_terminal_summary(terminalreporter):
    """The seed, and what tests had to tell, record_property("said", ...), of those that passed."""
    where = "" if ports.private_stays_here() else "; none behind a NAT: run by tests/alone.sh"
    terminalreporter.write_line(f"telephones drawn by TOLLGATE_SEED={os.environ['TOLLGATE_SEED']}{where}")
    for report in terminalreporter.stats.get("passed", []):
        for name, said in report.user_properties:
            if name == "said":
                terminalreporter.write_line(said)


@pytest.fixture
def make_stack(tmp_path, request):
    """A function that starts a stack: make_stack(settings={...}, switches=(...), ...)."""
    started, rng = [], None
    if not request.node.get_closest_marker("plain_telephones"):
        rng = random.Random(f"{os.environ['TOLLGATE_SEED']} {request.node.nodeid}")

    def make(**how):
        folder = tmp_path / f"stack-{len(started)}"
        folder.mkdir()
        one = stack_.Stack(folder, **{"rng": rng, **how})
        started.append(one)
        return one.start()

    yield make
    complaints = [text for one in reversed(started) for text in one.stop()]
    assert not complaints, complaints


@pytest.fixture
def stack(make_stack):
    """The whole edge with the demo rows."""
    return make_stack()


@pytest.fixture
def run_kamailio(tmp_path):
    """A function that starts a Kamailio with a cfg of one's own; stopped and judged at the end."""
    started = []

    def make(cfg, port, **how):
        one = kamailio_.Kamailio(cfg, str(tmp_path), port, name=f"kamailio-{len(started)}", **how)
        started.append(one)
        return one.start()

    yield make
    for one in reversed(started):
        complaints = stack_.complaints_of(one)
        assert not complaints, one.error("\n".join(complaints))
