# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan without emergency rules, and accounts of a country that has such numbers: said when it is loaded."""

from support.loading import Loading
from support.routing import Trunk

ACCOUNT = "INSERT INTO callroute_account (match_type, match_value, plan_id, country) VALUES ('user', '{}', 1, 'DE')"
RULE = "INSERT INTO callroute_rule (plan_id, prefix, action, target) VALUES (1, '{}', 'emergency', 'a')"
WORDS = "emergency-unserved plan=default country=DE numbers="


def test_numbers_without_a_rule_are_said_at_each_load(tmp_path):
    sql = [ACCOUNT.format("alice"), ACCOUNT.format("bob"), RULE.format("110")]
    with Loading(tmp_path, [Trunk("a")], sql=sql) as loads:
        assert WORDS + "112 account=1:" in loads.kamailio.wait_line(WORDS)
        loads.sql("DELETE FROM callroute_rule")
        loads.published()
        assert WORDS + "110,112 account=1:" in loads.kamailio.wait_line(WORDS + "110,112")
        loads.sql(RULE.format("110"), RULE.format("112"))
        loads.published()
        loads.published()
        told = [line for line in loads.kamailio.lines if WORDS in line]
        assert len(told) == 2, told
