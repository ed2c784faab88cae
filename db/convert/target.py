# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a Conversion into the tables of callroute, all of it or nothing.

Ids: a trunk keeps the id of its gateway and a plan that of its group, set or
instance (plus --id-base); carriers and decks count on from the highest there.
Names decide what is the same: rows of those names are refused, or with replace
changed in place, so that their ids, and what hangs on them, stay. Columns that
the source knows nothing about keep what an operator set there.
"""

import contextlib
import itertools
import sqlite3

from schema import backend
from schema import generate
from convert.rows import ConvertError

BATCH = 500  # rows of one INSERT
_NAMED = ("carrier", "trunk", "deck", "plan")


class Target:
    """The database written to, as it is before."""

    def __init__(self, database):
        self.database = database
        self._check()
        self.ids = {kind: self._pairs(f"SELECT name, id FROM callroute_{kind}") for kind in _NAMED}
        where = "SELECT match_value, id FROM callroute_account WHERE match_type = 'user'"
        self.ids["account"] = self._pairs(where)
        rows = database.query("SELECT id, tz, dtstart, duration, rrule, exdate FROM callroute_time ORDER BY id DESC")
        self.times = {row[1:]: int(row[0]) for row in rows}
        self.last_time = max(self.times.values(), default=0)

    def _pairs(self, sql):
        return {name: int(key) for name, key in self.database.query(sql)}

    def _check(self):
        if not self.database.exists():
            raise ConvertError(f"{self.database}: does not exist; create it with db/create.py")
        there = self.database.tables()
        found = dict(self.database.query("SELECT table_name, table_version FROM version")) if "version" in there else {}
        for table in generate.load()["callroute"]:
            if table.name not in there or found.get(table.name) != str(table.version):
                have = found.get(table.name, "none")
                raise ConvertError(
                    f"{self.database}: {table.name} has version {have}, not {table.version}; see db/create.py --check"
                )

    def statements(self, conversion, id_base, replace):
        """The SQL of one transaction. ConvertError when names or ids are taken."""
        wanted = {
            "carrier": {name: {} for name in conversion.carriers},
            "trunk": conversion.trunks,
            "deck": dict.fromkeys(conversion.decks, {}),
            "plan": conversion.plans,
            "account": {row["match_value"]: {} for row in conversion.accounts},
        }
        taken = [f"{kind} {name}" for kind, rows in wanted.items() for name in rows if name in self.ids[kind]]
        if taken and not replace:
            more = f" and {len(taken) - 5} more" if len(taken) > 5 else ""
            raise ConvertError(f"{self.database}: already has {', '.join(taken[:5])}{more}; --replace changes them")
        ids = {kind: self._allot(kind, rows, id_base) for kind, rows in wanted.items()}
        return [*self._parents(conversion, ids), *self._children(conversion, ids)]

    def _allot(self, kind, rows, id_base):
        """{name: id}; ConvertError when another name has the id."""
        holders = {key: name for name, key in self.ids[kind].items()}
        ids = {name: self.ids[kind][name] for name in rows if name in self.ids[kind]}
        for name, row in rows.items():
            key = row.get("id", 0) + id_base
            if name in ids or row.get("id", 0) < 1:
                continue
            if key in holders:
                raise ConvertError(
                    f"{self.database}: {kind} id {key} belongs to {holders[key]}; --id-base N adds N to the ids"
                )
            ids[name], holders[key] = key, name
        for name in rows:
            if name not in ids:
                ids[name] = max(holders, default=0) + 1
                holders[ids[name]] = name
        return ids

    def _parents(self, conversion, ids):
        rows = {
            "carrier": {name: {} for name in conversion.carriers},
            "trunk": {name: dict(row) for name, row in conversion.trunks.items()},
            "deck": {name: {} for name in conversion.decks},
            "plan": {name: dict(row) for name, row in conversion.plans.items()},
        }
        for row in rows["trunk"].values():
            row["carrier_id"] = ids["carrier"][row.pop("carrier")]
        for kind in _NAMED:
            for name, row in rows[kind].items():
                row.pop("id", None)
                yield self._put(kind, ids[kind][name], name in self.ids[kind], {"name": name, **row})
        for row in conversion.accounts:
            columns = {**row, "plan_id": ids["plan"][row["plan"]]}
            columns.pop("plan")
            value = row["match_value"]
            yield self._put("account", ids["account"][value], value in self.ids["account"], columns)

    @staticmethod
    def _put(kind, key, exists, columns):
        if exists:
            change = ", ".join(f"{name} = {generate.literal(value)}" for name, value in columns.items())
            return f"UPDATE callroute_{kind} SET {change} WHERE id = {key};"
        return _insert(f"callroute_{kind}", [{"id": key, **columns}])

    def _children(self, conversion, ids):
        for name in conversion.decks:
            if name in self.ids["deck"]:
                key = ids["deck"][name]
                # What an import would roll back to is gone with the rates.
                yield f"DELETE FROM callroute_rate_change WHERE deck_id = {key};"
                yield f"DELETE FROM callroute_rate WHERE deck_id = {key};"
                yield f"UPDATE callroute_deck SET revision = revision + 1 WHERE id = {key};"
        for name in conversion.plans:
            if name in self.ids["plan"]:
                yield f"DELETE FROM callroute_plan_trunk WHERE plan_id = {ids['plan'][name]};"
                yield f"DELETE FROM callroute_rule WHERE plan_id = {ids['plan'][name]};"
        times, fresh = [], []
        for columns in conversion.times:
            found = self.times.get(tuple(value for _, value in columns))
            times.append(found or self.last_time + len(fresh) + 1)
            if not found:
                fresh.append({"id": times[-1], **dict(columns)})
        rates = [
            {"deck_id": ids["deck"][deck], "prefix": prefix, "valid_till": 0, "blocked": 0, "is_default": 0} | row
            for deck, rows in conversion.decks.items()
            for prefix, row in rows
        ]
        plan_trunks = [
            {"plan_id": ids["plan"][plan], "trunk_id": ids["trunk"][row["trunk"]], "deck_id": ids["deck"][row["deck"]]}
            | {key: row[key] for key in ("priority", "weight")}
            for plan, rows in conversion.plan_trunks.items()
            for row in rows
        ]
        rules = [
            {"plan_id": ids["plan"][plan], "time_id": 0 if row["time"] is None else times[row["time"]]}
            | {key: row[key] for key in ("prefix", "priority", "action", "target", "stop")}
            for plan, rows in conversion.rules.items()
            for row in rows
        ]
        for table, rows in (("time", fresh), ("rate", rates), ("plan_trunk", plan_trunks), ("rule", rules)):
            rest = iter(rows)
            while batch := list(itertools.islice(rest, BATCH)):
                yield _insert(f"callroute_{table}", batch)

    def left_over(self, conversion, stem):
        """(table, name) of what an earlier run wrote, and this source does not have."""
        for kind, rows in (("trunk", conversion.trunks), ("plan", conversion.plans)):
            for name in sorted(self.ids[kind]):
                if name.startswith(stem) and name not in rows:
                    yield f"callroute_{kind}", name

    def write(self, statements):
        """Run them as one transaction."""
        sql = "\n".join(statements)
        if self.database.dialect == "mysql":
            self.database.run(f"START TRANSACTION;\n{sql}\nCOMMIT;")  # the client stops at the first error
            return
        try:
            with contextlib.closing(sqlite3.connect(self.database.path, timeout=30)) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                # A failure leaves the transaction open, and closing undoes it.
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nCOMMIT;")
        except sqlite3.Error as error:
            raise backend.DatabaseError(f"{self.database}: {error}") from error


def _insert(table, rows):
    values = ",\n".join("(" + ", ".join(map(generate.literal, row.values())) + ")" for row in rows)
    return f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values};"
