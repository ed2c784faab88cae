#!/usr/bin/python3
"""Writes modules/lib/geo/country_data.c: which country a telephone number belongs to, and how one dials there.

    modules/make/countries.py           writes the file anew
    modules/make/countries.py --check   compares it with what would be written; ends with 0 when they are the same,
                                         1 when they differ, 3 when the installed metadata are of another version

The facts are those of Google's libphonenumber (Apache-2.0), as Debian's python3-phonenumbers packs them; the file
is committed, so that building needs neither. Run it again when a newer package is at hand.

The table of numbers is an automaton over digits. Where countries share a calling code, the patterns of all of them
are walked at the same time, and a digit leads on only as long as more than one country is possible.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import difflib
import functools
import itertools
import pathlib
import re
import sys

try:
    import phonenumbers
    from phonenumbers.phonemetadata import PhoneMetadata
except ImportError as error:
    sys.exit(f"countries.py: {error}: install the Debian package python3-phonenumbers")

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "lib" / "geo" / "country_data.c"
MAX_DIGITS = 15  # E.164
DECIDED = 0x8000  # country.c knows it by the same value
# Sizes of struct tg_country's texts, NUL included.
TEXT_SIZE = {"intl_prefix": 96, "national_prefix": 64, "emergency": 72}

# Numbers of no country get codes that ISO 3166 leaves to its users.
GLOBAL = {"800": "XG", "808": "XG", "878": "XG", "888": "XG", "979": "XG",
          "870": "XS", "881": "XS", "882": "XN", "883": "XN"}

# Where the pattern "for parsing" holds further national prefixes: codes that select a carrier (BO BR CO KR), older
# and newer prefixes side by side (BY LT MX). Elsewhere it holds local numbers and codes that hide the caller's number,
# which must not be stripped. 90 (BR) asks for a collect call.
PREFIXES_FROM_PATTERN = ("BO", "BR", "BY", "CO", "KR", "LT", "MX")
NOT_A_PREFIX = {"BR": "90"}

KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
         "voicemail")
ANY_DIGIT = frozenset("0123456789")


class Pattern:
    """A regular expression over digits, of the few operators that the metadata use, as a nondeterministic automaton."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.edges, self.empty = [], []
        start, end = self.alternatives()
        if self.at != len(text):
            raise ValueError(f"cannot read {text!r} from {self.at}")
        self.end, self.start = end, self.closure({start})

    def state(self):
        self.edges.append([])
        self.empty.append([])
        return len(self.edges) - 1

    def peek(self, token):
        return self.text.startswith(token, self.at)

    def take(self, token):
        if not self.peek(token):
            return False
        self.at += len(token)
        return True

    def alternatives(self):
        start, end = self.state(), self.state()
        while True:
            first, last = self.sequence()
            self.empty[start].append(first)
            self.empty[last].append(end)
            if not self.take("|"):
                return start, end

    def sequence(self):
        start = last = self.state()
        while self.at < len(self.text) and not self.peek("|") and not self.peek(")"):
            begin = self.at
            low, high, end = self.piece()
            after = self.at
            for i in range(high):
                self.at = begin
                first, final = self.atom()
                self.empty[last].append(first)
                if i >= low:
                    self.empty[last].append(end)
                last = final
            self.empty[last].append(end)
            self.at, last = after, end
        return start, last

    def piece(self):
        """How often the piece at hand may come: low, high, and the state behind it."""
        kept = len(self.edges)
        self.atom()
        del self.edges[kept:], self.empty[kept:]
        if self.take("?"):
            return 0, 1, self.state()
        if not self.take("{"):
            return 1, 1, self.state()
        close = self.text.index("}", self.at)
        low, _, high = self.text[self.at:close].partition(",")
        self.at = close + 1
        return int(low), int(high or low), self.state()

    def atom(self):
        if self.take("(?:") or self.take("("):
            both = self.alternatives()
            if not self.take(")"):
                raise ValueError(f"no end of group in {self.text!r}")
            return both
        start, end = self.state(), self.state()
        self.edges[start].append((self.digits(), end))
        return start, end

    def digits(self):
        if self.take("\\d"):
            return ANY_DIGIT
        if self.take("["):
            found, close = set(), self.text.index("]", self.at)
            while self.at < close:
                if self.take("\\d"):
                    found |= ANY_DIGIT
                    continue
                low = high = self.text[self.at]
                self.at += 1
                if self.take("-"):
                    high = self.text[self.at]
                    self.at += 1
                found |= {str(d) for d in range(int(low), int(high) + 1)}
            self.at = close + 1
            return frozenset(found)
        digit = self.text[self.at]
        if digit not in ANY_DIGIT:
            raise ValueError(f"{digit!r} in {self.text!r}")
        self.at += 1
        return frozenset(digit)

    def closure(self, states):
        found, todo = set(states), list(states)
        while todo:
            for other in self.empty[todo.pop()]:
                if other not in found:
                    found.add(other)
                    todo.append(other)
        return frozenset(found)

    def step(self, states, digit):
        return self.closure({to for s in states for digits, to in self.edges[s] if digit in digits})

    def words(self, states=None, word="", limit=8):
        """All that it matches; a digit that may be any is an x."""
        states = self.start if states is None else states
        found = [word] if self.end in states else []
        if len(word) > limit:
            raise ValueError(f"{self.text!r} matches too much")
        after = {d: self.step(states, d) for d in sorted(ANY_DIGIT)}
        if after["0"] and len(set(after.values())) == 1:
            return found + self.words(after["0"], word + "x", limit)
        return found + [w for d, s in after.items() if s for w in self.words(s, word + d, limit)]


class SharedCode:
    """The countries of one calling code, most important first, as libphonenumber tells them apart: by leading digits
    where it states some, else by the patterns of all kinds of numbers."""

    def __init__(self, regions):
        self.regions, self.patterns, self.leading = regions, [], []
        for region in regions:
            meta = PhoneMetadata.metadata_for_region(region)
            kinds = [getattr(meta, kind) for kind in KINDS]
            texts = [k.national_number_pattern for k in kinds if k is not None and k.national_number_pattern]
            self.leading.append(meta.leading_digits is not None)
            self.patterns.append(Pattern(meta.leading_digits or "|".join(texts)))

    def start(self):
        return tuple(p.start for p in self.patterns)

    def step(self, states, digit):
        # Whatever follows leading digits belongs to them.
        return tuple(s if lead and p.end in s else p.step(s, digit)
                     for p, lead, s in zip(self.patterns, self.leading, states))

    def winner(self, states):
        return next((r for r, p, s in zip(self.regions, self.patterns, states) if p.end in s), None)

    @functools.lru_cache(maxsize=None)
    def possible(self, states, left):
        """Whose the number may turn out to be, as it stands or with up to `left` more digits."""
        found = {self.winner(states)} - {None}
        if left > 0:
            for after in {self.step(states, d) for d in ANY_DIGIT}:
                if any(after):
                    found |= self.possible(after, left - 1)
        return frozenset(found)


class Numbers:
    """Nodes of (country when the number ends here, ten ways on); equal ones are kept once."""

    def __init__(self, index):
        self.index, self.nodes, self.known = index, [None], {}

    def node(self, end, ways):
        key = (end, tuple(ways))
        if key not in self.known:
            self.known[key] = len(self.nodes)
            self.nodes.append(key)
        return self.known[key]

    def decided(self, region):
        return DECIDED | self.index[region]

    def shared(self, code, states, left):
        main = code.regions[0]
        possible = code.possible(states, left)
        if len(possible) <= 1:
            return self.decided(next(iter(possible), main))
        ways = [self.shared(code, code.step(states, d), left - 1) for d in sorted(ANY_DIGIT)]
        return self.node(self.decided(code.winner(states) or main), ways)

    def build(self, codes):
        """The root is the last node."""
        def below(prefix):
            if prefix in codes:
                regions = codes[prefix]
                if len(regions) == 1:
                    return self.decided(regions[0])
                code = SharedCode(regions)
                return self.shared(code, code.start(), MAX_DIGITS - len(prefix))
            if not any(c.startswith(prefix) for c in codes):
                return 0
            return self.node(0, [below(prefix + d) for d in sorted(ANY_DIGIT)])
        return below("")


def shortest_words(pattern):
    """What the pattern matches, without what merely extends another word."""
    words = sorted(Pattern(pattern).words(), key=len)
    return sorted(w for i, w in enumerate(words) if not any(w.startswith(v) for v in words[:i]))


def intl_prefix(meta):
    if meta.preferred_international_prefix:
        return meta.preferred_international_prefix.replace("~", "")
    words = shortest_words(meta.international_prefix) if meta.international_prefix else []
    # CL has 26 carriers' codes, and 00 which goes without one.
    return ",".join(words) if len(",".join(words)) < TEXT_SIZE["intl_prefix"] else words[0]


def national_prefix(region, meta):
    first = meta.national_prefix or ""
    if region not in PREFIXES_FROM_PATTERN:
        return first
    # (\d{10,11}): the number behind a carrier's code
    words = Pattern(meta.national_prefix_for_parsing.replace("(\\d{10,11})", "")).words()
    dropped = NOT_A_PREFIX.get(region, "-")
    return ",".join([first] + [w for w in words if w != first and not w.startswith(dropped)])


def first_digits(meta):
    pattern = Pattern(meta.general_desc.national_number_pattern)
    return sum(1 << int(d) for d in ANY_DIGIT if pattern.step(pattern.start, d))


def emergency(region):
    meta = PhoneMetadata.short_metadata_for_region(region)
    found = meta.emergency if meta else None
    return ",".join(Pattern(found.national_number_pattern).words()) if found else ""


def country(region, code):
    if code in GLOBAL:
        return {"iso": region, "code": ""}
    meta = PhoneMetadata.metadata_for_region(region)
    row = {"iso": region, "code": code, "intl_prefix": intl_prefix(meta),
           "national_prefix": national_prefix(region, meta), "emergency": emergency(region),
           "lengths": sum(1 << n for n in meta.general_desc.possible_length), "first": first_digits(meta)}
    for field, size in TEXT_SIZE.items():
        if len(row[field]) >= size:
            raise ValueError(f"{region}: {field} '{row[field]}' is longer than {size - 1}")
    return row


def packed(values, form, width=150):
    """Values in lines, each as wide as fits."""
    lines, line = [], ""
    for text in (form(v) + "," for v in values):
        if line and len(line) + len(text) > width:
            lines.append("\t" + line)
            line = ""
        line += text
    return lines + ["\t" + line]


def generate():
    codes = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        code = str(code)
        codes[code] = [GLOBAL[code]] if regions == ("001",) else list(regions)
    code_of = {region: code for code, regions in codes.items() for region in regions}
    names = sorted(code_of)
    index = {name: i for i, name in enumerate(names)}
    if len(names) > 255:
        raise ValueError(f"{len(names)} countries are too many for a byte")
    numbers = Numbers(index)
    root = numbers.build(codes)
    numbers.nodes[0] = (0, (0,) * 10)

    out = [f"""\
/*
 * Countries and their numbers: tables for country.c, which says what they mean.
 * Written by modules/make/countries.py; do not edit. Facts from libphonenumber's
 * metadata (Google, Apache-2.0), version {phonenumbers.__version__}, by Debian's python3-phonenumbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/geo/country_data.h"

/* clang-format off */
_Static_assert(TG_COUNTRIES == {len(names)}, "country.h is of another table");

const uint16_t tg_country_root = {root};

/* {{country when the number ends here, ways on by digit 0-9}} */
const uint16_t tg_country_nodes[{len(numbers.nodes)}][11] = {{"""]
    out += packed(numbers.nodes, lambda n: "{" + ",".join(map(str, (n[0], *n[1]))) + "}")
    out += ["};", "", "/* [first letter][second letter]: index + 1, 0 where there is no country */",
            "const uint8_t tg_country_by_iso[26][26] = {"]
    letters = [chr(ord("A") + i) for i in range(26)]
    for a in letters:
        out.append("\t{" + ",".join(str(index[a + b] + 1) if a + b in index else "0" for b in letters) + "},")
    out += ["};", "", "/* iso, calling code, international prefixes, national prefixes, emergency numbers,",
            " * lengths, first digits */",
            f"const struct tg_country tg_country_table[{len(names)}] = {{"]
    for name in names:
        row = country(name, code_of[name])
        texts = [row.get(f, "") for f in ("iso", "code", "intl_prefix", "national_prefix", "emergency")]
        masks = [row.get(f, 0) for f in ("lengths", "first")]
        out.append("\t{" + ", ".join([f'"{t}"' for t in texts] + [f"{m:#x}" for m in masks]) + "},")
    return "\n".join(out + ["};", ""])


def main():
    wanted = generate()
    if sys.argv[1:] == []:
        OUTPUT.write_text(wanted)
        return 0
    if sys.argv[1:] != ["--check"]:
        sys.exit("usage: countries.py [--check]")
    have = OUTPUT.read_text() if OUTPUT.exists() else ""
    version = re.search(r", version ([\d.]+),", have)
    if version and version[1] != phonenumbers.__version__:
        print(f"countries.py: {OUTPUT.name} is of libphonenumber {version[1]}, installed is {phonenumbers.__version__}")
        return 3
    if have == wanted:
        print(f"{OUTPUT.name} is what libphonenumber {phonenumbers.__version__} says")
        return 0
    diff = difflib.unified_diff(have.splitlines(), wanted.splitlines(), "committed", "generated", lineterm="", n=0)
    print("\n".join(line[:160] for line in itertools.islice(diff, 20)), file=sys.stderr)
    print(f"countries.py: {OUTPUT.name} differs from libphonenumber {phonenumbers.__version__}: run {sys.argv[0]} and"
          " look at the difference", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
