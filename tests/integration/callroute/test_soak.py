# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousands of reloads while calls run: no call is lost, nothing stays behind.

mtree and pdt count readers in each process alone, so that a reload frees what another worker reads; drouting's
workers spin while one runs; lcr keeps an array index over a reload, and a defunct mark hits another trunk.

TOLLGATE_SOAK_RELOADS says how many (`make soak`: 10,000), TOLLGATE_SOAK_PRELOAD names a library that Kamailio
needs before all others (`make soak-asan`: AddressSanitizer's, whose word about a process fails the test).
"""

import os

from support.soak import Soak

RELOADS = int(os.environ.get("TOLLGATE_SOAK_RELOADS", "150"))
PRELOAD = os.environ.get("TOLLGATE_SOAK_PRELOAD")
# Leaks are found by what the processes hold; what was freed must not pile up meanwhile.
WRAP = ["env", f"LD_PRELOAD={PRELOAD}", "ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1"] if PRELOAD else None
WARM = 40                   # by then every snapshot slot, worker and statement was in use
SECONDS = 60 + RELOADS      # the longest that it may take
# Bytes a process may have more at the end than when it was warm; what it shares is counted in `resident`.
BOUNDS = {"own": 1 << 20, "resident": 8 << 20, "pkg": 128 << 10, "shm": 256 << 10}


def test_reloads_under_calls_lose_no_call_and_leave_nothing(tmp_path):
    with Soak(tmp_path, wrap=WRAP) as soak:
        soak.run(WARM, SECONDS)
        soak.rest()
        before = soak.memory()
        soak.run(RELOADS, SECONDS)
        soak.rest(before.shm + BOUNDS["shm"])
        grown = soak.memory().growth(before)
        print(f"\n{soak.reloads} reloads published and {soak.refusals} refused, {soak.calls} calls, 0 lost; "
              f"bytes more at the end: {grown}")
        assert all(grown[what] <= BOUNDS[what] for what in BOUNDS), (grown, BOUNDS)
        assert soak.generation == 1 + soak.reloads
