# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of the READMEs, so that a test can run exactly what a reader copies.

Markup: the info string of a fenced block is its language and then key=value
words; renderers show the block by the language alone and ignore the rest.

    ```kamailio drop-in=fraudguard anchor=loadmodule
    loadmodule "fraudguard.so"
    ```

    drop-in=<module>   the block belongs to the drop-in of this module into Debian's
                       stock kamailio.cfg; `all` belongs to every module's
    anchor=<place>     where its lines go: the names are in support/stockcfg.py
    example=<name>     any other block that a test runs, found by its name

A drop-in uses the stock file's own DBURL for the database, so nothing in the
lines must be edited before they run.
"""

import os
import re

from .kamailio import ROOT

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```\s*$", re.M | re.S)


class Block:
    """One fenced block: language, words ({key: value}), text, and where it stands."""

    def __init__(self, path, line, info, text):
        self.path, self.line, self.text = path, line, text
        language, *words = info.split() or [""]
        self.language = language
        self.words = dict(word.partition("=")[::2] for word in words)

    def __repr__(self):
        return f"{self.path}:{self.line}"


def blocks(path="README.md"):
    """All fenced blocks of a file of the tree."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        text = source.read()
    return [Block(path, text.count("\n", 0, found.start()) + 1, found[1], found[2])
            for found in FENCE.finditer(text)]


def drop_in(module, path="README.md"):
    """The documented additions for one module: [(anchor, lines)]. Raises when there are none."""
    found = [block for block in blocks(path) if block.words.get("drop-in") in (module, "all")]
    if not any(block.words["drop-in"] == module for block in found):
        raise AssertionError(f"{path} has no block marked drop-in={module}")
    for block in found:
        if "anchor" not in block.words:
            raise AssertionError(f"{block}: a drop-in block without anchor=")
    return [(block.words["anchor"], block.text) for block in found]


def example(name, path="README.md"):
    """The text of the one block marked example=<name>."""
    found = [block for block in blocks(path) if block.words.get("example") == name]
    if len(found) != 1:
        raise AssertionError(f"{path} has {len(found)} blocks marked example={name}, not one")
    return found[0].text
