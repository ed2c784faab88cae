# SPDX-License-Identifier: GPL-2.0-or-later
"""Random data sets and questions to the program and to the oracle: all must be equal.

    cd tests && /usr/bin/python3 -m oracle.compare --decide ../build/oracle/decide-plain [--cases N] [--seed S]
"""

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from oracle.decision import FATES
from oracle.lookups import Lookups
from oracle.replay import Answers, Difference, replay
from oracle.shrink import describe, shrink
from oracle.world import Draw

SEED = "tollgate"
QUESTIONS = 125  # to one data set
TOGETHER = 10  # data sets of one run of the program
FEW = 20  # times that each verdict and fate must occur in 100,000 cases
REASONS = ("1 ok", "2 redirect", "-1 no_prefix", "-1 not_a_number", "-2 all_down", "-3 no_capacity",
           "-3 account_channels", "-3 account_cps", "-4 margin", "-4 price_unknown", "-4 no_sell_price", "-5 blocked",
           "-5 src_country", "-5 dst_country", "-5 dst_block", "-5 src_block", "-5 rule_block", "-5 sell_blocked",
           "-6 time", "-8 no_data", "-8 no_plan")
LOOKUPS = 2000  # of each kind in 100,000 cases
EVENTS = ("admin", "probe", "attempt", "take", "release", "sample")


def draw_world(seed, index, questions=QUESTIONS):
    return Draw(f"{seed}/{index}", questions).world


def compare_some(seed, first, count, decide):
    """(counts, None) or (counts so far, (the set that differs, how))."""
    worlds = [draw_world(seed, i) for i in range(first, first + count)]
    answers, counts = Answers(decide, worlds), Counter()
    for world in worlds:
        try:
            counts += replay(world, answers)
        except Difference as found:
            return counts, describe(*shrink(world, found, decide))
    return counts, None


def compare(seed, cases, decide):
    """As compare_some, over all processors."""
    sets = -(-cases // QUESTIONS)
    total = Counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compare_some, seed, first, min(TOGETHER, sets - first), decide)
                for first in range(0, sets, TOGETHER)]
        for job in jobs:
            counts, difference = job.result()
            total += counts
            if difference:
                pool.shutdown(cancel_futures=True)
                return total, difference
    return total, None


def missing(counts):
    """Verdicts, fates and events that occurred too seldom for the comparison to mean anything."""
    least = max(1, FEW * counts["cases"] // 100000)
    wanted = [f"verdict {r}" for r in REASONS] + [f"fate {f}" for f in FATES] + [f"event {e}" for e in EVENTS]
    lookups = [f"lookup {kind}" for kind in Lookups.KINDS]
    return [f"{name}: {counts[name]}" for name in wanted if counts[name] < least] + \
        [f"{name}: {counts[name]}" for name in lookups if counts[name] < LOOKUPS * counts["cases"] // 100000]


def histogram(counts):
    rows = sorted((name, n) for name, n in counts.items() if name != "cases")
    return "\n".join(f"  {n:>9,}  {name}" for name, n in rows)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--decide", required=True, help="the program built by make build/oracle/decide-plain")
    args.add_argument("--cases", type=int, default=100000)
    args.add_argument("--seed", default=SEED)
    args = args.parse_args()
    counts, difference = compare(args.seed, args.cases, args.decide)
    print(histogram(counts))
    if difference:
        sys.exit(f"seed {args.seed}: {counts['cases']:,} cases were equal, then:\n{difference}")
    seldom = missing(counts)
    if seldom:
        sys.exit("too seldom: " + ", ".join(seldom))
    print(f"seed {args.seed}: {counts['cases']:,} cases, all equal")


if __name__ == "__main__":
    main()
