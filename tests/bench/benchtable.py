# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured, as rows; the table for people, the JSON for programs.

A row: group, size, name, how, and figures. In each (group, size) one row is
ours; `ratio` of any other is its time over ours: above 1, ours is faster.
"""

import json
import os

NOT_MEASURED = "-"


class Report:
    """Rows, notes, failures of one part; `failed` is why it did not come to its end."""

    def __init__(self, part, machine):
        self.part, self.machine = part, machine
        self.failed = self.trace = None
        self.rows, self.notes, self.failures, self.targets = [], [], [], []

    def add(self, group, size, name, how="", ours=False, **figures):
        """One row; figures may be None."""
        self.rows.append({"group": group, "size": size, "name": name, "how": how, "ours": ours, **figures})
        return self.rows[-1]

    def note(self, text):
        """Something that the reader of the figures must know."""
        self.notes.append(text)

    def fail(self, text):
        """A wrong answer or a lost account: the bench fails."""
        self.failures.append(text)

    def find(self, group, size, name):
        """The row, or None."""
        return next((row for row in self.rows
                     if (row["group"], row["size"], row["name"]) == (group, size, name)), None)

    def ratios(self, figure):
        """Give every row of a group that has the figure its ratio to ours."""
        for row in self.rows:
            ours = next((one for one in self.rows if one["ours"] and one["group"] == row["group"]
                         and one["size"] == row["size"]), None)
            if ours and row.get(figure) and ours.get(figure):
                row[f"{figure}_ratio"] = round(row[figure] / ours[figure], 2)

    def target(self, text, got, met):
        """A target of the design: shown, never pass or fail."""
        self.targets.append({"target": text, "got": got, "met": met})

    # -- output ---------------------------------------------------------------

    def table(self, group, title, columns):
        """One group as text; columns are (heading, key, digits)."""
        rows = [row for row in self.rows if row["group"] == group]
        if not rows:
            return ""
        sizes = list(dict.fromkeys(row["size"] for row in rows))
        rows.sort(key=lambda row: sizes.index(row["size"]))
        cells = [["size", "what", *[head for head, _, _ in columns], "measured by"]]
        for row in rows:
            cells.append([row["size"], row["name"] + (" *" if row["ours"] else ""),
                          *[_figure(row.get(key), digits) for _, key, digits in columns], row["how"]])
        wide = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
        left = (0, 1, len(cells[0]) - 1)
        lines = ["  ".join(cell.ljust(size) if n in left else cell.rjust(size)
                           for n, (cell, size) in enumerate(zip(line, wide))).rstrip() for line in cells]
        lines.insert(1, "  ".join("-" * size for size in wide))
        return "\n".join([f"\n{title}", "", *lines])

    def closing(self):
        """Targets, notes, failures."""
        lines = []
        if self.targets:
            lines += ["\nTargets (shown, never pass or fail)", ""]
        lines += [f"  {'met   ' if one['met'] else 'MISSED'}  {one['target']}: {one['got']}" for one in self.targets]
        lines += ["\nNotes", ""] + [f"  - {note}" for note in self.notes] if self.notes else []
        lines += ["\nFAILED", ""] + [f"  - {one}" for one in self.failures] if self.failures else []
        return "\n".join(lines)

    def content(self):
        """All of it, for a JSON file."""
        return {"part": self.part, "failed": self.failed, "machine": self.machine, "rows": self.rows,
                "targets": self.targets, "notes": self.notes, "failures": self.failures, "trace": self.trace}


def write_json(path, content):
    """All of the file or the one before: never a part of it."""
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1, default=str)
        out.write("\n")
    os.replace(new, path)


def _figure(value, digits):
    if value is None:
        return NOT_MEASURED
    if isinstance(value, str):
        return value
    return f"{value:,.{digits}f}"
