#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers of modules/, proven from the sources (what a file includes) and from the objects (what it calls).

    tests/check_layers.py [--sources DIR] --objects DIR MODULE...

DIR of the objects is laid out as the sources are; glue is compiled once a module: MODULE/glue. Fails, with the file and
the symbol or the path, when
  1. a room needs one that is not below it: lib and its rooms, live, decide, build, kamailio (glue is beside kamailio);
  2. a file outside of kamailio/ and glue/ calls what neither we nor the C libraries define, reads a clock, writes a
     log, or has a variable of its own;
  3. a module needs another one;
  4. files, or rooms, need each other in a circle.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

PURE = ("live", "decide", "build")
# What a room may include and call, beside itself.
BELOW = {"live": (), "decide": ("live",), "build": ("decide", "live"), "kamailio": ("build", "decide", "live")}
LIBRARIES = ("libc.so.6", "libm.so.6", "libical.so", "libmaxminddb.so")
IMPURE = {"clock_gettime", "gettimeofday", "time", "localtime", "localtime_r",
          "printf", "fprintf", "puts", "perror", "syslog"}
# Keeps this process's own number at hand, which fork() changes; it is no state of the library.
OWN_VARIABLES = {"lib/share/process"}
SHOWN = 20      # faults at most
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def output(*argv):
    """What the command prints."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def room_of(path):
    """lib/table/cells.c -> lib/table; core/ut.h, modules/tm/tm_load.h -> '', Kamailio's own.

    callroute/callroute.h, the module's map, says what the room decide answers: callroute/decide.
    """
    parts = pathlib.PurePath(path).parts
    if parts[0] in ("core", "modules") or parts[:2] == ("lib", "srdb1"):
        return ""
    if len(parts) == 2 and parts[0] not in ("lib", "glue"):
        return parts[0] + "/decide"
    return "/".join(parts[:-1])


def allowed(room, other, modules):
    """Whether a file of `room` may need one of `other`; both as room_of() has them."""
    if room == other:
        return True
    top, _, inner = room.partition("/")
    if other == "":
        return top == "glue" or (top in modules and inner == "kamailio")
    other_top, _, other_inner = other.partition("/")
    if other_top == "lib":
        return True                 # the circles of rooms are looked for apart
    if top == "lib" or other_top not in (*modules, "glue"):
        return False
    if other_top == "glue":
        return top in modules and inner == "kamailio"
    if top != other_top:
        return False
    return other_inner in BELOW.get(inner, ())


class Objects:
    """The objects of one module with glue and lib: who defines what, who needs whom."""

    def __init__(self, files):
        self.defines, self.needs = {}, {}
        listing = output("nm", "-A", "-g", *map(str, files.values()))
        names = {str(path): name for name, path in files.items()}
        for line in listing.splitlines():
            where, rest = line.split(":", 1)
            *_, kind, symbol = rest.split()
            if kind == "U":
                self.needs.setdefault(names[where], set()).add(symbol)
            elif kind in "TDBRVC":
                self.defines[symbol] = names[where]

    def edges(self):
        """{file: {file that it needs: a symbol}}"""
        found = {name: {} for name in set(self.defines.values()) | set(self.needs)}
        for name, symbols in self.needs.items():
            for symbol in sorted(symbols):
                other = self.defines.get(symbol)
                if other not in (None, name):
                    found[name].setdefault(other, symbol)
        return found


def circle(edges):
    """The shortest way from a node back to itself, as a list of nodes; [] = none."""
    best = []
    for start in sorted(edges):
        come, queue = {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            if start in edges[node]:
                path = [node]
                while come[path[-1]] is not None:
                    path.append(come[path[-1]])
                if not best or len(path) < len(best):
                    best = path[::-1]
                break
            for other in sorted(edges[node]):
                if other in edges and other not in come:
                    come[other] = node
                    queue.append(other)
    return best and best + best[:1]


def told(edges, path):
    """a -> b (symbol) -> a (symbol)"""
    return path[0] + "".join(f" -> {b} ({edges[a][b]})" if isinstance(edges[a], dict) else f" -> {b}"
                             for a, b in zip(path, path[1:]))


def variables(path):
    """Whether the object has data that can change. Constants that need relocation lie in .data.rel.ro."""
    listing = output("size", "-A", str(path))
    return any(line.split()[0] in (".data", ".bss") and int(line.split()[1]) > 0
               for line in listing.splitlines() if line.startswith((".data ", ".bss ")))


def exported_by_libraries(cc):
    """The functions of the C libraries that the pure code is linked with."""
    found = set()
    for library in LIBRARIES:
        listing = output("nm", "-D", "--defined-only", output(cc, f"-print-file-name={library}").strip())
        found |= {line.split()[-1].split("@")[0] for line in listing.splitlines() if line.strip()}
    return found


def check_includes(top, modules, complain):
    """Rule 1 and 3 by includes; the rooms with what each needs."""
    rooms = {}
    files = {}
    for path in sorted([*top.rglob("*.c"), *top.rglob("*.h")]):
        name = path.relative_to(top).as_posix()
        room = room_of(name)
        if room.split("/")[0] not in ("lib", "glue", *modules):
            continue
        rooms.setdefault(room, [0, set()])[0] += path.suffix == ".c"
        includes = INCLUDE.findall(path.read_text())
        files[name] = {other for other in includes if (top / other).exists()}
        for other in includes:
            target = room_of(other)
            if not allowed(room, target, modules):
                complain(f"modules/{name} includes {other}: {room} may not need {target or 'Kamailio'}")
            if target not in ("", room):
                rooms[room][1].add(target)
    path = circle(files)
    if path:
        complain(f"headers in a circle: {told(files, path)}")
    return rooms


def objects_of(sources, objects, module):
    """{file: its object} of lib, glue and the module."""
    files = {}
    for folder, where in (("lib", objects), (module, objects), ("glue", objects / module)):
        for source in sorted((sources / folder).rglob("*.c")):
            name = source.relative_to(sources).with_suffix("")
            files[name.as_posix()] = where / name.with_suffix(".o")
            if not files[name.as_posix()].exists():
                sys.exit(f"check_layers: {files[name.as_posix()]} is missing: make modules")
    return files


def check_objects(sources, objects, modules, cc, complain):
    """Rule 2, and 1, 3 and 4 by symbols."""
    known = exported_by_libraries(cc)
    for module in modules:
        files = objects_of(sources, objects, module)
        made = Objects(files)
        edges = made.edges()
        for name, others in edges.items():
            for other, symbol in others.items():
                if not allowed(room_of(name + ".c"), room_of(other + ".c"), modules):
                    complain(f"modules/{name}.c calls {symbol} of modules/{other}.c, which is no room below it")
            if room_of(name + ".c").split("/")[-1] in PURE or name.startswith("lib/"):
                strange = {symbol for symbol in made.needs.get(name, ())
                           if symbol not in made.defines and symbol not in known and not symbol.startswith("_")}
                if strange:
                    complain(f"modules/{name}.c calls what neither we nor the C libraries define: "
                             f"{' '.join(sorted(strange))}")
                impure = made.needs.get(name, set()) & IMPURE
                if impure:
                    complain(f"modules/{name}.c reads a clock or writes a log: {' '.join(sorted(impure))}")
                if name not in OWN_VARIABLES and variables(files[name]):
                    complain(f"modules/{name}.c has a variable of its own: state lies in regions that are handed in")
        path = circle(edges)
        if path:
            complain(f"files in a circle: {told(edges, path)}")


def main():
    """The rooms, or the faults and status 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", default="modules", type=pathlib.Path)
    parser.add_argument("--objects", required=True, type=pathlib.Path)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("modules", nargs="+")
    args = parser.parse_args()
    faults = []

    def complain(text):
        if text not in faults:
            faults.append(text)

    rooms = check_includes(args.sources, args.modules, complain)
    path = circle({room: needs for room, (_, needs) in rooms.items()})
    if path:
        complain(f"rooms in a circle: {' -> '.join(path)}")
    check_objects(args.sources, args.objects, args.modules, args.cc, complain)
    if faults:
        for fault in faults[:SHOWN]:
            print(f"check_layers: {fault}", file=sys.stderr)
        if len(faults) > SHOWN:
            print(f"check_layers: and {len(faults) - SHOWN} more", file=sys.stderr)
        sys.exit(1)
    for room, (count, needs) in sorted(rooms.items()):
        print(f"  {room:20} {count:3} files  needs {', '.join(sorted(needs)) or 'nothing'}")
    print("layers are clean: no room needs one above it, no circle")


main()
