# SPDX-License-Identifier: GPL-2.0-or-later
"""Real telephones call each other: baresip and linphone, behind a NAT and at a public address."""

import itertools

import pytest

from support import lab as lab_
from support import process, tone
from support.baresip import Baresip
from support.linphone import Linphone

LOUD, NONE = 0.9, 0.01
HERTZ = {"alice": 440, "bob": 880}
# RTP packets of 20 ms: more than the last second, which is what is looked at.
ENOUGH = 60

MISSING = lab_.missing()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no networks for telephones here: {MISSING}")

KINDS = {"baresip": Baresip, "linphone": Linphone}
# Both kinds and both networks on either side.
CALLS = list(itertools.product(KINDS, KINDS, ("public", "private"), ("public", "private")))


@pytest.fixture
def lab(tmp_path):
    """The networks of a test."""
    with lab_.Lab(tmp_path) as one:
        yield one


@pytest.fixture
def telephone(lab, make_stack):
    """(the edge, a function that starts a telephone: telephone(kind, user, network))."""
    stack = make_stack(host=lab.edge)

    def start(kind, user, network, **how):
        space, host = lab.place(network == "private")
        one = stack.keep(KINDS[kind](stack.run_dir, user, stack.domain, stack.password(user), stack.server, HERTZ[user],
                                     host=host, space=space, **how)).start()
        one.registered()
        return one

    return stack, start


def manner(kind, other):
    """How a telephone of this kind is started; linphone over TCP when the other end is behind a NAT, else over UDP."""
    if kind == "baresip":
        return {"answer": "manual"}
    return {"transport": "tcp" if other == "private" else "udp"}


def sides(stack):
    """Packets that rtpengine has had of each side of the one call."""
    return stack.rtpengine.relayed(stack.rtpengine.calls()[0])


def flows(stack):
    """Wait until enough sound has come from both sides."""
    before = sides(stack)
    assert process.eventually(lambda: all(count - before[tag] >= ENOUGH for tag, count in sides(stack).items()), 10), \
        (before, sides(stack))


def quiet(stack):
    """Wait until nothing comes from at least one side for a while."""
    def still():
        before = sides(stack)
        return not process.eventually(lambda: all(count > before[tag] for tag, count in sides(stack).items()), 0.4)
    assert process.eventually(still, 8, 0), sides(stack)


@pytest.mark.parametrize("caller, callee, near, far", CALLS)
def test_call(telephone, caller, callee, near, far):
    """near, far: the networks of caller and callee."""
    stack, start = telephone
    alice, bob = start(caller, "alice", near, **manner(caller, far)), start(callee, "bob", far, **manner(callee, near))
    since = bob.mark()
    mark = alice.dial(f"sip:bob@{stack.domain}")
    bob.rings(since)
    alice.hears_ringing(mark)
    bob.answer()
    alice.established(mark)
    bob.established(since)
    flows(stack)
    for one in (alice, bob):
        one.hold()
        quiet(stack)
        one.resume()
        flows(stack)
    # Each kind hangs up as caller and as callee, in each network.
    (alice if (caller == callee) == (near == far) else bob).hang_up()
    alice.closed(mark)
    bob.closed(since)
    for one, other in ((alice, bob), (bob, alice)):
        own, heard = tone.best_shares(one.recordings()[-1], one.hertz, other.hertz)
        assert own < NONE and heard > LOUD, (one.name, own, heard)
    assert process.eventually(lambda: not stack.left_behind()), stack.left_behind()


def test_nat_is_a_real_one(telephone):
    """The telephone registers an address that nobody outside reaches; the edge has seen another."""
    stack, start = telephone
    start("baresip", "alice", "private")
    contact = stack.contacts("alice")[0]
    assert lab_.PRIVATE in contact, contact
    bound = stack.kamailio.rpc("ul.lookup", "location", f"alice@{stack.domain}")["Contacts"][0]["Contact"]
    assert bound["Received"].startswith("sip:198.18."), bound
    routed = process.run(["ip", "route", "get", lab_.PRIVATE], 10)
    assert routed.returncode != 0, routed.stdout
