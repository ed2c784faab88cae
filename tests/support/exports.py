# SPDX-License-Identifier: GPL-2.0-or-later
"""What a module exports, by its source; and what its README says it does.

The same questions of two texts, so that a test can hold one against the other:

    parameters   {name: (type, default, range, unit)}; "" where there is none
    functions    {name: numbers of arguments it can be called with}
    kemi         names of KSR.<module>.<name>
    variables    names of $<module>(<name>)
    rpcs, statistics, events
    log_lines    first words of lines about something that happened: reader-stuck
"""

import glob
import os
import re

from .kamailio import ROOT

INTEGER = re.compile(r"^[\d\s*<()+]+$")


def read(*path):
    """A file of the tree."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as source:
        return source.read()


def braces(text, start):
    """The text between the first brace from `start` on and its partner."""
    first = text.index("{", start)
    depth = 0
    for place in range(first, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[first + 1:place]
    raise AssertionError("a brace without an end")


class Source:
    """A module's exports by its C files."""

    def __init__(self, module):
        self.module = module
        files = glob.glob(os.path.join(ROOT, "modules", module, "*", "*.c"))
        self.text = "\n".join(map(read, sorted(files)))
        # What a module uses of glue speaks with its voice.
        headers = "\n".join(map(read, glob.glob(os.path.join(ROOT, "modules", module, "kamailio", "*.h"))))
        used = sorted(set(re.findall(r'#include "glue/(\w+)\.h"', self.text + headers)))
        self.glue = "\n".join(read("modules", "glue", f"{name}.c") for name in used
                              if os.path.exists(os.path.join(ROOT, "modules", "glue", f"{name}.c")))

    def table(self, pattern):
        """The initialiser of the one table whose declaration matches."""
        found = re.findall(pattern + r"\[\w*\]\s*=\s*(?=\{)", self.text)
        assert len(found) == 1, f"{self.module}: {len(found)} tables /{pattern}/"
        place = re.search(pattern + r"\[\w*\]\s*=\s*(?=\{)", self.text)
        return braces(self.text, place.end())

    @property
    def parameters(self):
        """{name: (type, default, range, unit)}."""
        kinds = {"TEXT": "string", "WORD": "string", "INT": "integer"}
        found = re.findall(r'GLUE_PARAM_(\w+)\(\s*"(\w+)",\s*&\w+\.(\w+)([^)]*)\)', self.table(r"glue_param params"))
        place = re.search(rf"struct {self.module}_state {self.module} = ", self.text)
        state = braces(self.text, place.end())
        result = {}
        for kind, name, field, more in found:
            given = re.search(rf"\.{field} = (?:STR_STATIC_INIT\(\"([^\"]*)\"\)|([^,]+)),", state)
            assert given, f"{self.module}: no default of {name}"
            default = given[1] if given[1] is not None else str(value(given[2]))
            span, unit = "", ""
            if kind == "INT":
                low, high, unit = (part.strip() for part in more.lstrip(",").split(","))
                span, unit = f"{value(low)} to {value(high)}", unit.strip('"')
            result[name] = (kinds[kind], default, span, unit)
        return result

    @property
    def functions(self):
        """{name: {numbers of arguments}}."""
        found = {}
        table = self.table(rf"cmd_export_t {self.module}_cmds")
        for name, count in re.findall(r'\{"(\w+)",[^,]+,\s*(\d+),', table):
            found.setdefault(name, set()).add(int(count))
        # One macro for those with an optional text.
        for name in re.findall(r"\bTEXT\((\w+),", table):
            found.setdefault(f"{self.module}_{name}", set()).update((0, 1))
        return found

    @property
    def kemi(self):
        """The names under KSR.<module>."""
        table = self.table(rf"sr_kemi_t {self.module}_kemi")
        found = set(re.findall(r'KEMI\("(\w+)"', table))
        found |= set(re.findall(rf'str_init\("{self.module}"\),\s*str_init\("(\w+)"\)', table))
        for name in re.findall(r"KEMI_OPTIONAL\((\w+)\)", table):
            found |= {name, f"{name}_of"}
        return found

    @property
    def variables(self):
        """The names in $<module>(...)."""
        return set(re.findall(r'\{"(\w+)",\s*[A-Z_]+\}', self.table(r"glue_pv_item items")))

    @property
    def rpcs(self):
        """The commands."""
        return set(re.findall(r'\{"([\w.]+)",', self.table(rf"rpc_export_t {self.module}_rpcs")))

    @property
    def statistics(self):
        """The counters."""
        return set(re.findall(r'\{(?:&[\w.]+|0),\s*"(\w+)"', self.table(r"counter_def_t counters")))

    @property
    def events(self):
        """The event routes, without the module's name."""
        return set(re.findall(rf'"{self.module}:([\w-]+)"', self.text))

    @property
    def voice(self):
        """All that the module may say: its own files, and what it uses of glue."""
        return f"{self.text}\n{self.glue}"

    @property
    def log_lines(self):
        """The first words, of two parts or more, of the lines that are logged."""
        return set(re.findall(r'LM_(?:ERR|WARN|NOTICE|INFO)\(\s*"([a-z]+(?:-[a-z]+)+) ', self.voice))

    @property
    def reasons(self):
        """The words of $callroute(reason)."""
        found = set(re.findall(r'(?:refuse|exhausted)\([^;"]*"(\w+)"', self.text))
        for assigned in re.findall(r"\breason = ([^;]+);", self.text):
            found |= set(re.findall(r'"(\w+)"', assigned))
        found |= set(re.findall(r'return "(\w+)";', read("modules", self.module, "decide", "normalize.c")))
        return found

    @property
    def fates(self):
        """The words for what becomes of a vendor."""
        return set(re.findall(r'\[\w+_FATE_\w+\]\s*=\s*"(\w+)"', read("modules", self.module, "decide", "decide.c")))


def value(text):
    """An integer constant of C: products, shifts and sums of numbers."""
    assert INTEGER.match(text), text
    return eval(text)       # pylint: disable=eval-used


class Readme:
    """The same by the README's chapters."""

    def __init__(self, module):
        self.module = module
        self.path = f"modules/{module}/README.md"
        text = read(self.path)
        heads = list(re.finditer(r"^## \d+\. (.*)$", text, re.M))
        ends = [head.start() for head in heads[1:]] + [len(text)]
        self.chapters = {head[1]: text[head.end():end] for head, end in zip(heads, ends)}

    def rows(self, chapter, head):
        """The rows of the table under this head line, as lists of cells."""
        found = []
        for table in re.findall(r"(?:^\|.*\n)+", self.chapters[chapter], re.M):
            first, _, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
                               for line in table.strip().splitlines()]
            if first[0] == head:
                found += rows
        assert found, f"{self.path}: no table {head} in {chapter}"
        return found

    def headings(self, chapter):
        """The headings of the third level."""
        return re.findall(r"^### (.*)$", self.chapters[chapter], re.M)

    @property
    def parameters(self):
        """{name: (type, default, range, unit)} as the table says."""
        return {plain(cells[0]): tuple(plain(cell) for cell in cells[1:5])
                for cells in self.rows("Parameters", "parameter")}

    @property
    def functions(self):
        """{name: {numbers of arguments}}: brackets are optional."""
        found = {}
        for head in self.headings("Functions"):
            name, _, rest = head.partition("(")
            must = len([one for one in re.split(r"\[", rest)[0].rstrip(")").split(",") if one.strip()])
            may = rest.count("[")
            found[name] = set(range(must, must + may + 1))
        return found

    @property
    def kemi(self):
        """The names under KSR.<module>: those of the functions, and what the chapter names besides."""
        own = {name.removeprefix(f"{self.module}_") for name in self.functions}
        return own | set(re.findall(rf"`KSR\.{self.module}\.(\w+)\(", self.chapters["Functions"]))

    @property
    def variables(self):
        """The names in $<module>(...): of the first cells, `(name)` is short for another of the module."""
        found = set()
        for cells in self.rows("Pseudo-variables", "variable"):
            found |= set(re.findall(rf"`(?:\${self.module})?\((\w+)\)`", cells[0]))
        return found

    @property
    def rpcs(self):
        """The commands."""
        return {head.split()[0] for head in self.headings("RPC commands")}

    @property
    def statistics(self):
        """The counters."""
        return {name for cells in self.rows("Statistics", "counter") for name in re.findall(r"`(\w+)`", cells[0])}

    @property
    def events(self):
        """The event routes."""
        return set(re.findall(rf"`(?:event_route)?\[{self.module}:([\w-]+)\]`", self.log_chapter))

    @property
    def log_chapter(self):
        """The chapter of log lines."""
        return self.chapters.get("Events and log lines") or self.chapters["Log lines"]

    def words(self, chapter):
        """Everything in backquotes."""
        return set(re.findall(r"`(\w+)`", self.chapters[chapter]))


def plain(cell):
    """A cell without its backquotes."""
    return cell.strip("`")
