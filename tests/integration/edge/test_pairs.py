# SPDX-License-Identifier: GPL-2.0-or-later
"""The basic call between telephones of every pair of traits (support/traits.py).

Register, ring, answer, a tone each way, hold, resume, hang up; then nothing is left in
rtpengine, in dialog, or of the modules' counts of calls in progress.
"""

import pytest

from support import ports, process, traits
from support.call import Call

CALLS, PAIRS = traits.pairs()

pytestmark = pytest.mark.skipif(not ports.private_stays_here(),
                                reason="192.168.0.0/16 is not this machine's own: run by tests/alone.sh")


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_call(stack, number):
    one, other, hangs_up = CALLS[number]
    caller = stack.agent("alice", host=ports.address(), traits=one)
    callee = stack.agent("bob", host=ports.address(), traits=other)
    for telephone in (caller, callee):
        answer = telephone.register()
        assert answer.status == 200, answer
        assert telephone.contact == telephone.binding or telephone.gruu, answer.response.raw
    call = Call(caller, callee).ring().answer().talk()
    holds = "callee" if hangs_up == "caller" else "caller"
    call.hold(holds).resume(holds).talk()
    assert call.hang_up(hangs_up) == 200
    assert process.eventually(lambda: not stack.left_behind()), stack.left_behind()


def test_pairs_are_counted(record_property):
    """No pair of levels that can be is missing from the calls above."""
    met = set()
    for caller, callee, hangs_up in CALLS:
        levels = [("caller", name, getattr(caller, name)) for name in traits.LEVELS if name != "ring"]
        levels += [("callee", name, getattr(callee, name)) for name in traits.LEVELS if name != "offer"]
        levels.append(("call", "hangs up", hangs_up))
        met |= {frozenset((a, b)) for a in levels for b in levels if a != b}
    assert len(met) >= PAIRS
    record_property("said", f"{len(CALLS)} calls hold all {PAIRS} pairs of traits of two telephones")
