# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading again: all, one deck, the plans; without publishing; what is refused, and that the old data stay.

What went wrong elsewhere, and must not here:
- drouting: an empty rule table wipes all routes (an_empty_table_keeps_the_old_data).
- OpenSIPS #1961: an accidental empty prefix matched every number (an_accidental_empty_prefix_...).
- dispatcher: a reload zeroes the runtime state (a_reload_leaves_channels_and_health_alone).
- mtree, pdt: the reference count is one process's own, so that a reload frees what others
  read (reloads_under_calls in callroute/test_soak.py).
"""

import pytest

from support.loading import PREFIXES, Loading
from support.process import eventually
from support.routing import Trunk

A, B = "a", "b"


@pytest.fixture
def loads(tmp_path):
    """Trunk and deck a for 1000, b for 2000."""
    with Loading(tmp_path, [Trunk(A, 1000), Trunk(B, 2000)]) as one:
        yield one


def rates(deck, count, stem=3000, price=500):
    """A statement that adds rates of a deck: prefixes stem*10^5 and up."""
    return ("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < " + f"{count}) "
            f"INSERT INTO callroute_rate (deck_id, prefix, price) SELECT {deck}, {stem}00000 + i, {price} + i FROM n")


# -- what is loaded ------------------------------------------------------------


def test_a_full_reload_takes_what_the_tables_say(loads):
    assert loads.generation == 1
    loads.sql("INSERT INTO callroute_rate (deck_id, prefix, price) VALUES (2, '4930', 10)",
              "UPDATE callroute_rate SET price = 77 WHERE deck_id = 1 AND prefix = '49'")
    assert loads.prices("4930123") == {A: 1000, B: 2000}, "changed before the reload"
    done = loads.published()
    assert (done["scope"], done["rows_read"], done["message"]) == ("all", 2 * len(PREFIXES) + 1, "ok")
    assert loads.prices("4930123") == {A: 77, B: 10}
    answer, tried = loads.call("+4930123")
    assert (answer.status, tried) == (200, [B])


def test_one_deck_reads_only_its_rows(loads):
    loads.sql("UPDATE callroute_rate SET price = price + 1",
              "DELETE FROM callroute_rate WHERE deck_id = 2 AND prefix = '1'",
              rates(2, 50))
    done = loads.published("deck", B)
    assert (done["scope"], done["deck"], done["rows_read"]) == ("deck", B, len(PREFIXES) - 1 + 50)
    assert loads.prices("4930123") == {A: 1000, B: 2001}, "the other deck's rows were not asked for"
    assert loads.prices("300000049") == {B: 549}
    assert loads.prices("12025550123") == {A: 1000}
    assert loads.rpc("callroute.status")["rates"] == 2 * len(PREFIXES) - 1 + 50


def test_one_deck_gives_what_a_full_load_gives(loads):
    loads.sql(rates(1, 300, stem=4000), rates(2, 300))
    loads.published()
    loads.sql("UPDATE callroute_rate SET price = price * 3 WHERE deck_id = 2 AND id % 2 = 0",
              "DELETE FROM callroute_rate WHERE deck_id = 2 AND id % 7 = 0",
              "INSERT INTO callroute_rate (deck_id, prefix, src_prefix, price, valid_from) "
              "VALUES (2, '3', '43', 9, 86400)")
    loads.published("deck", B)
    whole = loads.rpc("callroute.status")["rates"]
    difference = loads.load("dry")["difference"]
    assert difference["same"] == whole == int(loads.sql("SELECT count(*) FROM callroute_rate")[0][0])
    assert [difference[name] for name in ("added", "removed", "changed")] == [0, 0, 0], difference


def test_an_unknown_deck_is_refused_by_name(loads):
    assert loads.refused("deck", "nobody") == "there is no deck 'nobody'"
    assert loads.prices("4930123") == {A: 1000, B: 2000}


def test_the_plans_alone_read_no_rate(loads):
    """A new trunk that sells an old deck takes calls at once."""
    new = Trunk("new")
    loads.sql(f"INSERT INTO callroute_trunk (id, carrier_id, name, uri) "
              f"VALUES (3, 2, 'new', 'sip:127.0.0.1:{new.port}')",
              "INSERT INTO callroute_plan_trunk (plan_id, trunk_id, deck_id) VALUES (1, 3, 1)",
              "DELETE FROM callroute_plan_trunk WHERE trunk_id = 1",
              "UPDATE callroute_rate SET price = 9000")
    done = loads.published("plan")
    assert (done["scope"], done["rows_read"]) == ("plan", 0)
    assert loads.prices("4930123") == {"new": 1000, B: 2000}, "rates are as they were"
    assert loads.rpc("callroute.explain", "4930123", "default")["chosen"] == ["new", B]


def test_another_rate_of_exchange_needs_all_rates(loads):
    """Prices are converted when they are loaded: those in use are at the old rate."""
    loads.sql("UPDATE callroute_deck SET fx = 1000000 WHERE id = 1",
              "UPDATE callroute_deck SET fx = 3000000 WHERE id = 2")
    done = loads.published("plan")
    assert done["rows_read"] == 2 * len(PREFIXES)
    assert loads.prices("4930123") == {A: 1000, B: 6000}


def test_a_deck_that_is_switched_on_needs_all_rates(loads):
    loads.sql("UPDATE callroute_deck SET enabled = 0 WHERE id = 2")
    loads.published()
    assert loads.prices("4930123") == {A: 1000}
    loads.sql("UPDATE callroute_deck SET enabled = 1 WHERE id = 2")
    done = loads.published("plan")
    assert done["rows_read"] == 2 * len(PREFIXES)
    assert loads.prices("4930123") == {A: 1000, B: 2000}


def test_one_deck_is_enough_where_it_is_the_one_switched_on(loads):
    loads.sql("UPDATE callroute_deck SET enabled = 0 WHERE id = 2")
    loads.published()
    loads.sql("UPDATE callroute_deck SET enabled = 1 WHERE id = 2")
    assert loads.published("deck", B)["rows_read"] == len(PREFIXES)
    assert loads.prices("4930123") == {A: 1000, B: 2000}


def test_a_reload_leaves_channels_and_health_alone(tmp_path):
    """dispatcher zeroes flags and load: calls under way vanish from its count, dead hosts are tried again."""
    trunks = [Trunk(A, 1000, max_channels=5), Trunk(B, 2000, probe_interval=1, down_after=1)]
    with Loading(tmp_path, trunks, dialog=True) as loads:
        loads.ends[B].options = 503
        loads.becomes(B, "health", "down")
        agent = loads.agent()
        answer = agent.invite("sip:+4930123@127.0.0.1", seconds=10)
        assert answer.status == 200, answer
        dialog = agent.dialog(answer)
        dialog.ack()
        before = [(loads.trunk(name)["channels"], loads.trunk(name)["health"]) for name in (A, B)]
        assert [channels for channels, _ in before] == [1, 0]
        for words in ((), ("deck", A), ("plan",)):
            loads.published(*words)
            assert [(loads.trunk(name)["channels"], loads.trunk(name)["health"]) for name in (A, B)] == before
        assert dialog.bye().status == 200
        assert eventually(lambda: loads.trunk(A)["channels"] == 0)


# -- without publishing -----------------------------------------------------------


def independent(before, after):
    """What a dry run must say, from two {(deck, prefix): price}."""
    both = before.keys() & after.keys()
    changed = [key for key in both if before[key] != after[key]]

    def closeness(key):
        low, high = sorted((before[key], after[key]))
        return low * 10000 // high if high else 10000

    return {"added": len(after.keys() - before.keys()), "removed": len(before.keys() - after.keys()),
            "changed": len(changed), "same": len(both) - len(changed),
            "risen": sum(after[key] > before[key] for key in changed),
            "fallen": sum(after[key] < before[key] for key in changed)}, {key: closeness(key) for key in changed}


def table(loads):
    """{(deck, prefix): price} as the table has it."""
    return {(int(deck), prefix): int(price)
            for deck, prefix, price in loads.sql("SELECT deck_id, prefix, price FROM callroute_rate")}


@pytest.mark.parametrize("words", [(), ("deck", B)])
def test_a_dry_run_says_what_would_change(loads, words):
    loads.sql(rates(2, 400))
    loads.published()
    before, generation = table(loads), loads.generation
    loads.sql("DELETE FROM callroute_rate WHERE deck_id = 2 AND id % 9 = 0",
              "UPDATE callroute_rate SET price = price * 2 WHERE deck_id = 2 AND id % 5 = 0",
              "UPDATE callroute_rate SET price = price - 1 WHERE deck_id = 2 AND id % 5 = 1 AND price > 0",
              "UPDATE callroute_rate SET price = price * 100 WHERE deck_id = 2 AND prefix = '300000007'",
              "UPDATE callroute_rate SET price = 0 WHERE deck_id = 2 AND prefix = '44'", rates(2, 30, stem=5000))
    expected, closeness = independent(before, table(loads))
    assert min(expected.values()) > 0, expected
    done = loads.load(*words, "dry")
    assert done["result"] == "dry", done
    told = done["difference"]
    assert {name: told[name] for name in expected} == expected
    moves = [(row["deck"], row["prefix"]) for row in told["biggest_moves"]]
    after = table(loads)
    assert [(int(row["from"]), int(row["to"])) for row in told["biggest_moves"]] == \
        [(before[key], after[key]) for key in moves]
    assert [closeness[key] for key in moves] == sorted(closeness.values())[:10], "the ten biggest, the biggest first"
    assert moves[:2] == [(2, "44"), (2, "300000007")]
    assert loads.generation == generation, "nothing is published"
    assert loads.prices("4930123") == {A: 1000, B: 2000}


def test_a_dry_run_names_bad_rows_too(loads):
    loads.sql("INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (900, 2, '49x', 1)")
    assert "callroute_rate id 900" in loads.refused("dry")


# -- what is refused ----------------------------------------------------------------

# A table, its columns, and the row number n.
GUARDED = {
    "callroute_rate": ("deck_id, prefix, price", "1, 500 + i, 7"),
    "callroute_trunk": ("carrier_id, name, uri", "1, 'spare' || i, 'sip:192.0.2.1:' || (6000 + i)"),
    "callroute_plan_trunk": ("plan_id, trunk_id, deck_id, time_id", "1, 1, 1, 100 + i"),
    "callroute_account": ("match_type, match_value, plan_id", "'user', 'u' || i, 1"),
    "callroute_rule": ("plan_id, prefix, action", "1, 600 + i, 'block'"),
    "callroute_block": ("list, side, prefix", "'*', 'dst', 700 + i"),
    "callroute_did": ("number, target_type, target", "49301000 + i, 'user', 'alice'"),
    "callroute_lnp": ("number, routing_number", "49302000 + i, '49999'"),
}


@pytest.mark.parametrize("name", GUARDED)
def test_a_table_that_lost_more_than_half_is_refused(tmp_path, name):
    """max_shrink is 50 per cent: half may go, one row more may not, unless it is forced."""
    columns, row = GUARDED[name]
    times = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
             "INSERT INTO callroute_time (id, tz, dtstart, duration) "
             "SELECT 100 + i, 'UTC', '20200101T000000', 'P1D' FROM n")
    rows = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) " \
           f"INSERT INTO {name} ({columns}) " \
           f"SELECT {row} FROM n"
    with Loading(tmp_path, [Trunk(A, 1000), Trunk(B, 2000)], sql=[times, rows]) as loads:
        whole = int(loads.sql(f"SELECT count(*) FROM {name}")[0][0])
        loads.sql(f"DELETE FROM {name} WHERE id IN (SELECT id FROM {name} ORDER BY id DESC LIMIT {whole // 2 + 1})")
        assert loads.refused() == f"{name} shrank by more than max_shrink per cent: check the table, or " \
                                  "callroute.reload force"
        loads.published("force")
        loads.sql(f"DELETE FROM {name} WHERE id IN (SELECT id FROM {name} ORDER BY id DESC LIMIT "
                  f"{(whole - whole // 2 - 1) // 2})")
        loads.published()


@pytest.mark.parametrize("words", [(), ("force",), ("plan",), ("deck", A)])
@pytest.mark.parametrize("name", ["callroute_rate", "callroute_plan", "callroute_plan_trunk"])
def test_an_empty_table_keeps_the_old_data(tmp_path, name, words):
    """drouting: an empty table, and all routes are gone. Nobody can mean that, whatever they force."""
    with Loading(tmp_path, [Trunk(A, 1000)]) as loads:
        loads.sql(f"DELETE FROM {name}")
        if name == "callroute_rate" and words == ("plan",):
            assert loads.published(*words)["rows_read"] == 0    # rates are none of its business
        else:
            assert loads.refused(*words) != ""
        answer, tried = loads.call("+4930123")
        assert (answer.status, tried) == (200, [A])


def test_an_accidental_empty_prefix_keeps_the_old_data(loads):
    """OpenSIPS #1961: a row without a prefix took every call, "this caused us quite money"."""
    loads.sql("INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (901, 2, '', 1)")
    assert loads.refused() == "callroute_rate id 901: empty prefix without is_default = 1 (it would match every number)"
    assert loads.prices("99912345") == {}
    loads.sql("UPDATE callroute_rate SET is_default = 1 WHERE id = 901")
    loads.published()
    assert loads.prices("99912345") == {B: 1}


BAD = {
    "zone": ("INSERT INTO callroute_time (id, tz, dtstart, duration) "
             "VALUES (5, 'Mars/Olympus', '20260101T000000', 'P1D')",
             "callroute_time id 5"),
    "rrule": ("INSERT INTO callroute_time (id, tz, dtstart, duration, rrule) VALUES "
              "(6, 'UTC', '20260101T000000', 'PT1H', 'FREQ=SOMETIMES')", "callroute_time id 6"),
    "carrier": ("UPDATE callroute_trunk SET carrier_id = 99 WHERE id = 2", "callroute_trunk id 2"),
    "uri": ("UPDATE callroute_trunk SET uri = 'sip:' WHERE id = 2", "callroute_trunk id 2"),
    "price": ("UPDATE callroute_rate SET price = -1 WHERE id = 2", "callroute_rate id 2"),
    "dates": ("UPDATE callroute_rate SET valid_from = 50, valid_till = 40 WHERE id = 3", "callroute_rate id 3"),
    "prefix": ("UPDATE callroute_rate SET prefix = '49 30' WHERE id = 4", "callroute_rate id 4"),
    "deck": ("UPDATE callroute_rate SET deck_id = 77 WHERE id = 5", "callroute_rate id 5"),
    "twice": ("INSERT INTO callroute_rate (id, deck_id, prefix, price) VALUES (902, 2, '49', 5)",
              "callroute_rate id 902"),
    "order": ("UPDATE callroute_plan SET order_by = 'luck' WHERE id = 1", "callroute_plan id 1"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_row_is_told_by_its_id(loads, what):
    statement, named = BAD[what]
    loads.sql(statement)
    assert named in loads.refused(), loads.last
    assert loads.refused("force").startswith(named), "nothing makes a bad row good"
    assert loads.prices("4930123") == {A: 1000, B: 2000}


def test_every_bad_row_is_in_the_log(loads):
    loads.sql("UPDATE callroute_rate SET price = -id WHERE id <= 4")
    mark = loads.kamailio.mark()
    assert loads.refused().startswith("callroute_rate id 1:")
    lines = loads.kamailio.grep("bad-row ", mark)
    assert [f"callroute_rate id {number}:" in line for number, line in enumerate(lines, 1)] == [True] * 4, lines


@pytest.mark.parametrize("name", ["callroute_plan", "callroute_trunk"])
def test_a_name_that_stands_there_twice_is_refused(loads, name):
    columns = {"callroute_plan": "name", "callroute_trunk": "carrier_id, name, uri"}[name]
    loads.drop_uniqueness(name)
    loads.sql(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {name} WHERE id = 1")
    reason = loads.refused()
    assert name in reason and "twice" in reason, reason


def test_data_that_do_not_fit_keep_the_old_ones(tmp_path):
    with Loading(tmp_path, [Trunk(A, 1000)], params='modparam("callroute", "snapshot_mb", 1)') as loads:
        loads.sql(rates(1, 150_000))
        assert loads.refused() == "the data do not fit: raise modparam snapshot_mb"
        assert loads.prices("4930123") == {A: 1000}
        loads.sql("DELETE FROM callroute_rate WHERE id > 1000")
        loads.published()
        assert loads.prices("300000007") == {A: 507}


# -- many orders ------------------------------------------------------------------------


def test_orders_that_wait_for_the_same_are_served_together(loads):
    """And each ticket is answered by a load that began after it was asked for."""
    before = loads.generation
    with loads.keeper_held():
        tickets = [loads.order() for _ in range(40)]
        loads.sql("UPDATE callroute_rate SET price = 5 WHERE deck_id = 1")
    assert tickets == list(range(tickets[0], tickets[0] + 40))
    done = loads.outcome(tickets[-1])
    assert (done["ticket"], done["result"]) == (tickets[-1], "published")
    assert loads.generation == before + 1
    assert loads.prices("4930123")[A] == 5


def test_different_orders_that_wait_are_all_done_in_order(loads):
    loads.sql("UPDATE callroute_rate SET price = price + 1")
    before, mark = loads.generation, loads.kamailio.mark()
    with loads.keeper_held():
        loads.order("deck", A)
        loads.order("dry")
        loads.order("plan")
        last = loads.order("deck", B)
    assert loads.outcome(last)["result"] == "published"
    assert loads.generation == before + 3
    lines = loads.kamailio.grep(r"callroute.*(would-load|loaded) rates=", mark)
    told = [("would" in line, int(line.partition("rows_read=")[2].split()[0])) for line in lines]
    count = len(PREFIXES)
    assert told == [(False, count), (True, 2 * count), (False, 0), (False, count)]
    assert loads.prices("4930123") == {A: 1001, B: 2001}


def test_more_orders_than_wait_at_a_time_are_refused_with_a_reason(loads):
    before = loads.generation
    with loads.keeper_held():
        given, refusal = [], None
        while refusal is None and len(given) < 1000:
            try:
                given.append(loads.order())
            except AssertionError as error:
                refusal = str(error)
    assert len(given) == 64 and "503 too many reloads wait already" in refusal, (len(given), refusal)
    assert loads.outcome(given[-1])["result"] == "published"
    assert loads.generation == before + 1
    loads.published()
