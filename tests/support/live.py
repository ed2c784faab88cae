# SPDX-License-Identifier: GPL-2.0-or-later
"""What callroute learns of its trunks: probes, breakers, quality, events.

    with Live(folder, [probed("a"), Trunk("b", 2000, breaker_id=1)], sql=[breaker(1)]) as live:
        live.ends["a"].options = None
        live.becomes("a", "health", "down")
"""

from .routing import Routing, Trunk

NUMBER = "4930123456"


def row(table, **columns):
    """The INSERT of one row of a table of callroute."""
    values = ", ".join(repr(value) for value in columns.values())
    return f"INSERT INTO callroute_{table} ({', '.join(columns)}) VALUES ({values})"


def probed(name, price=1000, transport="udp", uri=None, **columns):
    """A trunk that is probed each second and believes each probe."""
    return Trunk(name, price, transport, uri, **{"probe_interval": 1, "down_after": 1, "up_after": 1, **columns})


def breaker(key, **columns):
    """A breaker that opens at half of four calls, and tries again after two seconds."""
    return row("breaker", **{"id": key, "name": f"breaker{key}", "window_sec": 60, "min_calls": 4, "open_at": 50,
                             "half_open_after": 2, **columns})


def probes_more(*ends, count=2):
    """Wait until each far end has got `count` more probes."""
    wanted = [(end, len(end.got("OPTIONS")) + count) for end in ends]
    for end, total in wanted:
        end.wait("OPTIONS", total)


class Live(Routing):
    """A Routing that writes NOTICE lines."""

    def __init__(self, folder, trunks, plan=None, sql=(), params="", **how):
        super().__init__(folder, trunks, plan, sql, f"debug=1\n{params}", **how)

    def fates(self, number=NUMBER):
        """{trunk: fate} of a call."""
        said = self.rpc("callroute.explain", number, "default")
        return {one["trunk"]: one["fate"] for one in said["vendors"]}

    def edges(self, name, since=0):
        """The edges of a trunk's health in the log: "down", "up"."""
        return [line.partition(" trunk-")[2].split()[0]
                for line in self.kamailio.grep(rf" trunk-(up|down) trunk={name} ", since)]

    def moves(self, name, since=0):
        """The edges of a trunk's breaker in the log: "open", "closed"."""
        return [line.partition(" state=")[2].split()[0]
                for line in self.kamailio.grep(rf" breaker trunk={name} ", since)]

    def statuses(self, count, **how):
        """`count` calls one after the other: the last status of each, and the trunk that it came to."""
        found = [self.call(NUMBER, **how) for _ in range(count)]
        return [(answer.status, tried) for answer, tried in found]

    def counter(self, name):
        """One of the module's statistics."""
        return int(self.rpc("stats.fetch", f"callroute.{name}")[f"callroute.{name}"])
