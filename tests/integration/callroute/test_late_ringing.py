# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies that come in the wrong order, twice or at the same time: no channel outlives its call.

tm runs the callbacks of a reply after it has let go of the transaction's replies, so those of two replies may
run at once in two workers, or the second one's first.
"""

import pytest
from support.outgoing import CFG, Dialled, assert_held, assert_nothing_held, outgoing
from support.process import eventually
from support.routing import Trunk

ORDERS = {
    "ringing after": (200, 180),
    "ringing twice after": (200, 180, 180),
    "progress after": (200, 183),
    "answered twice": (200, 200),
    "everything at once": (180, 183, 200, 180, 200, 183),
}
CALLS = 8
MANY = CFG.replace("children=4", "children=8")
UNRELEASED = "#!define WITHOUT_RELEASE\n"      # the dialog's end alone gives back
# The worker with the answer is held up between tm's lock and the callbacks behind dialog's.
STALL = """
event_route[dialog:start] {
    xlog("L_NOTICE", "stalled call=$ci\\n");
    usleep("1500000");
    xlog("L_NOTICE", "goes-on call=$ci\\n");
}
"""


@pytest.mark.parametrize("dialog", (True, False))
@pytest.mark.parametrize("order", ORDERS)
def test_replies_in_the_wrong_order(tmp_path, order, dialog):
    with outgoing(tmp_path, [Trunk("a")], cfg=UNRELEASED * dialog + MANY, dialog=dialog) as routing:
        end = routing.ends["a"]
        end.invite = ORDERS[order]
        calls = [Dialled(routing) for _ in range(CALLS)]
        assert [call.final() for call in calls] == ["200 OK"] * CALLS
        assert_held(routing, a=CALLS)
        for call in calls:
            end.reply(call.at("a"), 180)        # after the ACK
            call.hang_up()
            end.reply(call.at("a"), 180)        # after the BYE
        assert_nothing_held(routing)


@pytest.mark.parametrize("mode", (0, 1))
def test_a_call_that_ends_before_its_answer_is_noted(tmp_path, mode):
    """A copy of the answer overtakes it: the call is up and over while the first worker still has it.

    By reply_relay_mode 1 tm tells of the copy too, so that callroute has noted the answer and dialog has not;
    by 0 nobody has.
    """
    cfg = UNRELEASED + CFG.replace('{dialog}', 'loadmodule "cfgutils.so"\n{dialog}', 1)
    with outgoing(tmp_path, [Trunk("a")], cfg=cfg, dialog=True, routes=STALL,
                  params=f'modparam("tm", "reply_relay_mode", {mode})') as routing:
        call = Dialled(routing).reply("a", 200)
        routing.kamailio.wait_line("stalled ", 5, call.mark)
        call.reply("a", 200)
        assert call.final() == "200 OK"
        call.hang_up()
        assert not routing.kamailio.grep("goes-on ", call.mark), "the worker was not held up for long enough"
        assert eventually(lambda: routing.kamailio.grep("goes-on ", call.mark), 10)
        assert_nothing_held(routing)
