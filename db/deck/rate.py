# SPDX-License-Identifier: GPL-2.0-or-later
"""What the parts of db/import.py share: a rate, a line of a sheet, and the ways to fail.

A rate holds over the half-open interval [valid_from, valid_till) of Unix
seconds; 0 means since ever, and for good.
"""

from typing import NamedTuple


class Rate(NamedTuple):
    """One row of callroute_rate without its id and deck, in the order of the table."""

    prefix: str
    src_prefix: str
    price: int
    connect_fee: int
    first_sec: int
    step_sec: int
    valid_from: int
    valid_till: int
    blocked: int
    is_default: int

    @property
    def key(self):
        """Which calls it is for: rates with one key compete only in time."""
        return self[:2]

    @property
    def terms(self):
        """What it says, whenever it holds."""
        return self[2:6] + self[8:]

    def ended(self, now):
        """Will it never hold again?"""
        return 0 < self.valid_till <= now

    def holds(self, moment):
        """Does it hold at a moment?"""
        return self.valid_from <= moment and not self.ended(moment)


COLUMNS = Rate._fields


class Line(NamedTuple):
    """What one line of a sheet says about one prefix.

    An undated line holds from now on: its rate has `now` as valid_from until
    the difference is made. A line that is `gone` takes the prefix out of the
    deck at its valid_from.
    """

    rate: Rate
    undated: int
    gone: int
    number: int


class ImportFault(Exception):
    """The import cannot go on; the text is fit for an operator, `status` is the exit code."""

    status = 1


class SheetFault(ImportFault):
    """The sheet cannot be understood, or has bad lines."""

    status = 3


class GuardFault(ImportFault):
    """The difference is too big to be meant."""

    status = 4


class Locked(ImportFault):
    """Somebody else is writing, and did not end in time."""

    status = 5


class BadCell(Exception):
    """A cell that means nothing: the field it is in, and why."""

    def __init__(self, field, reason):
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason
