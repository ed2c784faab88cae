# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's steps on a terminal, and its closing table *expected / got / evidence*.

A step that raises is a step that failed: its reason becomes the row's `got`,
and the steps after it still run, so that one fault does not hide another.
"""

import shutil
import sys
import textwrap
import time

MARKS = {True: "ok", False: "FAIL"}


class Step:
    """One row. show() and prove() what is seen, then expect() what must hold."""

    def __init__(self, title, expected):
        self.title, self.expected = title, expected
        self.got, self.evidence = "", []
        self.ok = False

    def expect(self, good, got):
        """`got` is what happened; the step fails here unless `good`."""
        self.got = got
        if not good:
            raise AssertionError(got)

    @staticmethod
    def show(text):
        """A fact seen on the way, printed now."""
        say(f"      {text}")

    def prove(self, text, short=None):
        """A fact that is evidence: printed now, and in the table (there as `short` when given)."""
        self.show(text)
        self.evidence.append(short or text)


def say(text=""):
    """A line to the terminal, at once."""
    print(text, flush=True)


class Report:
    """Numbers the steps, runs them, keeps their results."""

    def __init__(self):
        self.steps = []
        self.started = time.monotonic()

    def run(self, title, expected, work):
        """Run work(step); never raises for a step's own failure. True when it held."""
        step = Step(title, expected)
        self.steps.append(step)
        say(f"\n[{len(self.steps)}] {title}")
        say(f"    expected: {expected}")
        began = time.monotonic()
        try:
            work(step)
            step.ok = True
        except Exception as failure:  # whatever it is, the step did not hold
            lines = str(failure).splitlines() or [repr(failure)]
            step.got = lines[0]
            for line in lines[1:]:
                say(f"      {line}")
        say(f"    got: {step.got}   [{MARKS[step.ok]}, {time.monotonic() - began:.1f} s]")
        return step.ok

    @property
    def ok(self):
        """Did every step hold, and was there one?"""
        return bool(self.steps) and all(step.ok for step in self.steps)

    def table(self, width=None):
        """The final table as text."""
        width = max(72, min(width or shutil.get_terminal_size((110, 24)).columns, 140))
        room = width - 2 - 4 - 5        # without the number, the mark and the gaps
        title, expected, got = room * 16 // 100, room * 25 // 100, room * 23 // 100
        columns = (2, title, expected, got, room - title - expected - got, 4)

        def row(*cells):
            wrapped = [sum((textwrap.wrap(line, size) or [""] for line in text.split("\n")), [])
                       for text, size in zip(cells, columns)]
            high = max(len(lines) for lines in wrapped)
            return "\n".join(" ".join((lines[n] if n < len(lines) else "").ljust(size)
                                      for lines, size in zip(wrapped, columns)).rstrip()
                             for n in range(high))

        rule = " ".join("-" * size for size in columns)
        body = [row("", "step", "expected", "got", "evidence", ""), rule]
        for number, step in enumerate(self.steps, 1):
            body.append(row(str(number), step.title, step.expected, step.got,
                            "\n".join(step.evidence), MARKS[step.ok]))
        good = sum(step.ok for step in self.steps)
        body += [rule, f"{good} of {len(self.steps)} steps as expected, "
                       f"{time.monotonic() - self.started:.0f} s"]
        return "\n".join(body)

    def close(self, out=sys.stdout):
        """Print the table; the exit status."""
        print(f"\n{self.table()}", file=out, flush=True)
        return 0 if self.ok else 1
