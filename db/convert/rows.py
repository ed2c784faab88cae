# SPDX-License-Identifier: GPL-2.0-or-later
"""What the converters share: reading a foreign table, the account of it, and the rows to be written.

A converter fills a Conversion. What it cannot express is `lost`, row by row
with the reason; what it expresses in another way, or leaves out because the
source module itself does not use it, is a `note`. The names of what it writes
are made of the source's ids alone, so that a second run finds them again.
"""

import dataclasses
import ipaddress
import re

from schema import backend

NAME_MAX = 64
URI_MAX = 255
DIGITS_MAX = 32
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\0": "\0", "\\\\": "\\"}


class ConvertError(Exception):
    """The conversion cannot be done; the text is fit for an operator."""


class Tables:
    """The source's tables. `names` maps its default table names to those of this deployment."""

    def __init__(self, database, names=None):
        self.database, self.names = database, names or {}

    def check_versions(self, versions):
        """Refuse a schema of another version, or of another server with tables of the same names."""
        there = self.database.tables()
        missing = [self.names.get(name, name) for name in versions if self.names.get(name, name) not in there]
        if missing:
            other = "; these look like OpenSIPS', which are not read" if "dr_carriers" in there else ""
            raise ConvertError(f"{self.database}: has no table {missing[0]}{other}")
        if "version" not in there:
            raise ConvertError(f"{self.database}: has no `version` table, so it is not a Kamailio database")
        found = dict(self.database.query("SELECT table_name, table_version FROM version"))
        for name, version in versions.items():
            have = found.get(self.names.get(name, name)) or found.get(name)
            if have != str(version):
                raise ConvertError(
                    f"{self.database}: {name} has version {have or 'none'}; this reads version {version},"
                    " Kamailio 5.6 to 6.0 (OpenSIPS has tables of the same names and other columns)"
                )

    def rows(self, table, *columns):
        """Every row as {column: text}, NULL as '', in the order in which Kamailio gets them: by the first column."""
        wanted = ", ".join(f"COALESCE({column}, '')" for column in columns)
        sql = f"SELECT {wanted} FROM {self.names.get(table, table)} ORDER BY {columns[0]}"
        for row in self.database.query(sql):
            if self.database.dialect == "mysql":  # its client's --batch escapes
                row = [re.sub(r"\\[tn0\\]", lambda m: _ESCAPES[m.group()], text) for text in row]
            yield dict(zip(columns, row))


@dataclasses.dataclass
class Conversion:
    """Everything a source became. Trunks and plans are referred to by name, times by their place in the list."""

    carriers: list = dataclasses.field(default_factory=list)
    trunks: dict = dataclasses.field(default_factory=dict)  # name: {"id": wanted, column: value}
    times: list = dataclasses.field(default_factory=list)  # tuples of callroute_time's columns
    decks: dict = dataclasses.field(default_factory=dict)  # name: [(prefix, {column: value})]
    plans: dict = dataclasses.field(default_factory=dict)  # name: {"id": wanted, column: value}
    plan_trunks: dict = dataclasses.field(default_factory=dict)  # plan: [{column: value}]
    rules: dict = dataclasses.field(default_factory=dict)  # plan: [{column: value}]
    accounts: list = dataclasses.field(default_factory=list)  # {column: value}, plan by name
    lost: list = dataclasses.field(default_factory=list)  # (table, row, reason)
    notes: list = dataclasses.field(default_factory=list)

    def lose(self, table, row, reason):
        self.lost.append((table, row, reason))

    def note(self, table, row, reason):
        self.notes.append((table, row, reason))

    def time(self, row):
        """The place of a callroute_time row; equal rows share one."""
        if row not in self.times:
            self.times.append(row)
        return self.times.index(row)


def host_text(host):
    """A host as a URI has it: IPv6 in brackets. None when it cannot be one."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        return f"[{address}]" if address.version == 6 else str(address)
    except ValueError:
        return host if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?", host) else None


def trunk_uri(text):
    """(URI without a user part, None) or (None, why not)."""
    host = r"\[[0-9A-Fa-f:.]+\]|[^:;?@\[\]]+"
    match = re.fullmatch(rf"(sips?:)?(?:[^@]*@)?({host})(:\d{{1,5}})?(;[^?@]*)?", text.strip(), re.I)
    if not match or not host_text(match[2]):
        return None, f"{text!r} is not host[:port][;params]"
    if match[3] and not 0 < int(match[3][1:]) < 65536:
        return None, f"{text!r}: no such port"
    uri = f"{(match[1] or 'sip:').lower()}{match[2]}{match[3] or ''}{match[4] or ''}"
    if len(uri) > URI_MAX or not uri.isprintable() or set(uri) & set(' \\<>"'):
        return None, f"{text!r} does not fit a URI of {URI_MAX} plain characters"
    return uri, None


def number(text, default=0):
    """A whole number of a column; `default` for NULL. ConvertError for anything else."""
    if text == "":
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ConvertError(f"{text!r} is not a whole number")
    return int(text)


def translation(row, strip_column, prefix_column):
    """({strip, prefix} of a trunk, None) or (None, why not)."""
    strip, prefix = number(row[strip_column]), row[prefix_column]
    if not 0 <= strip <= DIGITS_MAX:
        return None, f"strip {strip} is not within 0 to {DIGITS_MAX}"
    if not re.fullmatch(r"\+?[0-9*#]*", prefix) or len(prefix) > DIGITS_MAX:
        return None, f"{prefix_column} {prefix!r} is not up to {DIGITS_MAX} of 0-9 * # (+ in front)"
    return {"strip": strip, "prefix": prefix}, None


def open_sqlite(path):
    """An existing SQLite file."""
    database = backend.Sqlite(path)
    if not database.exists():
        raise ConvertError(f"{database}: no such file")
    return database
