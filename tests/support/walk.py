# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs what a README has its reader type, and compares what it says comes of it.

    ```console walk=calls
    $ db/create.py --path build/walk/routes.sqlite
    SQLite database build/walk/routes.sqlite: created
    ```
    ```console walk=calls terminal=server
    $ kamailio -DD ...          stays until the end: a terminal of its own
    Listening on                each line is waited for
    ```

`$ ` begins a command, `> ` goes on with it; the lines below are its output, in which
`...` stands for any text, also of several lines. Commands run in bash, in a folder that
shows the tree as its top does, one after the other. Ports of the README are replaced by
free ones, there and back: two runs side by side do not meet.
"""

import os
import re

from . import ports, server
from .kamailio import OUR_MODULES, ROOT
from .process import Process, run
from .readme import blocks

SECONDS = 60


def steps(text):
    """[(command, output)] of a console block."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0].append(line[2:])
        elif found:
            found[-1][1].append(line.rstrip())
        else:
            raise AssertionError(f"output without a command: {line}")
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def matches(shown, true):
    """Is `true` what was shown, with its `...`?"""
    pattern = ".*".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, true, re.S) is not None


def _path():
    """The server under test is the one that a reader's PATH finds."""
    return {"PATH": f"{os.path.dirname(server.binary())}:{os.environ['PATH']}"}


class Walk:
    """The blocks marked walk=<name> of a file, run in order.

    ports  the port numbers that stand in the text
    ready  {terminal: function that waits until what runs there is up}
    """

    def __init__(self, folder, path, name, used_ports, ready=None):
        self.folder, self.ready, self.terminals = str(folder), ready or {}, {}
        self.blocks = [block for block in blocks(path) if block.words.get("walk") == name]
        if not self.blocks:
            raise AssertionError(f"{path} has no block marked walk={name}")
        self.ports = {port: ports.port() for port in used_ports}
        for one in os.listdir(ROOT):
            if one not in ("build", ".git"):
                os.symlink(os.path.join(ROOT, one), os.path.join(self.folder, one))
        os.mkdir(os.path.join(self.folder, "build"))
        os.symlink(OUR_MODULES, os.path.join(self.folder, "build", "modules"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in reversed(self.terminals.values()):
            one.stop()

    def here(self, text):
        """The text with the ports of this run."""
        for shown, true in self.ports.items():
            text = re.sub(rf"\b{shown}\b", str(true), text)
        return text

    def _there(self, text):
        for shown, true in self.ports.items():
            text = re.sub(rf"\b{true}\b", str(shown), text)
        return "\n".join(line.rstrip() for line in text.splitlines())

    def bash(self, command):
        """Run a command: (exit status, what it said, as the README would show it)."""
        done = run(["bash", "-c", self.here(command)], SECONDS, cwd=self.folder, env=_path())
        return done.returncode, self._there(done.stdout)

    def go(self):
        """Run all blocks; the number of commands."""
        count = 0
        for block in self.blocks:
            script = steps(block.text)
            count += len(script)
            if "terminal" in block.words:
                self._open(block, script)
                continue
            for command, shown in script:
                status, said = self.bash(command)
                assert status == 0, f"{block}: {command}\nended with {status}:\n{said}"
                assert matches(shown, said), f"{block}: {command}\nshown:\n{shown}\nsaid:\n{said}"
        return count

    def _open(self, block, script):
        name = block.words["terminal"]
        text = "\n".join(self.here(command) for command, _ in script)
        one = Process(f"terminal-{name}", ["bash", "-c", text], os.path.join(self.folder, f"terminal-{name}.log"),
                      cwd=self.folder, env=_path())
        self.terminals[name] = one.start()
        for line in "\n".join(shown for _, shown in script).splitlines():
            one.wait_line(re.escape(self.here(line)), SECONDS)
        if name in self.ready:
            self.ready[name](self)
