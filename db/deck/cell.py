# SPDX-License-Identifier: GPL-2.0-or-later
"""The cells of a rate sheet: dial codes, money, dates, increments, words.

Every function takes text and returns a value, or raises ValueError with the
reason. Money is never a float: what is not a whole number of micro-units is
refused, or rounded where the operator said so.
"""

import datetime
import decimal
import re
import zoneinfo

PREFIX_LENGTH = 32
RANGE_CODES = 10000  # of one range, and of one cell
MOST_MONEY = 2**40 - 1  # micro-units, as the schema has it: a million units a minute
PRICE_UNITS = {"unit": 10**6, "cent": 10**4, "milli": 10**3, "micro": 1}
BLOCKED_WORDS = "blocked|barred|closed|suspended|forbidden|not available|n/a|no route|not served".split("|")
TRUE_WORDS = ("1", "y", "yes", "true", "x", "blocked", "barred", "closed", "locked", "suspended")
FALSE_WORDS = ("", "0", "n", "no", "false", "-", "open", "active", "unblocked", "available")
GONE_WORDS = "delete deleted deletion remove removed end ended discontinued withdrawn drop".split()
STAY_WORDS = ["", "no change"]
STAY_WORDS += "- new add added addition change changed increase increased decrease decreased up down".split()
STAY_WORDS += "same unchanged nochange current update updated amended".split()
SIGNS = {"€": ("EUR",), "£": ("GBP",), "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"), "¥": ("JPY", "CNY")}

_CODE = re.compile(r"[0-9*#]+")
_RANGE = re.compile(r"(\+?[0-9]+)\s*[-\u2013]\s*(\+?[0-9]+)")
_MONEY = re.compile(r"[0-9]{1,20}(?:[.,][0-9]{0,20})?|[.,][0-9]{1,20}")
_INCREMENT = re.compile(r"([0-9]{1,5})(?:\s*[/+:\-]\s*([0-9]{1,5}))?")
_EXACT = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)


def international(text):
    """A dial code without the + or 00 before it."""
    if text.startswith("+"):
        return text[1:]
    return text[2:] if text.startswith("00") else text


def code(text):
    """One dial code."""
    bare = international(text)
    if text and not bare:
        raise ValueError(f"{text!r} is an international prefix without a code")
    if bare and not _CODE.fullmatch(bare):
        raise ValueError(f"{text!r} is not a dial code (digits, * and # only)")
    if len(bare) > PREFIX_LENGTH:
        raise ValueError(f"{text!r} is longer than {PREFIX_LENGTH} characters")
    return bare


def code_range(text, bounds):
    """The codes from one to another of the same length."""
    first, last = map(code, bounds)
    if len(first) != len(last) or first > last:
        raise ValueError(f"{text!r} is not a range: both ends need the same length, the lower one first")
    if int(last) - int(first) >= RANGE_CODES:
        raise ValueError(f"{text!r} has more than {RANGE_CODES} codes")
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


def codes(text, country=""):
    """Every dial code of a cell: lists (; , | / line break) and ranges (1234-1239).

    With a country code the cell holds area codes of it, which carry no + or 00.
    Blanks separate nothing: "1 684" could as well be one code as two, and the
    first of the two would be the price of a continent.
    """
    if not country and text.isdecimal() and text.isascii() and len(text) <= PREFIX_LENGTH and text[:2] != "00":
        return (text,)  # most cells of most sheets
    found = []
    for part in re.split(r"[;,|/\n]", text):
        part = part.strip()
        bounds = _RANGE.fullmatch(part)
        if bounds:
            found += code_range(part, bounds.groups())
        elif part or not text.strip():
            found.append(code(part))
        if len(found) > RANGE_CODES:
            raise ValueError(f"more than {RANGE_CODES} codes in one cell")
    if not country:
        return found
    base = code(country)
    if any(len(base) + len(one) > PREFIX_LENGTH for one in found):
        raise ValueError(f"a code is longer than {PREFIX_LENGTH} characters")
    return [base + one for one in found]


def money(text, currency, comma, scale, rounding=False):
    """Micro-units. `comma`: the decimal sign is one; `scale`: micro-units of one unit of the sheet."""
    bare = text.replace(currency, "").strip() if currency else text
    if bare and (bare[0] in SIGNS or bare[-1] in SIGNS):
        sign = bare[0] if bare[0] in SIGNS else bare[-1]
        if currency not in SIGNS[sign]:
            raise ValueError(f"{text!r} is not in {currency}")
        bare = bare.strip(sign).strip()
    if not bare:
        raise ValueError("is empty")
    if bare.startswith("-"):
        raise ValueError(f"{text!r} is negative")
    if not _MONEY.fullmatch(bare):
        raise ValueError(f"{text!r} is not a price")
    if ("." if comma else ",") in bare:
        raise ValueError(f"{text!r}: the decimal sign of this sheet is the {'comma' if comma else 'point'} (--decimal)")
    micro = _EXACT.multiply(decimal.Decimal(bare.replace(",", ".")), decimal.Decimal(scale))
    whole = micro.to_integral_value(context=_EXACT)
    if whole != micro and not rounding:
        raise ValueError(f"{text!r} is finer than a micro-unit (--round rounds it)")
    if whole > MOST_MONEY:
        raise ValueError(f"{text!r} is too much")
    return int(whole)


def zone(name):
    """A zone of the tz database."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin") from error


def moment(text, tz, form=None, whole_day=False):
    """Unix seconds of a date or a date and time.

    whole_day: a date alone means the end of that day, not its beginning.
    """
    try:
        when = datetime.datetime.strptime(text, form) if form else datetime.datetime.fromisoformat(text)
    except ValueError:
        wanted = f"as {form}" if form else "an ISO date (say how it is written: --date-format %d.%m.%Y)"
        raise ValueError(f"{text!r} is not {wanted}") from None
    if when.tzinfo is None:
        if whole_day and when.time() == datetime.time() and not _has_time(text, form):
            when += datetime.timedelta(days=1)
        when = when.replace(tzinfo=tz)
        if when.astimezone(datetime.UTC).astimezone(tz).replace(tzinfo=None) != when.replace(tzinfo=None):
            raise ValueError(f"{text!r} does not exist in {tz}: the clocks are put forward")
    seconds = int(when.timestamp())
    if seconds < 0:
        raise ValueError(f"{text!r} is before 1970")
    return seconds


def _has_time(text, form):
    return "%H" in form or "%I" in form or "%T" in form if form else ":" in text


def increment(text):
    """(first_sec, step_sec) of 60/60, 30+6, or 60 for both."""
    found = _INCREMENT.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not an increment such as 1/1 or 60/60")
    first = int(found[1])
    return seconds(first), seconds(found[2] if found[2] is not None else first)


def seconds(text):
    """A number of seconds to bill by."""
    if not str(text).isdecimal() or not 1 <= int(text) <= 3600:
        raise ValueError(f"{text!r} is not between 1 and 3600 seconds")
    return int(text)


def flag(text):
    """0 or 1 of a word for blocked or open."""
    word = text.lower()
    if word in TRUE_WORDS:
        return 1
    if word in FALSE_WORDS:
        return 0
    raise ValueError(f"{text!r} says neither blocked (yes, 1, closed ...) nor open (no, 0, active ...)")


def gone(text):
    """1 when a word says that the prefix leaves the deck, 0 when it stays."""
    word = text.lower().rstrip(".")
    if word in GONE_WORDS:
        return 1
    if word in STAY_WORDS:
        return 0
    raise ValueError(f"{text!r} is neither a change nor a removal that is known (--map change= leaves the column out)")
