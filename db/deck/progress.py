# SPDX-License-Identifier: GPL-2.0-or-later
"""A progress bar on a terminal, and the list of a sheet's bad lines.

The bar goes to standard error and only when that is a terminal, so that logs
and pipes stay clean. It is drawn ten times a second at most. Of the bad lines
the first few are kept in memory; a file takes all of them as they come.
"""

import csv
import sys
import time

REDRAW_SECONDS = 0.1
BAR_WIDTH = 30
SHOWN = 20


class Progress:
    """Counts rows of one activity; `share` says how much of the whole is done."""

    def __init__(self, label, stream=None, clock=time.monotonic):
        self.label, self.stream, self.clock = label, stream or sys.stderr, clock
        self.rows = 0
        self._shows = self.stream.isatty()
        self._start = self.clock()
        self._next = self._start

    @property
    def seconds(self):
        """Time since the start."""
        return self.clock() - self._start

    @property
    def speed(self):
        """Rows a second."""
        return self.rows / max(self.seconds, 1e-6)

    def step(self, rows, share):
        """`rows` more are done, which makes `share` (0..1) of all."""
        self.rows += rows
        if self._shows and self.clock() >= self._next:
            self._next = self.clock() + REDRAW_SECONDS
            self._draw(min(max(share, 0.0), 1.0))

    def _draw(self, share):
        full = int(BAR_WIDTH * share)
        left = f"{self.seconds * (1 - share) / share:.0f} s left" if share else ""
        bar = "#" * full + "." * (BAR_WIDTH - full)
        self.stream.write(f"\r\033[K{self.label} [{bar}] {share:4.0%} {self.rows} rows, {self.speed:.0f} rows/s {left}")
        self.stream.flush()

    def done(self):
        """Take the bar away."""
        if self._shows:
            self.stream.write("\r\033[K")
            self.stream.flush()
        return self


class BadLines:
    """Bad lines by number, with the column and the reason."""

    def __init__(self, path=None):
        self.count = 0
        self.first = []
        self._file = open(path, "w", encoding="utf-8", newline="") if path else None
        self._writer = csv.writer(self._file) if path else None
        if path:
            self._writer.writerow(("line", "column", "reason"))

    def add(self, line, column, reason):
        """One more."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append((line, column, reason))
        if self._writer:
            self._writer.writerow((line, column, reason))

    def text(self):
        """The first of them and how many there are."""
        lines = [f"  line {line}, {column}: {reason}" for line, column, reason in self.first]
        more = self.count - len(self.first)
        return "\n".join(lines + ([f"  and {more} more"] if more else []))

    def close(self):
        """Close the file."""
        if self._file:
            self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
