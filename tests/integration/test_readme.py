# SPDX-License-Identifier: GPL-2.0-or-later
"""The modules' READMEs name what the modules export, and nothing else; each by the source and by a running server."""

import os
import re
import tomllib

import pytest

from support import kamailio, server as server_, stack as stack_
from support.exports import Readme, Source
from support.minimal import smallest
from support.process import run

MODULES = stack_.MODULES
WHAT = ("functions", "kemi", "variables", "rpcs", "statistics", "events")
# Only callroute has events.
NONE_OF = {("fraudguard", "events"), ("regguard", "events")}
# The demo rows have three trunks.
FITS = {"max_trunks": 3}


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("module", MODULES)
def test_names(module, what):
    source, readme = getattr(Source(module), what), getattr(Readme(module), what)
    assert source or (module, what) in NONE_OF, f"found no {what} of {module}"
    assert readme == source, f"{module}, {what}"


@pytest.mark.parametrize("module", MODULES)
def test_parameters(module):
    """Type, default, range and unit. What is no number has its range and its unit in words."""
    source, readme = Source(module).parameters, Readme(module).parameters
    assert list(readme) == list(source)
    for name, (kind, default, span, unit) in source.items():
        shown = readme[name]
        assert (shown[0], shown[1].partition(":")[0] if not default else shown[1]) == (kind, default or "empty"), name
        if kind == "integer":
            assert shown[2:] == (span, unit), name
            assert span, f"{name} has no range"


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("edge", [-1, 1])
def test_ranges_of_a_running_module(tmp_path, module, edge):
    """Every integer just out of what the README says: the module names the README's range for each."""
    numbers = {name: row for name, row in Readme(module).parameters.items() if row[0] == "integer"}
    lines, wanted = [], []
    for name, (_, _, span, unit) in numbers.items():
        low, high = map(int, span.split(" to "))
        bad = low - 1 if edge < 0 else high + 1
        lines.append(f'modparam("{module}", "{name}", {bad})')
        wanted.append(f"modparam {name}={bad} is out of range: it takes {low} to {high} {unit}")
    cfg, env, port = smallest(tmp_path, module, "\n".join(lines))
    server = kamailio.Kamailio(cfg, str(tmp_path), port, env=env)
    said, status = server.start_and_fail()
    assert status != 0, said
    assert re.findall(r"modparam \w+=-?\d+ is out of range: .*", said) == wanted


@pytest.mark.parametrize("module", MODULES)
def test_a_running_module_has_what_the_readme_names(tmp_path, run_kamailio, module):
    """Parameters at their lowest, every function in every form, every variable; then the RPCs and counters."""
    readme = Readme(module)
    lowest = [f'modparam("{module}", "{name}", {FITS.get(name, row[2].split(" to ")[0])})'
              for name, row in readme.parameters.items() if row[0] == "integer"]
    calls = [f"{name}({', '.join(['$var(x)' if module != 'callroute' or name != 'callroute_redirect' else '1'] * n)});"
             for name, counts in readme.functions.items() for n in counts]
    routes = "route[NAMES] {\n" + "\n".join(one for one in calls if "callroute_next(" not in one) + "\n"
    routes += "\n".join(f"$var(x) = $({module}({name}));" for name in sorted(readme.variables)) + "\n}\n"
    routes += "failure_route[NEXT] {\n" + "\n".join(one for one in calls if "callroute_next(" in one) + "\nexit;\n}\n"
    routes += "".join(f"event_route[{module}:{name}] {{\nexit;\n}}\n" for name in sorted(readme.events))
    cfg, env, port = smallest(
        tmp_path, module, "\n".join(['loadmodule "jsonrpcs.so"', 'loadmodule "counters.so"', *lowest]),
        "request_route {\nroute(NAMES);\nexit;\n}\n" + routes)
    server = run_kamailio(cfg, port, env=env, answers_options=False)
    methods = {name for name in server.rpc("system.listMethods") if name.startswith(f"{module}.")}
    assert methods == readme.rpcs
    counters = server.rpc("cnt.grp_get_all", module)
    names = {key.removeprefix(f"{module}.") for key in counters}
    assert names == readme.statistics, counters


def shape(words):
    """Arguments without their names: how many there are, and which are optional."""
    return re.sub(r"[^\[\]\s|]+", "x", re.sub(r"\S+\|\S+", "x", words))


@pytest.mark.parametrize("module", MODULES)
def test_forms_of_the_rpcs(tmp_path, run_kamailio, module):
    """The module's own help shows the same arguments."""
    cfg, env, port = smallest(tmp_path, module, 'loadmodule "jsonrpcs.so"')
    server = run_kamailio(cfg, port, env=env, answers_options=False)
    shown = 0
    for head in Readme(module).headings("RPC commands"):
        name, _, words = head.partition(" ")
        said = server.rpc("system.methodHelp", name)
        if f"{name} " in said:
            assert shape(said.partition(f"{name} ")[2].partition(". ")[0]) == shape(words), f"{head}: {said}"
            shown += 1
        elif words:
            raise AssertionError(f"{head}: the help says nothing of its arguments: {said}")
    assert shown, f"no RPC of {module} has arguments"


# Values for the arguments of each command that has optional ones, in their order.
GIVEN = {
    "callroute.reload": ["dry", "force"],
    "callroute.explain": ["4930123456", "default", "-", "-", "0", "1"],
    "callroute.list_trunks": ["0", "1"],
    "callroute.list_quality": ["*", "0", "1"],
    "callroute.stats": ["0", "1"],
    "fraudguard.list_rules": ["0", "1"],
    "fraudguard.list_bans": ["0", "1"],
    "fraudguard.ban": ["ip:192.0.2.9", "60", "a note"],
    "regguard.list": ["0", "1"],
}


@pytest.mark.parametrize("module", MODULES)
def test_rpcs_with_each_number_of_arguments(tmp_path, run_kamailio, module):
    """By JSON and by kamcmd, which send what is not given in different ways."""
    cfg, env, port = smallest(tmp_path, module, 'loadmodule "jsonrpcs.so"\n')
    with open(cfg, encoding="utf-8") as source:
        text = source.read()
    if '"ctl.so"' not in text:
        with open(cfg, "w", encoding="utf-8") as out:
            out.write(text.replace('loadmodule "jsonrpcs.so"', 'loadmodule "jsonrpcs.so"\nloadmodule "ctl.so"', 1))
    service = run_kamailio(cfg, port, env=env, answers_options=False)
    sock = f"unix:{service.run_dir}/kamailio_ctl"
    optional = [head for head in Readme(module).headings("RPC commands") if "[" in head]
    assert optional
    for head in optional:
        name, _, words = head.partition(" ")
        must = len(words.partition("[")[0].split())
        for count in range(must, len(GIVEN[name]) + 1):
            values = GIVEN[name][:count]
            service.rpc(name, *values)
            said = run([server_.kamcmd(), "-s", sock, name, *(f"s:{value}" for value in values)], 20)
            assert said.returncode == 0 and "error:" not in said.stdout, f"{name} {values}: {said.stdout}"


@pytest.mark.parametrize("module", MODULES)
def test_log_lines(module):
    """Every line about something that happened is in the chapter of log lines."""
    lines, chapter = Source(module).log_lines, Readme(module).log_chapter
    assert lines and [one for one in lines if f"{one} " not in chapter] == []


def test_reasons_and_fates():
    """Every word of $callroute(reason) and of explain is in its chapter; the table of codes names no other."""
    source, readme = Source("callroute"), Readme("callroute")
    # Of a fixed room that is large enough, and of a code that is none: see normalize.h.
    reasons = source.reasons - {"no_space", "unknown"}
    assert len(reasons) > 30 and reasons - readme.words("Functions") == set()
    assert len(source.fates) == 19 and source.fates - readme.words("RPC commands") == set()
    shown = {word for cells in readme.rows("Functions", "code") for word in re.findall(r"`(\w+)`", cells[1])}
    assert shown - reasons - source.fates - {"price_unknown"} == set()


# -- callroute's tables of features ----------------------------------------------


def features():
    """{heading: rows} of both tables of chapter 12."""
    readme = Readme("callroute")
    chapter = "Features and their tests"
    return {"feature": readme.rows(chapter, "feature"), "fault": readme.rows(chapter, "fault")}


def schema():
    """{table: columns} of callroute, every table with its id."""
    with open(os.path.join(kamailio.ROOT, "db", "schema", "callroute.toml"), "rb") as source:
        return {table["name"]: {"id", *table["column"]} for table in tomllib.load(source)["table"]}


def is_there(test):
    """Is there such a test? `file::name`, in Python or in C, where it must also be in the list that runs."""
    file, _, name = test.partition("::")
    folder = "unit" if file.endswith(".c") else "integration"
    path = os.path.join(kamailio.ROOT, "tests", folder, file)
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as source:
        text = source.read()
    if folder == "integration":
        return re.search(rf"^def {name}\(", text, re.M) is not None
    return f"static void {name}(" in text and re.search(rf"_test\w*\(\s*{name}\b", text) is not None


def test_every_row_names_tests_that_exist():
    for rows in features().values():
        for cells in rows:
            tests = re.findall(r"`([^`]+)`", cells[3])
            assert tests, f"{cells[0]}: no test"
            assert all("::" in one for one in tests), cells
            assert [one for one in tests if not is_there(one)] == [], cells[0]
    assert not is_there("edge/test_trunk.py::test_that_is_not_there") and not is_there("test_no.c::x")


def test_what_the_rows_name_exists_and_nothing_is_left_out():
    source, tables = Source("callroute"), schema()
    names = {"table": set(), "function": set(), "rpc": set()}
    for cells in [*features()["feature"], *features()["fault"]]:
        for word in re.findall(r"`([^`]+)`", cells[2]):
            table, _, column = word.partition(".")
            if word.endswith("()"):
                names["function"].add(word[:-2])
            elif table in tables:
                assert column in tables[table], f"{cells[0]}: no column {word}"
                names["table"].add(table)
            else:
                assert not word.startswith("callroute_"), f"{cells[0]}: no table of {word}"
    for cells in features()["feature"]:
        names["rpc"] |= {f"callroute.{one}" for one in re.findall(r"`([^`]+)`", cells[4])}
    assert names["function"] == set(source.functions)
    assert names["rpc"] == source.rpcs
    assert names["table"] == set(tables)
