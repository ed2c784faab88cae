# SPDX-License-Identifier: GPL-2.0-or-later
"""A million rates loaded again and again, from SQLite and from MariaDB, while calls are routed by them."""

import os
import sqlite3
import statistics
import subprocess
import sys

import benchdata
import benchdecks
import benchkamailio
import benchreload
import benchroutes
from support.kamailio import ROOT
from support.loading import database_server
from support.process import ProcessError

ROWS = 50_000       # of each of 20 vendors
TIMES, FELT = 7, 2
INSERT = 10_000     # rows a statement
TABLES = ("carrier", "deck", "trunk", "plan", "plan_trunk", "rule", "account", "rate")


def measure(report, folder, prefixes):
    """Both databases."""
    run_dir = os.path.join(folder, "million")
    os.makedirs(run_dir)
    lists = benchdecks.decks(prefixes, ROWS)
    database, listing = os.path.join(run_dir, "bench.sqlite"), os.path.join(run_dir, "prefixes")
    benchdata.write_prefixes(listing, sorted(set().union(*lists)))
    benchdata.create(database)
    benchdecks.fill_callroute(database, lists)
    _one(report, os.path.join(run_dir, "on-sqlite"), "SQLite", f"sqlite:///{database}", listing)
    with database_server(run_dir) as (server, port):
        made = subprocess.run([sys.executable, os.path.join(ROOT, "db", "create.py"), *server.options],
                              capture_output=True, text=True, timeout=60, check=False)
        if made.returncode:
            raise ProcessError(f"db/create.py: {made.stderr}")
        for table in TABLES:
            _copy(database, server, f"callroute_{table}")
        url = f"mysql://kamailio@127.0.0.1:{port}/{server.database}"
        _one(report, os.path.join(run_dir, "on-mariadb"), "MariaDB", url, listing)


def _copy(database, server, table):
    """All rows of a table."""
    with sqlite3.connect(database) as base:
        cursor = base.execute(f"SELECT * FROM {table}")
        names = ", ".join(column[0] for column in cursor.description)
        while rows := cursor.fetchmany(INSERT):
            values = ",".join("(" + ",".join(map(repr, row)) + ")" for row in rows)
            server.sql(f"INSERT INTO {table} ({names}) VALUES {values}")
    base.close()


def _again(kamailio):
    for _ in range(FELT):
        benchroutes.reload_callroute(kamailio)


def _one(report, run_dir, name, url, listing):
    kamailio = benchkamailio.start(run_dir, benchkamailio.CALLROUTE, url=url)
    times, status = [], []
    try:
        for _ in range(TIMES):
            size, seconds = benchroutes.reload_callroute(kamailio)
            times.append(seconds)
            status.append(kamailio.rpc("callroute.status"))
        # The caller takes a processor for itself: what it feels is measured apart.
        felt, idle, _ = benchreload.felt(kamailio, listing, "callroute", lambda: _again(kamailio))
    finally:
        kamailio.stop()
    rates = status[-1]["rates"]
    if felt["lost"]:
        report.fail(f"{name}: callroute found no trunk for {felt['lost']:.0f} calls during a reload")
    report.add("million", name, "callroute", f"{TIMES} reloads of {rates} rates, {FELT} felt", ours=True,
               reload_s=statistics.median(times), worst_s=max(times), bytes=size / rates,
               cpu_s=statistics.median(one["last_load"]["cpu_ms"] for one in status) / 1e3,
               **benchreload.figures(felt, idle))


def targets(report):
    """Those of design/callroute.md."""
    for name in ("SQLite", "MariaDB"):
        row = report.find("million", name, "callroute")
        if row:
            report.target(f"reload of 1 M rates from {name}, <= 3 s", f"{row['reload_s']:.2f} s", row["reload_s"] <= 3)
            report.target(f"the same, <= 0.5 s of processor in the keeper ({name})", f"{row['cpu_s']:.2f} s",
                          row["cpu_s"] <= 0.5)
            report.target(f"no call takes 1 ms while it is published ({name})",
                          f"longest {row['own_ms']:.2f} ms, idle {row['idle_ms']:.2f} ms", row["own_ms"] < 1)
