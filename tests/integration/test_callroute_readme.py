# SPDX-License-Identifier: GPL-2.0-or-later
"""The modules' READMEs name what the modules export, and nothing else; each by the source and by a running server."""

import os
import re

import pytest

from support import kamailio, ports, stack as stack_
from support.exports import Readme, Source

MODULES = stack_.MODULES
WHAT = ("functions", "kemi", "variables", "rpcs", "statistics", "events")
# Only callroute has events.
NONE_OF = {("fraudguard", "events"), ("regguard", "events")}
# The demo rows have three trunks.
FITS = {"max_trunks": 3}


def minimal(folder, module, more="", route=None):
    """The module's smallest configuration with these lines before its route, or with another route: path, env, port."""
    with open(os.path.join(kamailio.ROOT, "cfg", "minimal", f"{module}.cfg"), encoding="utf-8") as source:
        head, _, rest = source.read().partition("request_route {")
    path, port = os.path.join(str(folder), f"{module}.cfg"), ports.port()
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"{head}{more}\n" + (route or "request_route {" + rest))
    database = os.path.join(str(folder), f"{module}.sqlite")
    if not os.path.exists(database):
        stack_.create_database(database)
    return path, stack_.environment(str(folder), database, port, switches=()), port


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
    cfg, env, port = minimal(tmp_path, module, "\n".join(lines))
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
    cfg, env, port = minimal(
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
    cfg, env, port = minimal(tmp_path, module, 'loadmodule "jsonrpcs.so"')
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
