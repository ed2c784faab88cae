# SPDX-License-Identifier: GPL-2.0-or-later
"""Data sets written by hand: rows with the schema's defaults in what is not said."""

from oracle.world import COLUMNS, World

DEFAULTS = {
    "duration": "", "rrule": "", "exdate": "", "max_channels": 0, "max_cps": 0, "enabled": 1, "breaker_id": 0,
    "probe_interval": 0, "down_after": 3, "up_after": 2, "admin_state": "up", "side": "buy", "currency": "EUR", "fx": 0,
    "src_prefix": "", "connect_fee": 0, "first_sec": 1, "step_sec": 1, "valid_from": 0, "valid_till": 0, "blocked": 0,
    "is_default": 0, "order_by": "price", "sell_deck_id": 0, "min_margin": 0, "min_margin_pct": 0, "max_attempts": 3,
    "use_lnp": 0, "priority": 10, "weight": 1, "time_id": 0, "src_countries": "", "dst_countries": "",
}


def plain_world(now, questions, **tables):
    rows = {table: [{c: row.get(c, DEFAULTS.get(c)) for c in columns} for row in tables.get(table, ())]
            for table, columns in COLUMNS.items()}
    return World(now, rows, questions)


def question(plan, number, now, seed=1):
    return {"what": "ask", "plan": plan, "number": number, "src": "", "account": 0, "channels": 0, "cps": 0, "now": now,
            "clock": 1000000, "seed": seed}
