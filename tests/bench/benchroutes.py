# SPDX-License-Identifier: GPL-2.0-or-later
"""Longest-prefix lookups, three sizes: one Kamailio a size holds every module's tree at once."""

import os
import time

import benchdata
import benchkamailio
from support.process import eventually

QUERIES = 200_000
OURS = "trie"
LCR_DEFAULT = 128   # its modparam lcr_rule_hash_size
LOAD_SECONDS = 240
# Database rows in private memory and four trees in shared memory, MB a million prefixes.
MEMORY_MB = 9000
# The module's own reload, so that its own loader builds what is measured.
RELOADS = {"mtree": ("mtree.reload", "t"), "pdt": ("pdt.reload",), "lcr": ("lcr.reload",)}


def reload_callroute(kamailio):
    """callroute.reload, and wait for its outcome: bytes of the image, seconds."""
    ticket = kamailio.rpc("callroute.reload", "force")["ticket"]
    began = time.monotonic()
    status = eventually(lambda: _finished(kamailio, ticket), LOAD_SECONDS)
    if not status or status["last_load"]["result"] != "published":
        raise kamailio.error(f"callroute did not load: {status}")
    return status["kilobytes"] * 1024, time.monotonic() - began


def _finished(kamailio, ticket):
    status = kamailio.rpc("callroute.status")
    return status if status["last_load"]["ticket"] >= ticket else None


def measure(report, folder, sets):
    """All sizes."""
    with open("/proc/meminfo", encoding="utf-8") as info:
        free = int(next(line for line in info if line.startswith("MemAvailable")).split()[1]) // 1024
    for size, prefixes in sets.items():
        need = MEMORY_MB * len(prefixes) // 1_000_000 + 500
        if free < need:
            report.note(f"lookups of {size} prefixes not measured: the stock modules need about {need} MB "
                        f"together, {free} MB are free")
            continue
        run_dir = os.path.join(folder, f"routes-{len(prefixes)}")
        os.makedirs(run_dir)
        _one_size(report, run_dir, size, prefixes)
    few = next(iter(sets))
    run_dir = os.path.join(folder, "routes-lcr")
    os.makedirs(run_dir)
    _one_size(report, run_dir, few, sets[few], LCR_DEFAULT)
    report.note(f"lcr is measured with a hash of 2^20 slots, and at {few} also with its default of {LCR_DEFAULT}")


def _one_size(report, run_dir, size, prefixes, lcr_hash=None):
    """With `lcr_hash` only lcr's row is of interest."""
    database, listing = os.path.join(run_dir, "bench.sqlite"), os.path.join(run_dir, "prefixes")
    benchdata.create(database)
    url = f"sqlite:///{database}"
    chosen = {"lcr_hash": lcr_hash} if lcr_hash else {}
    kamailio = benchkamailio.start(run_dir, benchkamailio.ROUTING, url=url, **chosen)
    try:
        benchdata.fill(database, prefixes)
        benchdata.write_prefixes(listing, prefixes)
        image = kamailio.rpc("tgbench.load", listing, QUERIES, seconds=60)
        figures = {OURS: {"bytes": image["bytes"] / len(prefixes)}}
        for name, call in {"drouting": ("tgbench.load_drouting", url), **RELOADS}.items():
            before, began = benchkamailio.shm_used(kamailio), time.monotonic()
            kamailio.rpc(*call, seconds=LOAD_SECONDS)
            figures[name] = {"load_s": time.monotonic() - began,
                             "bytes": (benchkamailio.shm_used(kamailio) - before) / len(prefixes)}
        size_bytes, seconds = reload_callroute(kamailio)
        for row in kamailio.rpc("tgbench.agree", seconds=120):
            if row["wrong"]:
                report.fail(f"{size}: {row['name']} gives {row['wrong']} of {row['queries']} answers "
                            "that are not the trie's")
        for row in kamailio.rpc("tgbench.lookups", seconds=120):
            name = row.pop("name")
            if lcr_hash and name != "lcr":
                continue
            label = f"lcr, {lcr_hash} slots" if lcr_hash else name
            report.add("lookup", size, label, ours=name == OURS, **row, **figures.get(name, {}))
        if lcr_hash:
            return
        report.add("lookup", size, "callroute, all of its image", "prices, dates, trunks and the trie",
                   bytes=size_bytes / len(prefixes), load_s=seconds)
    finally:
        kamailio.stop()


def targets(report):
    """Those of design/callroute.md."""
    ours, theirs = (report.find("lookup", "1 M", name) for name in (OURS, "drouting"))
    if not ours or not theirs:
        return
    report.target("trie, 1 M prefixes, <= 16 B a prefix", f"{ours['bytes']:.1f} B", ours["bytes"] <= 16)
    report.target("trie, 1 M prefixes, <= 100 ns a lookup", f"{ours['mean']:.0f} ns", ours["mean"] <= 100)
    ratio = theirs["mean"] / ours["mean"]
    report.target("trie, 1 M prefixes, >= 2x drouting", f"{ratio:.1f}x", ratio >= 2)
