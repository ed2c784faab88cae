# SPDX-License-Identifier: GPL-2.0-or-later
"""Script functions at 300 k prefixes, and what a caller feels while each module reloads them."""

import os
import time

import benchdata
import benchkamailio
import benchroutes

QUERIES = 100_000
SCRIPTS = ("callroute", "drouting", "mtree", "pdt", "lcr", "htable", "dispatcher")
IDLE_SECONDS = 1.0  # how long the caller calls undisturbed, for comparison


def _rpc(*call):
    return lambda kamailio: kamailio.rpc(*call, seconds=benchroutes.LOAD_SECONDS)


# Those that free memory under their readers come last: they may take Kamailio along.
RELOADS = (("callroute", benchroutes.reload_callroute), ("drouting", _rpc("drouting.reload")),
           ("lcr", _rpc("lcr.reload")), ("htable", _rpc("htable.reload", "t")),
           ("mtree", _rpc("mtree.reload", "t")), ("pdt", _rpc("pdt.reload")))


def measure(report, folder, prefixes):
    """Script functions first, then the reloads one by one."""
    run_dir = os.path.join(folder, "reload")
    os.makedirs(run_dir)
    database, listing = os.path.join(run_dir, "bench.sqlite"), os.path.join(run_dir, "prefixes")
    benchdata.create(database)
    benchdata.write_prefixes(listing, prefixes)
    url = f"sqlite:///{database}"
    kamailio = benchkamailio.start(run_dir, benchkamailio.ROUTING, url=url)
    try:
        # drouting loads in a worker, after the start: a small table first, then all by reload.
        benchdata.fill(database, prefixes, htable=True)
        for _, reload in RELOADS:
            reload(kamailio)
        kamailio.rpc("tgbench.load", listing, QUERIES, seconds=60)
        for row in kamailio.rpc("tgbench.scripts", *SCRIPTS, seconds=180):
            if row["lost"]:
                report.fail(f"script function of {row['name']}: {row['lost']} of {QUERIES} numbers not found")
            report.add("script", "300 k", row.pop("name"), ours=row["how"] == "callroute_select", **row)
        for name, reload in RELOADS:
            if kamailio is None:
                kamailio = benchkamailio.start(run_dir, benchkamailio.ROUTING, url=url)
                reload(kamailio)
            try:
                _felt(report, kamailio, listing, name, reload)
            except (AssertionError, OSError) as error:
                what = "Kamailio crashed" if kamailio.crashed() or not kamailio.alive else "failed"
                first = str(error).splitlines()[0]
                kamailio.stop()
                kamailio = None
                if name == "callroute":
                    report.fail(f"callroute under reload: {first}")
                report.add("reload", "300 k", name, f"{what}: {first[:60]}")
    finally:
        if kamailio is not None:
            kamailio.stop()


def _felt(report, kamailio, listing, name, reload):
    during, idle, seconds = felt(kamailio, listing, name, lambda: reload(kamailio))
    if name == "callroute" and during["lost"]:
        report.fail(f"callroute found no trunk for {during['lost']:.0f} calls during a reload")
    report.add("reload", "300 k", name, "", ours=name == "callroute", reload_s=seconds, **figures(during, idle))


def felt(kamailio, listing, name, reload):
    """What a caller feels during `reload()`, what it feels otherwise, and the seconds it took."""
    kamailio.rpc("tgbench.stall", name, listing, seconds=30)
    time.sleep(IDLE_SECONDS)    # the length of a measurement
    idle = kamailio.rpc("tgbench.stall_end", seconds=30)
    kamailio.rpc("tgbench.stall", name, listing, seconds=30)
    began = time.monotonic()
    reload()
    seconds = time.monotonic() - began
    return kamailio.rpc("tgbench.stall_end", seconds=30), idle, seconds


def figures(during, idle):
    """Columns of the report."""
    return {"longest_ms": during["longest_us"] / 1e3, "own_ms": during["longest_own_us"] / 1e3,
            "slow": during["slow"], "preempted": during["preempted"], "calls": during["calls"],
            "lost": during["lost"], "idle_ms": idle["longest_us"] / 1e3}
