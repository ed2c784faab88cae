# SPDX-License-Identifier: GPL-2.0-or-later
"""Find out how a carrier's CSV file is written: encoding, delimiter, header, columns.

The file is read in a stream, never as a whole. Header and delimiter are found
together: of the first lines, cut by each delimiter, the one in which most
columns have a known name is the header; so a title above it does no harm. What
cannot be decided is refused with the option that decides it.
"""

import codecs
import csv
import itertools
import os
import re

from deck.rate import SheetFault

HEAD_LINES = 60
CELL_BYTES = 65536  # more is a quote that was never closed
CHUNK = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

# Names of columns without case, blanks and signs; of several in one sheet the one listed first counts.
NAMES = {
    "prefix": "dialcode dialcodes dialingcode dialprefix prefix prefixes code codes destinationcode destinationprefix"
    " dstprefix breakout breakouts dialplan",
    "price": "newrate newprice rate price ratemin ratepermin rateperminute pricemin pricepermin priceperminute"
    " ratepricemin cost charge ratecharge",
    "connect_fee": "connectfee connectionfee connectioncharge setupfee setupcharge setup",
    "increment": "billingincrement billingincrements increment increments billinginterval billing interval rounding",
    "first_sec": "firstsec firstinterval interval1 initialincrement initialinterval minimumduration minduration",
    "step_sec": "stepsec nextinterval intervaln subsequentincrement subsequentinterval additionalincrement",
    "valid_from": "validfrom effectivedate effectivefrom effective effdate startdate datefrom begindate from",
    "valid_till": "validtill validto validuntil enddate expirydate expirationdate expires effectivetill effectiveto"
    " dateto till",
    "blocked": "blocked barred forbidden locked",
    "change": "changetype change ratechange changes action",
    "currency": "currency curr ccy currencycode",
    "src_prefix": "srcprefix sourceprefix originprefix originationprefix origincode originationcode origindialcode"
    " origin ani",
    "country": "",  # guessed only beside an area code: a country's own code is as often its ISO letters
}
NAMES = {field: words.split() for field, words in NAMES.items()}
COUNTRY_NAMES = ("countrycode", "countrydialcode", "cc")
AREA_NAMES = ("areacode", "areacodes", "citycode", "citycodes", "area")
_PAIR = re.compile(r'\s*(\w+)\s*=\s*(?:"([^"]*)"|([^,]*?))\s*(?:,|$)')


def parse_map(texts):
    """{field: column} of `--map field=column,field="column, with comma"`."""
    mapping = {}
    for text in texts:
        at = 0
        while at < len(text):
            pair = _PAIR.match(text, at)
            if not pair:
                raise SheetFault(f"--map {text}: not FIELD=COLUMN[,FIELD=COLUMN...]")
            field = pair[1]
            if field not in NAMES:
                raise SheetFault(f"--map {field}: no such field; there are {', '.join(NAMES)}")
            mapping[field] = pair[2] if pair[2] is not None else pair[3]
            at = pair.end()
    return mapping


def plain(name):
    """A column's name without case, blanks and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def detect_encoding(path):
    """The encoding by byte order mark; else UTF-8 where all of the file is, else Windows' Latin-1."""
    with open(path, "rb") as source:
        head = source.read(4)
        for bom, name in BOMS:
            if head.startswith(bom):
                return name
        source.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := source.read(CHUNK):
                if b"\0" in chunk:
                    raise SheetFault(f"{path}: holds NUL bytes: not a CSV file (save the sheet as CSV)")
                decoder.decode(chunk)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def match_columns(header, wanted):
    """{field: index} for a header row, or None without prefix and price. `wanted` is from --map."""
    cells = [cell.strip() for cell in header]
    columns, taken = {}, set()
    for field, name in wanted.items():
        if not name:
            continue
        same = [n for n, cell in enumerate(cells) if cell.lower() == name.strip().lower()]
        if len(same) != 1:
            return None
        columns[field] = same[0]
        taken.add(same[0])
    free = {n: plain(cell) for n, cell in enumerate(cells) if n not in taken}

    def guess(field, names):
        if field not in wanted:
            for name in names:
                same = [n for n, cell in free.items() if cell == name]
                if same:
                    columns[field] = same[0] if len(same) == 1 else None
                    free.pop(same[0])
                    return

    for field, names in NAMES.items():
        guess(field, names)
    if "prefix" not in columns:
        guess("prefix", AREA_NAMES)
        if "prefix" in columns:
            guess("country", COUNTRY_NAMES)
    return columns if "prefix" in columns and "price" in columns else None


class Sheet:
    """One CSV file. `columns` is {field: index}, `header` the names, `first_line` that of the header."""

    def __init__(self, path, mapping=None, delimiter=None, encoding=None, header=True):
        self.path, self.mapping = path, mapping or {}
        try:
            self.size = os.stat(path).st_size
            self.encoding = encoding or detect_encoding(path)
            codecs.lookup(self.encoding)
            # Bytes that Windows' code page leaves open can only be in a name, which is not used.
            self.errors = "strict" if encoding or self.encoding != "cp1252" else "replace"
            head = self._head()
        except LookupError as error:
            raise SheetFault(f"--encoding: {error}") from error
        except (OSError, UnicodeError) as error:
            raise SheetFault(f"{path}: {error}") from error
        if header:
            self._find_header(head, [delimiter] if delimiter else DELIMITERS)
        else:
            self._number_columns(head, delimiter)
        self.guessed = [field for field in self.columns if field not in self.mapping]

    def _head(self):
        with open(self.path, encoding=self.encoding, errors=self.errors, newline="") as source:
            return [line[:CELL_BYTES] for line in itertools.islice(source, HEAD_LINES)]

    def _find_header(self, head, delimiters):
        best = None
        for delimiter in delimiters:
            reader = csv.reader(head, delimiter=delimiter)
            start = 1
            try:
                for cells in reader:
                    columns = match_columns(cells, self.mapping)
                    if columns and (best is None or len(columns) > len(best[0])):
                        best = columns, delimiter, start, reader.line_num, [cell.strip() for cell in cells]
                    start = reader.line_num + 1
            except csv.Error:
                continue
        if best is None:
            raise SheetFault(self._no_header(head, delimiters))
        self.columns, self.delimiter, self.first_line, self._skip, self.header = best
        for field, index in self.columns.items():
            if index is None:
                raise SheetFault(
                    f"{self.path}: several columns could be the {field}: give them different names"
                    f" and say which it is, --map {field}=..."
                )

    def _no_header(self, head, delimiters):
        lines = [line.rstrip("\r\n")[:160] for line in head if line.strip()]
        wanted = ", ".join(f"{field}={name!r}" for field, name in self.mapping.items() if name)
        looked = f" with {wanted}, each exactly once," if wanted else ""
        return (
            f"{self.path}: none of the first {HEAD_LINES} lines is a header{looked} that names prefix and price"
            f" (delimiters tried: {' '.join(map(repr, delimiters))}). Say which columns they are: --map prefix=...,"
            f"price=...; the first line is: {lines[0] if lines else '(empty)'}"
        )

    def _number_columns(self, head, delimiter):
        self.columns = {}
        for field, name in self.mapping.items():
            if name and not (name.isdecimal() and 1 <= int(name) <= 1000):
                raise SheetFault(f"--map {field}={name}: without a header the columns are numbers from 1")
            if name:
                self.columns[field] = int(name) - 1
        if not {"prefix", "price"} <= self.columns.keys():
            raise SheetFault("--no-header needs at least --map prefix=N,price=N")
        first = head[0] if head else ""
        self.delimiter = delimiter or max(DELIMITERS, key=first.count)
        self.first_line = self._skip = 0
        self.header = [f"column {n + 1}" for n in range(1 + max(self.columns.values()))]

    def column_name(self, field):
        """What the sheet calls a field."""
        index = self.columns.get(field)
        return self.header[index] if index is not None else field

    def describe(self):
        """How the file is read, for the operator."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        where = f"header in line {self.first_line}" if self._skip else "no header"
        lines = [f"sheet {self.path}: {self.encoding}, {names.get(self.delimiter, self.delimiter)}, {where}"]
        for field, index in self.columns.items():
            how = " (guessed)" if field in self.guessed else ""
            lines.append(f"  {field:12} <- {self.header[index]!r}{how}")
        unused = [name for n, name in enumerate(self.header) if n not in self.columns.values() and name]
        if unused:
            lines.append(f"  not used: {', '.join(map(repr, unused))}")
        return "\n".join(lines)

    def rows(self, on_error=None):
        """(line, cells, share of the file read) of each line with something in it.

        A line that is no CSV goes to on_error(line, reason).
        """
        csv.field_size_limit(CELL_BYTES)
        with open(self.path, encoding=self.encoding, errors=self.errors, newline="") as source:
            reader = csv.reader(source, delimiter=self.delimiter, strict=True)
            line = 0
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if reader.line_num > line or "end of data" in str(error):
                        # How many rates it swallowed is not known, so it cannot be skipped.
                        raise SheetFault(
                            f"{self.path}: line {line}: a quote is not closed, at least to line"
                            f" {reader.line_num}: nothing was written"
                        ) from error
                    if on_error and line > self._skip:
                        on_error(line, str(error))
                    continue
                if line > self._skip and any(map(str.strip, cells)):
                    yield line, cells, source.buffer.tell() / max(self.size, 1)
