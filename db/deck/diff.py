# SPDX-License-Identifier: GPL-2.0-or-later
"""What a sheet changes in a deck.

Deck and sheet come in the same order, so they are walked side by side and only
one prefix is in memory. For each (prefix, src_prefix) that the sheet speaks of,
the deck's rates hold until the sheet's first moment and the sheet's from there
on; what has ended by now is dropped (callroute_rate_change keeps it), and
neighbours in time with the same terms become one, so that a sheet that says
what the deck says changes nothing.
"""

import heapq
import itertools

from deck.rate import ImportFault, Rate
from deck.stage import batches

TOP = 10


def _clip(rates, moment):
    """What is left of the rates before a moment."""
    for rate in rates:
        if rate.valid_from < moment:
            yield rate._replace(valid_till=moment) if rate.valid_till == 0 or rate.valid_till > moment else rate


def _stated(lines):
    """The sheet's own rates: each without an end is ended by the next one's beginning."""
    for line, following in itertools.zip_longest(lines, lines[1:]):
        rate = line.rate
        if following and not rate.valid_till:
            rate = rate._replace(valid_till=following.rate.valid_from)
        if not line.gone:
            yield rate


def _joined(rates):
    """Neighbours in time with the same terms as one."""
    out = []
    for rate in rates:
        if out and out[-1].valid_till == rate.valid_from and out[-1].terms == rate.terms:
            rate = out.pop()._replace(valid_till=rate.valid_till)
        out.append(rate)
    return out


def _inherited(old, line, names):
    """The line with what its sheet says nothing about taken from the deck's rate of that moment."""
    if not old or not names or line.gone:
        return line
    moment = line.rate.valid_from
    base = next((rate for rate in old if rate.holds(moment)), old[-1])
    return line._replace(rate=line.rate._replace(**{name: getattr(base, name) for name in names}))


def timeline(old, lines, now, missing_at=None, inherit=()):
    """The rates of one key after the import.

    old         the deck's rates in order of valid_from
    lines       the sheet's lines in order of valid_from
    missing_at  when a key ends that the sheet does not have; None = it stays as it is
    inherit     columns that are taken from the deck
    """
    if not lines:
        if missing_at is None:
            return list(old)
        return [rate for rate in _clip(old, missing_at) if not rate.ended(now)]
    lines = [_inherited(old, line, inherit) for line in lines]
    start = lines[0].rate.valid_from
    after = [rate for rate in _joined([*_clip(old, start), *_stated(lines)]) if not rate.ended(now)]
    if after and lines[0].undated and after[0].valid_from == now:
        after[0] = after[0]._replace(valid_from=0)
    return after


def _groups(rows, key):
    """(key, rows) and then (None, ()) for ever."""
    for value, members in itertools.groupby(rows, key):
        yield value, list(members)
    while True:
        yield None, ()


def side_by_side(deck, lines):
    """(key, [(id, Rate)], [Line]) of every key that is in the deck, in the sheet, or in both."""
    left = _groups(deck, lambda row: row[1][:2])
    right = _groups(lines, lambda line: line[0][:2])
    deck_key, old = next(left)
    sheet_key, new = next(right)
    while deck_key is not None or sheet_key is not None:
        if sheet_key is None or (deck_key is not None and deck_key < sheet_key):
            yield deck_key, old, ()
            deck_key, old = next(left)
        elif deck_key is None or sheet_key < deck_key:
            yield sheet_key, (), new
            sheet_key, new = next(right)
        else:
            yield deck_key, old, new
            deck_key, old = next(left)
            sheet_key, new = next(right)


class Difference:
    """Counts and examples of what changes; fed key by key, so its size is fixed."""

    def __init__(self, now, max_move):
        self.now, self.max_move = now, max_move
        self.before = self.after = self.added = self.removed = 0
        self.destinations = self.new = self.lost = self.changed = self.same = 0
        self.rises = self.falls = self.blocked = self.opened = self.wild = 0
        self.new_first, self.lost_first, self.opened_first, self.wild_first = [], [], [], []
        self._absolute, self._percent = [], []

    def see(self, key, old, new, added, removed, stated):
        """One key: its rates before and after, the rows that come and go, and whether the sheet prices it."""
        self.before += len(old)
        self.after += len(new)
        self.added += len(added)
        self.removed += len(removed)
        live = [rate for rate in old if not rate.ended(self.now)]
        self.destinations += bool(live)
        if not added and not removed:
            self.same += bool(live)
            return
        if not live:
            if new:
                self.new += 1
                self._note(self.new_first, key, new[0].price)
        elif not new or not stated:
            self.lost += 1
            self._note(self.lost_first, key, live[-1].price)
        else:
            self.changed += 1
        for rate in added:
            self._move(live, rate)

    def _note(self, first, key, *what):
        if len(first) < TOP:
            first.append((*key, *what))

    def _move(self, live, rate):
        """The price of an added rate against the one that the deck had for its first moment."""
        moment = max(rate.valid_from, self.now)
        base = next((one for one in live if one.holds(moment)), None)
        if base is None:
            return
        if base.blocked != rate.blocked:
            self.blocked += rate.blocked
            self.opened += base.blocked
            if base.blocked:
                self._note(self.opened_first, rate.key, base.price, rate.price, moment)
        if base.blocked or rate.blocked or base.price == rate.price:
            return
        self.rises += rate.price > base.price
        self.falls += rate.price < base.price
        low, high = sorted((base.price, rate.price))
        move = (*rate.key, base.price, rate.price, moment)
        if low == 0 or high > low * self.max_move:
            self.wild += 1
            self._note(self.wild_first, rate.key, base.price, rate.price, moment)
        self._keep(self._absolute, high - low, move)
        self._keep(self._percent, (high - low) / base.price if base.price else float("inf"), move)

    @staticmethod
    def _keep(heap, size, move):
        heapq.heappush(heap, (size, move))
        if len(heap) > TOP:
            heapq.heappop(heap)

    @property
    def biggest(self):
        """The biggest price moves by amount: (prefix, src_prefix, old, new, moment)."""
        return [move for _, move in sorted(self._absolute, reverse=True)]

    @property
    def steepest(self):
        """The biggest price moves by per cent."""
        return [move for _, move in sorted(self._percent, reverse=True)]


def _rows(old, new):
    """(rows to add, (id, Rate) to remove) that make `new` of `old`."""
    added, removed = list(new), []
    for number, rate in old:
        if rate in added:
            added.remove(rate)
        else:
            removed.append((number, rate))
    return added, removed


def compare(deck, stage, difference, progress, total, replace, missing_at, inherit):
    """Walk the deck's rows (id, Rate) and the staged sheet; stage the changes and fill the difference."""
    missing_at = missing_at if replace else None

    def changes():
        for key, old, lines in side_by_side(deck, stage.lines()):
            rates = sorted((rate for _, rate in old), key=lambda rate: rate.valid_from)
            new = timeline(rates, lines, difference.now, missing_at, inherit)
            added, removed = ((), ()) if rates == new else _rows(old, new)
            difference.see(key, rates, new, added, removed, any(not line.gone for line in lines))
            progress.step(len(old) or len(lines), (progress.rows + 1) / max(total, 1))
            yield from removed
            for rate in added:
                yield None, rate

    for batch in batches(changes()):
        stage.add_changes(batch)


def as_rate(row, whole):
    """A Rate of a row as a database's client gives it; ImportFault for what a column of whole numbers may hold beside.

    whole: int where the client gives text, operator.index where it gives the values themselves (SQLite: of any type)
    """
    try:
        return Rate(row[0], row[1], *map(whole, row[2:]))
    except (TypeError, ValueError) as error:
        said = ", ".join(f"{name} = {value!r}" for name, value in zip(Rate._fields, row))
        raise ImportFault(f"a rate of the deck has what is no whole number: {said}; correct it first") from error
