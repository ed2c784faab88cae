# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole decision over 20 vendors' price lists, by script function, beside those of drouting and lcr."""

import os
import time

import benchdata
import benchdecks
import benchkamailio
import benchroutes

QUERIES = 100_000
SIZES = {"20 x 2.5 k": 2_500, "20 x 65 k": 65_000}
ROUTERS = ("callroute", "drouting", "lcr", "dispatcher")
EXACT = ("drouting", "lcr")     # must send each call where callroute does


def measure(report, folder, prefixes):
    """Both sizes, one Kamailio each."""
    for size, rows in SIZES.items():
        run_dir = os.path.join(folder, f"decision-{rows}")
        os.makedirs(run_dir)
        _one_size(report, run_dir, size, prefixes, rows)


def _one_size(report, run_dir, size, prefixes, rows):
    database, listing = os.path.join(run_dir, "bench.sqlite"), os.path.join(run_dir, "prefixes")
    benchdata.create(database)
    kamailio = benchkamailio.start(run_dir, benchkamailio.ROUTING, url=f"sqlite:///{database}")
    try:
        made = benchdecks.fill(database, prefixes, rows)
        benchdata.write_prefixes(listing, made["prefixes"])
        kamailio.rpc("tgbench.load", listing, QUERIES, seconds=60)
        memory, seconds = {}, {}
        for name in ("drouting", "lcr", "dispatcher"):
            before, began = benchkamailio.shm_used(kamailio), time.monotonic()
            kamailio.rpc(f"{name}.reload", seconds=benchroutes.LOAD_SECONDS)
            seconds[name] = time.monotonic() - began
            memory[name] = benchkamailio.shm_used(kamailio) - before
        memory["callroute"], seconds["callroute"] = benchroutes.reload_callroute(kamailio)
        for row in kamailio.rpc("tgbench.scripts", *ROUTERS, seconds=300):
            name = row.pop("name")
            if row["lost"] or (name in EXACT and row["astray"]):
                report.fail(f"{size}: {name} found no trunk for {row['lost']} of {QUERIES} calls, "
                            f"and another one than callroute for {row['astray']}")
            if name != "dispatcher":
                row.update(bytes=memory[name] / made["rates"], load_s=seconds[name])
            report.add("decision", size, name, ours=name == "callroute", **row)
    finally:
        kamailio.stop()
    report.note(f"decision, {size}: {made['rates']} rates; for drouting and lcr {made['rules']} rules with "
                f"{made['targets']} gateways, worked out beforehand: they compare no vendors' prices")


def targets(report):
    """Those of design/callroute.md."""
    row = report.find("decision", "20 x 65 k", "callroute")
    if row:
        report.target("callroute, 20 vendors, 1.3 M rates, <= 40 B a rate", f"{row['bytes']:.1f} B", row["bytes"] <= 40)
