# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of a sheet: cells to lines, one for each prefix.

What the sheet does not say at all (no such column, no option) is taken over
from the deck: `inherit` names it. Texts repeat over a sheet, so what they mean
is kept in bounded caches.
"""

import functools
import itertools

from deck import cell as deck_cell
from deck.rate import BadCell, Line, Rate, SheetFault

CACHE = 1 << 16
SAMPLE_ROWS = 1000


def detect_comma(sheet):
    """Is the decimal sign of the sheet a comma? Both in one column is for the operator to decide."""
    index = sheet.columns["price"]
    comma = point = False
    for _, cells, _ in itertools.islice(sheet.rows(), SAMPLE_ROWS):
        text = cells[index] if index < len(cells) else ""
        if any(sign.isdigit() for sign in text):
            comma, point = comma or "," in text, point or "." in text
    if comma and point:
        raise SheetFault(f"{sheet.path}: prices with a decimal point and prices with a comma: --decimal point|comma")
    return comma


class Parser:
    """Turns the cells of one sheet into lines.

    sheet     the deck_sheet.Sheet
    currency  of the deck
    now       the moment from which an undated line holds
    options   decimal, price_unit, round, tz, date_format, valid_from, till_inclusive, increments,
              default_prefix, blocked_words: see --help
    """

    def __init__(self, sheet, currency, now, options):
        self.sheet, self.currency, self.now, self.options = sheet, currency, now, options
        self.columns = sheet.columns
        try:
            self.tz = deck_cell.zone(options.tz)
            self.default_from = deck_cell.moment(options.valid_from, self.tz) if options.valid_from else None
            self.increments = deck_cell.increment(options.increments) if options.increments else None
        except ValueError as error:
            raise SheetFault(f"option: {error}") from error
        self.comma = {"auto": None, "point": False, "comma": True}[options.decimal]
        if self.comma is None:
            self.comma = detect_comma(sheet)
        self.blocked_words = {*deck_cell.BLOCKED_WORDS, *filter(None, options.blocked_words.lower().split(","))}
        self._money = functools.lru_cache(CACHE)(self._money)
        self._when = functools.lru_cache(CACHE)(self._when)
        self._till = functools.lru_cache(CACHE)(self._till)
        self._increment = functools.lru_cache(CACHE)(deck_cell.increment)

    @property
    def inherit(self):
        """The columns that the sheet says nothing about."""
        absent = () if "connect_fee" in self.columns else ("connect_fee",)
        if self.increments or self.columns.keys() & {"increment", "first_sec", "step_sec"}:
            return absent
        return (*absent, "first_sec", "step_sec")

    def _money(self, text):
        options = self.options
        return deck_cell.money(
            text, self.currency, self.comma, deck_cell.PRICE_UNITS[options.price_unit], options.round
        )

    def _when(self, text):
        return deck_cell.moment(text, self.tz, self.options.date_format)

    def _till(self, text):
        return deck_cell.moment(text, self.tz, self.options.date_format, self.options.till_inclusive)

    def lines(self, number, cells):
        """Every Line of one line of the sheet; BadCell when there is a fault."""
        width = len(cells)
        text = {field: cells[index].strip() if index < width else "" for field, index in self.columns.items()}
        field = "prefix"
        try:
            prefixes = deck_cell.codes(text["prefix"], text.get("country", ""))
            field = "src_prefix"
            sources = deck_cell.codes(text["src_prefix"]) if text.get("src_prefix") else ("",)
            field = "currency"
            self._check_currency(text)
            field = "change"
            gone = deck_cell.gone(text["change"]) if "change" in text else 0
            field = "blocked"
            blocked = deck_cell.flag(text["blocked"]) if "blocked" in text else 0
            field = "price"
            if gone or text["price"].lower() in self.blocked_words:
                price, blocked = 0, 1
            else:
                price = self._money(text["price"]) if text["price"] or not blocked else 0
            field = "connect_fee"
            fee = self._money(text["connect_fee"]) if text.get("connect_fee") else 0
            field = "increment"
            first, step = self._steps(text)
            field = "valid_from"
            start = self._when(text["valid_from"]) if text.get("valid_from") else self.default_from
            field = "valid_till"
            till = self._till(text["valid_till"]) if text.get("valid_till") else 0
            undated, start = int(start is None), self.now if start is None else start
            if till and till <= start:
                if not undated:
                    raise ValueError(f"{text['valid_till']!r} is not after the beginning")
                undated = start = 0  # has ended already, whenever it began
            field = "prefix"
            self._check_defaults(prefixes, sources)
        except ValueError as error:
            raise BadCell(field, str(error)) from None
        return [
            Line(
                Rate(prefix, source, price, fee, first, step, start, till, blocked, 0 if prefix else 1),
                undated, gone, number,
            )
            for prefix in prefixes
            for source in sources
        ]  # fmt: skip

    def _check_currency(self, text):
        stated = text.get("currency", "")
        if stated and stated.upper() != self.currency:
            raise ValueError(f"{stated!r}, but the deck is in {self.currency}")

    def _check_defaults(self, prefixes, sources):
        if len(prefixes) * len(sources) > deck_cell.RANGE_CODES:
            raise ValueError(f"more than {deck_cell.RANGE_CODES} pairs of codes in one line")
        if not self.options.default_prefix and "" in prefixes:
            raise ValueError("is empty: it would match every number (--default-prefix if that is meant)")

    def _steps(self, text):
        first, step = self.increments or (1, 1)
        if text.get("increment"):
            first, step = self._increment(text["increment"])
        if text.get("first_sec"):
            first = deck_cell.seconds(text["first_sec"])
        if text.get("step_sec"):
            step = deck_cell.seconds(text["step_sec"])
        return first, step
