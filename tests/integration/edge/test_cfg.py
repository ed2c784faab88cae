# SPDX-License-Identifier: GPL-2.0-or-later
"""Every configuration that is shipped passes Kamailio's own check, in every combination of switches."""

import glob
import itertools
import os
import re

import pytest

from support import kamailio, stack as stack_

OWN = [f"WITH_{name.upper()}" for name in stack_.MODULES]
# What cfg/minimal holds: each module alone, and callroute behind ENUM.
EXAMPLES = [*stack_.MODULES, "callroute-enum"]


def switches():
    """The WITH_ switches that cfg/defs.cfg knows."""
    with open(os.path.join(kamailio.ROOT, "cfg", "defs.cfg"), encoding="utf-8") as source:
        return sorted(set(re.findall(r"^#!trydefenv (WITH_\w+)", source.read(), re.M)))


def combinations():
    """All subsets of the switches."""
    names = switches()
    return [tuple(name for name, on in zip(names, chosen) if on)
            for chosen in itertools.product((False, True), repeat=len(names))]


def test_switches_are_found():
    assert set(OWN) <= set(switches()), switches()


@pytest.mark.parametrize("chosen", combinations(), ids=lambda names: "+".join(names) or "none")
def test_kamailio_cfg(tmp_path, chosen):
    cfg = stack_.copy_cfg(str(tmp_path))
    env = stack_.environment(str(tmp_path), tmp_path / "none.sqlite", 5060, switches=chosen)
    good, said = kamailio.check(cfg, env=env)
    assert good, said
    assert not re.search(r"WARNING|ERROR", said), said


@pytest.mark.parametrize("chosen", [one for one in combinations() if "WITH_MYSQL" not in one],
                         ids=lambda names: "+".join(names) or "none")
def test_kamailio_cfg_starts(make_stack, chosen):
    """`kamailio -c` looks into no expression: a pseudo-variable that does not exist shows at the start."""
    stack = make_stack(switches=chosen)
    assert stack.agent("alice").register().status == 200
    assert stack.contacts("alice")


def test_local_cfg_sample(tmp_path):
    cfg = stack_.copy_cfg(str(tmp_path))
    sample = os.path.join(os.path.dirname(cfg), "local.cfg.sample")
    os.rename(sample, os.path.join(os.path.dirname(cfg), "local.cfg"))
    env = stack_.environment(str(tmp_path), tmp_path / "none.sqlite", 5060)
    good, said = kamailio.check(cfg, env=env)
    assert good, said


@pytest.mark.parametrize("module", EXAMPLES)
def test_minimal_example(tmp_path, module):
    cfg = os.path.join(kamailio.ROOT, "cfg", "minimal", f"{module}.cfg")
    assert os.path.exists(cfg), f"no minimal example of {module}"
    env = stack_.environment(str(tmp_path), tmp_path / "none.sqlite", 5060, switches=())
    good, said = kamailio.check(cfg, env=env)
    assert good, said


def test_no_minimal_example_is_forgotten():
    found = {os.path.basename(path) for path in glob.glob(os.path.join(kamailio.ROOT, "cfg", "minimal", "*.cfg"))}
    assert found == {f"{module}.cfg" for module in EXAMPLES}
