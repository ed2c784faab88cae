# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/check_layers.py fails on what it is for: tried on a tree of a few lines, sound first, then with a fault."""

import os
import pathlib

import pytest

from support.kamailio import ROOT
from support.process import run

CHECK = os.path.join(ROOT, "tests", "check_layers.py")
# A module of two files a room, with a file of lib and one of glue.
SOUND = {
    "lib/table/count.h": "int tg_count(int n);",
    "lib/table/count.c": '#include "lib/table/count.h"\nint tg_count(int n) { return n + 1; }',
    "glue/tell.h": "int glue_tell(void);",
    "glue/tell.c": '#include "glue/tell.h"\nint LM_ERR(void);\nint glue_tell(void) { return LM_ERR(); }',
    "demo/demo.h": "int demo_decide(void);",
    "demo/live/state.h": "int demo_state(void);",
    "demo/live/state.c": '#include "demo/live/state.h"\n#include "lib/table/count.h"\n'
                         "int demo_state(void) { return tg_count(1); }",
    "demo/decide/decide.c": '#include "demo/demo.h"\n#include "demo/live/state.h"\n'
                            "int demo_decide(void) { return demo_state(); }",
    "demo/build/rows.h": "int demo_rows(void);",
    "demo/build/rows.c": '#include "demo/build/rows.h"\nint demo_rows(void) { return 0; }',
    "demo/kamailio/module.c": '#include "demo/demo.h"\n#include "glue/tell.h"\n'
                              "int demo_init(void) { return demo_decide() + glue_tell(); }",
    "other/other.h": "int other_decide(void);",
    "other/live/none.c": "int other_live(void) { return 0; }",
}
FAULTS = {
    "live includes decide": (
        {"demo/live/state.c": '#include "demo/demo.h"\nint demo_state(void) { return 0; }'},
        "modules/demo/live/state.c includes demo/demo.h: demo/live may not need demo/decide"),
    "live calls decide": (
        {"demo/live/state.c": "int demo_decide(void);\nint demo_state(void) { return demo_decide(); }"},
        "modules/demo/live/state.c calls demo_decide of modules/demo/decide/decide.c, which is no room below it"),
    "two files need each other": (
        {"demo/build/more.c": "int demo_rows(void);\nint demo_more(void) { return demo_rows(); }",
         "demo/build/rows.c": "int demo_more(void);\nint demo_rows(void) { return demo_more(); }"},
        "files in a circle: demo/build/more -> demo/build/rows (demo_rows) -> demo/build/more (demo_more)"),
    "decide sees Kamailio": (
        {"demo/decide/decide.c": "int LM_ERR(void);\nint demo_decide(void) { return LM_ERR(); }"},
        "modules/demo/decide/decide.c calls what neither we nor the C libraries define: LM_ERR"),
    "decide includes Kamailio": (
        {"demo/decide/decide.c": '#include "core/ut.h"\nint demo_decide(void) { return 0; }'},
        "modules/demo/decide/decide.c includes core/ut.h: demo/decide may not need Kamailio"),
    "a clock": (
        {"demo/decide/decide.c": "#include <time.h>\nint demo_decide(void) { return (int)time(0); }"},
        "modules/demo/decide/decide.c reads a clock or writes a log: time"),
    "a variable": (
        {"lib/table/count.c": "static int calls;\nint tg_count(int n) { return n + ++calls; }"},
        "modules/lib/table/count.c has a variable of its own"),
    "another module": (
        {"demo/kamailio/module.c": '#include "other/other.h"\nint demo_init(void) { return 0; }'},
        "modules/demo/kamailio/module.c includes other/other.h: demo/kamailio may not need other/decide"),
    "lib needs a module": (
        {"lib/table/count.c": '#include "demo/demo.h"\nint tg_count(int n) { return n; }'},
        "modules/lib/table/count.c includes demo/demo.h: lib/table may not need demo/decide"),
    "rooms in a circle": (
        {"lib/share/word.h": '#pragma once\n#include "lib/table/count.h"',
         "lib/table/count.h": '#pragma once\n#include "lib/share/word.h"\nint tg_count(int n);'},
        "rooms in a circle: lib/"),
}


def check(folder, changes):
    """check_layers.py on the small tree with these files instead: (status, what it said)."""
    sources, objects = folder / "modules", folder / "obj"
    (sources / "core").mkdir(parents=True)
    (sources / "core" / "ut.h").write_text("")
    tree = {**SOUND, **changes}
    for name, text in tree.items():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_text(text + "\n")
    for name in (name for name in tree if name.endswith(".c")):
        for place in ("demo", "other") if name.startswith("glue/") else ("",):
            target = (objects / place / name).with_suffix(".o")
            target.parent.mkdir(parents=True, exist_ok=True)
            done = run(["cc", "-c", "-O1", "-I", str(sources), "-o", str(target), str(sources / name)], 60)
            assert done.returncode == 0, done.stdout
    done = run([CHECK, "--sources", str(sources), "--objects", str(objects), "demo", "other"], 60)
    return done.returncode, done.stdout


def test_a_sound_tree(tmp_path):
    status, said = check(pathlib.Path(tmp_path), {})
    assert status == 0 and "layers are clean" in said and "demo/live " in said, said


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(tmp_path, fault):
    changes, line = FAULTS[fault]
    status, said = check(pathlib.Path(tmp_path), changes)
    assert status != 0 and f"check_layers: {line}" in said, said
