# SPDX-License-Identifier: GPL-2.0-or-later
"""Every link and every path of the pages leads somewhere: to a file of the tree, and there to a heading."""

import os
import re

import pytest

from support.kamailio import ROOT

FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)
CODE = re.compile(r"(`+)(.+?)\1", re.S)
# [words](where) and [words](where "title"); also what a reference leads to: [words]: where
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^ {0,3}\[[^\]]+\]:\s+(\S+)", re.M)
PATH = re.compile(r"(?:modules|cfg|db|tests|docs)/\S*")
PLACEHOLDER = re.compile(r"[<>{}*]|\.\.\.")


def pages():
    """Every page of the tree, by its path there; what was built is none."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [one for one in folders if one != "build" and not one.startswith(".")]
        found += [os.path.relpath(os.path.join(folder, one), ROOT) for one in files if one.endswith(".md")]
    return sorted(found)


def read(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as source:
        return source.read()


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", FENCE.sub("", text), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = first = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = 0
        while name in found:
            count += 1
            name = f"{first}-{count}"
        found.add(name)
    return found


def bad_link(page, text, link):
    """What is wrong with a link of this page; None."""
    where, _, anchor = link.partition("#")
    target = os.path.normpath(os.path.join(os.path.dirname(page), where)) if where else page
    if target.startswith("..") or not (target == page or os.path.exists(os.path.join(ROOT, target))):
        return "no such file"
    if anchor and anchor not in anchors(text if target == page else read(target)):
        return f"no such heading in {target}"
    return None


def faults(page, text):
    """What leads nowhere in a page with this text: ["page: what: why"]."""
    prose, found = FENCE.sub("", text), []
    for one in LINK.finditer(CODE.sub("", prose)):
        link = one[1] or one[2]
        why = None if re.match(r"[a-z][a-z0-9+.-]*:", link) else bad_link(page, text, link)
        if why:
            found.append(f"{page}: {link}: {why}")
    for one in CODE.finditer(prose):
        path = PATH.match(one[2].strip())
        if path and not PLACEHOLDER.search(path[0]):
            name, test, _ = path[0].partition("::")
            # A README names its tests by their place in tests/integration.
            places = (name.rstrip(",;:."), *([f"tests/integration/{name}"] if test else []))
            if not any(os.path.exists(os.path.join(ROOT, place)) for place in places):
                found.append(f"{page}: `{name}`: no such path")
    return found


@pytest.mark.parametrize("page", pages())
def test_links_and_paths_exist(page):
    assert faults(page, read(page)) == []


def test_there_are_pages():
    assert {"README.md", "docs/operations.md", "modules/callroute/README.md", "cfg/README.md"} <= set(pages())


@pytest.mark.parametrize("text, fault", [
    ("See [it](no-such.md).", "no-such.md: no such file"),
    ("See [it](../docs).", None),
    ("See [it](../README.md#licence), [this](#a--b-3) and [that](https://example.org/x).\n# A & `B` (3)\n", None),
    ("[it](../README.md#license)", "../README.md#license: no such heading in README.md"),
    ("[it](#b)\n\n## A\n```\n## B\n```\n", "#b: no such heading in docs/made-up.md"),
    ("[it](#a-1)\n\n## A\n\n## A\n", None),
    ("[it](#a-2)\n\n## A\n\n## A\n", "#a-2: no such heading in docs/made-up.md"),
    ("[`it`](made-up-too.md \"a title\")", "made-up-too.md: no such file"),
    ("[it]: gone.md\n", "gone.md: no such file"),
    ("[it](../../elsewhere.md)", "../../elsewhere.md: no such file"),
    ("`[it](gone.md)`\n```\n[it](gone.md)\n```\n", None),
    ("`modules/callroute/gone.c` does it", "`modules/callroute/gone.c`: no such path"),
    ("`db/create.py --path X`, `tests/unit/test_<name>.c`, `modules/*/live`, `cfg/{a,b}.cfg`", None),
    ("`tests/integration/test_links.py::test_there_are_pages` and `docs/\n`", None),
    ("`tests/alone.sh\nls`, `cfg/gone.sh\nls`", "`cfg/gone.sh`: no such path"),
    ("`db/test_import.py::test_rollback_and_history`, `db/test_gone.py::test_it`", "`db/test_gone.py`: no such path"),
    ("`build/modules/callroute.so`, `gone/x`", None),
])
def test_a_fault_is_found(text, fault):
    assert faults("docs/made-up.md", text) == ([f"docs/made-up.md: {fault}"] if fault else [])
