# SPDX-License-Identifier: GPL-2.0-or-later
"""A million rates from SQLite and from MariaDB, through the module: all there, and none more.

The table is made by the database itself, in no order of prefixes.
"""

import pytest

from support.loading import Loading, OnServer, database_server
from support.routing import Trunk

MILLION = 1_000_000
# 617327 has no factor in common with a million: every prefix once, in wild order.
ROWS = ("INSERT INTO callroute_rate (deck_id, prefix, price) "
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) "
        "SELECT 1, 2000000 + ((1000 * high.i + low.i) * 617327) % 1000000, 1 + 1000 * high.i + low.i "
        "FROM n high, n low")
PARAMS = 'modparam("callroute", "snapshot_mb", 64)'


def prefix_of(number):
    """The prefix of row `number` of ROWS; its price is number + 1."""
    return str(2_000_000 + number * 617_327 % MILLION)


@pytest.fixture(params=["SQLite", "MariaDB"])
def loads(request, tmp_path):
    """Trunk a with three rates, before a million come."""
    trunks = [Trunk("a", 1000)]
    if request.param == "SQLite":
        with Loading(tmp_path, trunks, params=PARAMS) as one:
            yield one
    else:
        with database_server(tmp_path) as (server, port), \
                OnServer(tmp_path, trunks, server, port, params=PARAMS) as one:
            yield one


def test_a_million_rates_are_loaded_and_found(loads):
    loads.sql(ROWS)
    done = loads.published()
    assert done["rows_read"] == MILLION + 3
    status = loads.rpc("callroute.status")
    assert status["rates"] == MILLION + 3
    assert status["kilobytes"] * 1024 <= 40 * MILLION, "40 B a row, of all that a load makes"
    for number in (0, 1, 499, 500, 501, 123_456, 999_999):
        assert loads.prices(prefix_of(number) + "5550123") == {"a": number + 1}
    assert loads.prices("300000012345") == {}
    answer, tried = loads.call(f"+{prefix_of(7)}5550123")
    assert (answer.status, tried) == (200, ["a"])
    dry = loads.load("dry")["difference"]
    assert (dry["same"], dry["added"], dry["removed"], dry["changed"]) == (MILLION + 3, 0, 0, 0)
    loads.sql("UPDATE callroute_rate SET price = 77 WHERE price = 500001")
    assert loads.published("deck", "a")["rows_read"] == MILLION + 3
    assert loads.prices(prefix_of(500_000) + "5550123") == {"a": 77}
