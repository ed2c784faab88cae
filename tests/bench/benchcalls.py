# SPDX-License-Identifier: GPL-2.0-or-later
"""What a routed call costs the server, beside the same call through a bare relay.

All relays run at once and idle but for one: SIPp calls through each in turn, in an order drawn
anew every round. The processor time of a relay's processes from one round to the next, less what
it takes when idle for as long, is that of its calls, what its timers clear away later included.
A round's ratio is to the bare relay of the same round, with the same allocator: Kamailio's default
one, qm, searches long lists for every piece of memory, and that is most of a call; fm does not.

Instructions are counted by callgrind in the worker, from a message's arrival to its end, with
allocator fm and short lists: they do not vary with the machine's other work.
"""

import glob
import os
import random
import re
import shutil
import statistics
import time

import benchdata
import benchdecks
import benchroutes
from benchrelays import RELAYS, Relay
from support import ports
from support.process import Process, eventually
from support.sipp import SCENARIOS

ROUNDS, WARM, SPOILT = 20, 1, 6     # so many may be left out
CALLS, RATE, AT_ONCE = 400, 800, 20     # few at once: a server that is given no time loses nothing
IDLE_SECONDS = 5.0
ROWS = 65_000
BATCH_SECONDS = 60
BUFFER = 1 << 21    # bytes of SIPp's sockets; the kernel may give less
SEED = 5062
BARE = {"bare relay": "bare relay", "callroute": "bare relay", "drouting": "bare relay", "lcr": "bare relay",
        "bare relay, dialog": "bare relay, dialog", "callroute, dialog": "bare relay, dialog"}
ALLOCATORS = ("qm", "fm")
COUNTED_BY = "fm"
COUNTED, COUNTED_RATE, COUNTED_ROWS = 400, 100, 2_000
HERE = os.path.dirname(os.path.abspath(__file__))


def _sipp(folder, name, scenario, host, *arguments):
    """A SIPp that writes no trace."""
    port = ports.port()
    place = os.path.join(folder, name)
    os.makedirs(place)
    argv = ["sipp", "-sf", scenario, "-i", host, "-p", port, "-mi", host, "-mp", ports.block(4),
            "-buff_size", BUFFER, "-nostdin", "-nd", *arguments]
    return port, Process(name, argv, os.path.join(place, "log"), cwd=place)


def _batch(folder, relay, name, numbers, rate=RATE):
    """The calls of one round through one relay: what went wrong, if anything did."""
    fields = os.path.join(folder, f"{name}.csv")
    with open(fields, "w", encoding="ascii") as out:
        out.write("SEQUENTIAL\n" + "".join(f"{number}\n" for number in numbers))
    _, caller = _sipp(folder, name, os.path.join(HERE, "load.xml"), ports.OFFICE, "-inf", fields, "-m", len(numbers),
                      "-r", rate, "-l", AT_ONCE, "-timeout", BATCH_SECONDS, "-timeout_error", "-recv_timeout", 5000,
                      "-trace_err", "-error_file", "errors", f"{relay.host}:{relay.port}")
    with caller:
        if caller.wait(BATCH_SECONDS + 10) == 0:
            return ""
    errors = os.path.join(caller.cwd, "errors")
    if not os.path.exists(errors):
        return caller.tail(5)
    with open(errors, encoding="utf-8", errors="replace") as source:
        return source.read()[:400]


def _numbers(chance, prefixes, count):
    """Whole numbers of 12 digits, or of as many as the prefix has."""
    return [prefix + "".join(chance.choices("0123456789", k=12 - len(prefix)))
            for prefix in chance.choices(prefixes, k=count)]


def measure(report, folder, prefixes):
    """All of RELAYS."""
    run_dir = os.path.join(folder, "calls")
    os.makedirs(run_dir)
    trunk_port, trunk = _sipp(run_dir, "trunk", os.path.join(SCENARIOS, "answer.xml"), ports.TRUNKS)
    where = f"{ports.TRUNKS}:{trunk_port}"
    with trunk:
        if not eventually(lambda: ports.bound(trunk_port), 10):
            raise trunk.error("its SIP port is not there")
        database = os.path.join(run_dir, "bench.sqlite")
        benchdata.create(database)
        relays = [Relay(run_dir, name, allocator, f"sqlite:///{database}", where)
                  for allocator in ALLOCATORS for name in RELAYS]
        try:
            for relay in relays:
                relay.start()
            _compare(report, run_dir, relays, _fill(database, prefixes, ROWS, where, relays))
        finally:
            for relay in relays:
                relay.stop()
        if shutil.which("valgrind"):
            _count(report, run_dir, prefixes, where)
        else:
            report.note("instructions of a call not counted: valgrind is not installed (Debian package valgrind)")


def _fill(database, prefixes, rows, where, relays):
    """All vendors at one address, loaded by all relays: the prefixes that any vendor has."""
    made = benchdecks.fill(database, prefixes, rows, [where] * benchdecks.VENDORS)
    for relay in relays:
        module = relay.what.partition(",")[0]
        if module == "callroute":
            benchroutes.reload_callroute(relay)
        elif module != "bare relay":
            relay.rpc(f"{module}.reload", seconds=benchroutes.LOAD_SECONDS)
    return made["prefixes"]


def _count(report, run_dir, prefixes, where):
    """Instructions of a call, into the rows of the relays with COUNTED_BY."""
    folder = os.path.join(run_dir, "counted")
    os.makedirs(folder)
    database = os.path.join(folder, "bench.sqlite")
    benchdata.create(database)
    counted = {}
    for number, name in enumerate(RELAYS):
        relay = Relay(folder, name, COUNTED_BY, f"sqlite:///{database}", where)
        relay.argv = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/{number}.%p",
                      "--toggle-collect=receive_msg", *relay.argv]
        relay.start()
        try:
            lists = _fill(database, prefixes, COUNTED_ROWS, where, [relay])
            numbers = _numbers(random.Random(SEED), lists, COUNTED)
            wrong = _batch(folder, relay, f"calls-{number}", numbers, COUNTED_RATE)
        finally:
            relay.stop(BATCH_SECONDS)
        totals = []
        for path in glob.glob(f"{folder}/{number}.*"):
            with open(path, encoding="utf-8", errors="replace") as source:
                totals += map(int, re.findall(r"^totals: (\d+)", source.read(), re.MULTILINE))
        if wrong or not sum(totals):
            report.fail(f"calls through {name} under callgrind: {wrong or 'it counted nothing'}")
            return
        counted[name] = sum(totals) / COUNTED
    for name, count in counted.items():
        row = report.find("calls", COUNTED_BY, name)
        if row:
            row.update(instructions=count, instructions_over=(count / counted[BARE[name]] - 1) * 100)


def _compare(report, run_dir, relays, prefixes):
    chance = random.Random(SEED)
    before = _spent(relays)
    time.sleep(IDLE_SECONDS)    # the length of a measurement
    idle = {key: (late - before[key]) / IDLE_SECONDS for key, late in _spent(relays).items()}
    marks, spoilt = [], {}
    for number in range(WARM + ROUNDS):
        marks.append((time.monotonic(), _spent(relays)))
        numbers = _numbers(chance, prefixes, CALLS)
        for relay in chance.sample(relays, len(relays)):
            wrong = _batch(run_dir, relay, f"round-{number}-{relays.index(relay)}", numbers)
            if wrong:
                spoilt[number] = f"{relay.what}, {relay.allocator}: {wrong}"
        if len(spoilt) > SPOILT:
            report.fail(f"calls: not all were carried in rounds {list(spoilt)}: {next(iter(spoilt.values()))}")
            return
    marks.append((time.monotonic(), _spent(relays)))
    if spoilt:
        report.note(f"calls: {len(spoilt)} of {ROUNDS} rounds left out, in which a call was lost: "
                    f"{next(iter(spoilt.values())).splitlines()[-1][:100]}")
    rounds = [pair for number, pair in enumerate(zip(marks, marks[1:])) if number >= WARM and number not in spoilt]
    _rows(report, rounds, idle)


def _spent(relays):
    return {(relay.allocator, relay.what): relay.cpu() for relay in relays}


def _rows(report, rounds, idle):
    """A row for each relay: microseconds a call, and the ratio's median and spread."""
    spent = {key: [(now[key] - then[key] - idle[key] * (late - early)) / CALLS * 1e6
                   for (early, then), (late, now) in rounds] for key in idle}
    for (allocator, name), costs in spent.items():
        bare = spent[allocator, BARE[name]]
        ratios = [one / other for one, other in zip(costs, bare)]
        quarters = statistics.quantiles(ratios, n=4)
        report.add("calls", allocator, name, f"{len(costs)} rounds of {CALLS} calls", ours=name == "callroute",
                   us=statistics.median(costs), more=statistics.median(a - b for a, b in zip(costs, bare)),
                   over=(statistics.median(ratios) - 1) * 100, low=(quarters[0] - 1) * 100,
                   high=(quarters[2] - 1) * 100, total=(sum(costs) / sum(bare) - 1) * 100,
                   idle_us=idle[allocator, name] * 1e6)


def targets(report):
    """That of the issue: a routed call costs at most 2 % more than a relayed one."""
    for allocator in ALLOCATORS:
        for name in ("callroute", "callroute, dialog"):
            row = report.find("calls", allocator, name)
            if row:
                report.target(f"CPU of a call, allocator {allocator}, {name}: within 2 % of {BARE[name]}",
                              f"{row['over']:+.1f} % (half of the rounds {row['low']:+.1f} to {row['high']:+.1f})",
                              row["over"] <= 2)
