# SPDX-License-Identifier: GPL-2.0-or-later
"""Each module in Debian's stock kamailio.cfg, with exactly the lines that README.md shows."""

import pytest

from support import kamailio, ports, readme, sip, stack as stack_, stockcfg
from support.agent import Agent, replayed

DOMAIN = stack_.DOMAIN
# The demo's subscribers carry HA1 only; stock WITH_AUTH wants plain passwords.
PLAIN = f"UPDATE subscriber SET password = username || '-demo' WHERE domain = '{DOMAIN}'"


def stock_with(tmp_path, modules, trunk="sip:127.3.0.1:5060"):
    """A stock cfg with the documented lines of these modules; (path, database)."""
    database = stack_.create_database(str(tmp_path / "tollgate.sqlite"),
                                      {"trunk_good": trunk, "source_requests": 1000}, sql=[PLAIN])
    blocks, seen = [], set()
    for module in modules:
        for block in readme.drop_in(module):
            if block not in seen:
                seen.add(block)
                blocks.append(block)
    return stockcfg.write(str(tmp_path / "stock.cfg"), blocks, f"sqlite:///{database}", ["WITH_AUTH"])


def start(run_kamailio, cfg):
    """Run a stock cfg on a free port; the Kamailio."""
    port = ports.port()
    return run_kamailio(cfg, port, aliases=[DOMAIN],
                        listen=[f"udp:{ports.HOME}:{port}", f"tcp:{ports.HOME}:{port}"])


def telephone(server, user, host=ports.OFFICE, password=None):
    """A demo user's telephone."""
    return Agent(server, user, DOMAIN, password or f"{user}-demo", host)


def test_stock_cfg_itself_runs(tmp_path, run_kamailio):
    """The ground on which the others stand: without it they would prove nothing."""
    database = stack_.create_database(str(tmp_path / "tollgate.sqlite"), sql=[PLAIN])
    cfg = stockcfg.write(str(tmp_path / "stock.cfg"), [], f"sqlite:///{database}", ["WITH_AUTH"])
    server = start(run_kamailio, cfg)
    with telephone(server.address, "alice") as alice:
        assert alice.register().status == 200
        assert server.contacts("alice") == [alice.contact]


@pytest.mark.parametrize("anchor", stockcfg.ANCHORS)
def test_anchor_is_in_the_stock_file_once(anchor):
    marked = stockcfg.insert(stockcfg.stock_text(), anchor, "# here")
    assert marked.count("\n# here\n") == 1


@pytest.mark.parametrize("modules", [*((name,) for name in stack_.MODULES), stack_.MODULES], ids="+".join)
def test_documented_lines_pass_the_check(tmp_path, modules):
    good, said = kamailio.check(stock_with(tmp_path, modules))
    assert good, said


@pytest.mark.parametrize("modules", [("fraudguard",), stack_.MODULES], ids="+".join)
def test_fraudguard_limits_calls(tmp_path, run_kamailio, modules):
    server = start(run_kamailio, stock_with(tmp_path, modules))
    with telephone(server.address, "alice") as alice, telephone(server.address, "bob", "127.1.0.2") as bob:
        assert bob.register().status == 200
        statuses = []
        for _ in range(12):
            raw = alice.message("INVITE", f"sip:bob@{DOMAIN}", [("Content-Type", "application/sdp")],
                                sip.sdp(alice.end.host, 4000))
            first = sip.Message(raw)
            alice.end.send(raw)
            challenge = alice.end.final(first.callid, first.cseq)
            raw = alice.authorised(raw, challenge)
            alice.end.send(raw)
            wanted = sip.Message(raw)
            invite = bob.end.expect(lambda m, c=wanted.callid: m.method == "INVITE" and m.callid == c, 0.5)
            if invite:
                bob.end.reply(invite, 486, "Busy Here", tag="b")
            statuses.append(alice.end.final(wanted.callid, wanted.cseq).status)
    assert statuses == [486] * 10 + [403] * 2, statuses


@pytest.mark.parametrize("modules", [("regguard",), stack_.MODULES], ids="+".join)
def test_regguard_denies_a_replay(tmp_path, run_kamailio, modules):
    server = start(run_kamailio, stock_with(tmp_path, modules))
    with telephone(server.address, "alice") as alice, sip.Endpoint(server.address, ports.FOREIGN) as thief:
        answer = alice.register()
        assert answer.status == 200, answer
        raw = replayed(answer.sent, thief, f"<sip:alice@{thief.where}>")
        thief.send(raw)
        message = sip.Message(raw)
        response = thief.final(message.callid, message.cseq)
        assert response is not None and response.status == 403, response
        assert server.contacts("alice") == [alice.contact]


@pytest.mark.parametrize("modules", [("callroute",), stack_.MODULES], ids="+".join)
def test_callroute_reaches_a_trunk(tmp_path, run_kamailio, modules):
    with sip.Endpoint(None, ports.TRUNKS) as trunk:
        server = start(run_kamailio, stock_with(tmp_path, modules, f"sip:{trunk.where}"))
        with telephone(server.address, "alice") as alice:
            raw = alice.message("INVITE", f"sip:+12025550123@{DOMAIN}", [("Content-Type", "application/sdp")],
                                sip.sdp(alice.end.host, 4000))
            first = sip.Message(raw)
            alice.end.send(raw)
            raw = alice.authorised(raw, alice.end.final(first.callid, first.cseq))
            alice.end.send(raw)
            invite = trunk.request("INVITE")
            assert invite is not None, "the call did not reach the trunk"
            trunk.reply(invite, 486, "Busy Here", tag="t")
            wanted = sip.Message(raw)
            assert alice.end.final(wanted.callid, wanted.cseq).status == 486


def test_three_lines_drop_a_flood(tmp_path, run_kamailio):
    """fraudguard without a database: requests over 30 in 2 seconds get no answer, another source does."""
    database = stack_.create_database(str(tmp_path / "tollgate.sqlite"), sql=[PLAIN])
    cfg = stockcfg.write(str(tmp_path / "stock.cfg"), readme.drop_in("fraudguard-alone"),
                         f"sqlite:///{database}", ["WITH_AUTH"])
    server = start(run_kamailio, cfg)
    with telephone(server.address, "bob", ports.FOREIGN) as flooder, telephone(server.address, "alice") as alice:
        sent = [flooder.message("OPTIONS", f"sip:{DOMAIN}") for _ in range(60)]
        for raw in sent:
            flooder.end.send(raw)
        # One answer at a time: the last one that comes is the thirtieth.
        answered = 0
        while flooder.end.expect(lambda m: m.status == 200, 0.5):
            answered += 1
        assert answered == 30
        assert alice.register().status == 200


def test_foreign_from_reaches_no_trunk(tmp_path, run_kamailio):
    """The stock script authenticates only its own From domain: no other may call at our expense."""
    with sip.Endpoint(None, ports.TRUNKS) as trunk:
        server = start(run_kamailio, stock_with(tmp_path, stack_.MODULES, f"sip:{trunk.where}"))
        with telephone(server.address, "alice") as alice:
            raw = alice.message("INVITE", f"sip:+12025550123@{DOMAIN}", [("Content-Type", "application/sdp")],
                                sip.sdp(alice.end.host, 4000))
            raw = sip.with_header(raw, "From", "<sip:anybody@elsewhere.invalid>;tag=x")
            message = sip.Message(raw)
            alice.end.send(raw)
            response = alice.end.final(message.callid, message.cseq)
            assert response is not None and response.status >= 400, response
        assert trunk.request("INVITE", 0.3) is None


def test_calls_to_trunks_are_limited_too(tmp_path, run_kamailio):
    """All three modules in one file: the eleventh call in a minute reaches no trunk."""
    with sip.Endpoint(None, ports.TRUNKS) as trunk:
        server = start(run_kamailio, stock_with(tmp_path, stack_.MODULES, f"sip:{trunk.where}"))
        with telephone(server.address, "alice") as alice:
            statuses = []
            for _ in range(12):
                raw = alice.message("INVITE", f"sip:+12025550123@{DOMAIN}", [("Content-Type", "application/sdp")],
                                    sip.sdp(alice.end.host, 4000))
                first = sip.Message(raw)
                alice.end.send(raw)
                raw = alice.authorised(raw, alice.end.final(first.callid, first.cseq))
                wanted = sip.Message(raw)
                alice.end.send(raw)
                invite = trunk.expect(lambda m, c=wanted.callid: m.method == "INVITE" and m.callid == c, 0.5)
                if invite:
                    trunk.reply(invite, 486, "Busy Here", tag="t")
                statuses.append(alice.end.final(wanted.callid, wanted.cseq).status)
    assert statuses == [486] * 10 + [403] * 2, statuses


@pytest.mark.parametrize("module", stack_.MODULES)
def test_module_readme_shows_the_minimal_cfg(module):
    """Chapter 11 is the file itself, which edge/test_cfg.py runs."""
    with open(f"{kamailio.ROOT}/cfg/minimal/{module}.cfg", encoding="utf-8") as source:
        text = source.read()
    blocks = readme.blocks(f"modules/{module}/README.md")
    assert any(block.text == text for block in blocks), "chapter 11 differs from the file"


def test_emergency_passes_a_banned_source_and_a_limited_account(tmp_path, run_kamailio):
    """With the README's lines alone: no limiter of fraudguard stops a call to 112."""
    server = start(run_kamailio, stock_with(tmp_path, ("fraudguard",)))
    with telephone(server.address, "alice") as alice:
        for key in (f"ip:{alice.end.host}", f"account:alice@{DOMAIN}"):
            server.rpc("fraudguard.ban", key, 600)
        assert alice.invite(f"sip:bob@{DOMAIN}", seconds=1).status == 0, "the ban is not in force"
        answer = alice.invite(f"sip:112@{DOMAIN}")
        # Let through to the stock script, which has nobody by that name.
        assert answer.status == 404, answer
