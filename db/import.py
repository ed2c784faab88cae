#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Import a carrier's rate sheet (CSV) into a deck; show the difference; roll back.

The sheet is read and checked first, without touching the database. Then one
transaction locks the deck, compares, and writes what differs together with a
record of it. Whatever fails before the end leaves the deck as it was. See
db/README.md.
"""

import argparse
import os
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from schema import backend  # noqa: E402
from deck import cell as deck_cell  # noqa: E402
from deck import report as deck_report  # noqa: E402
from deck import row as deck_row  # noqa: E402
from schema import generate  # noqa: E402
from deck.diff import Difference, compare  # noqa: E402
from deck.progress import BadLines, Progress  # noqa: E402
from deck.rate import BadCell, GuardFault, ImportFault, SheetFault  # noqa: E402
from deck.sheet import NAMES, Sheet, parse_map  # noqa: E402
from deck.stage import BATCH, Stage  # noqa: E402
from deck.store import Decks, open_session  # noqa: E402

EPILOG = f"""fields of --map: {', '.join(NAMES)}

exit codes: 0 done, or nothing to do; 1 the database or the request cannot be used; 2 wrong usage; 3 the sheet has
bad lines or is not understood; 4 a guard (--max-shrink, --max-move) refused; 5 another writer did not end in time.
With every code but 0 nothing was written."""


def _database_options(parser):
    """As db/create.py has them; the environment of `make db` counts too."""

    def env(name, default=None):
        return os.environ.get(name) or default

    group = parser.add_argument_group("database")
    group.add_argument("--dialect", "--db", choices=generate.DIALECTS, default=env("DB", "sqlite"))
    group.add_argument("--path", default=env("DB_PATH", "build/run/tollgate.sqlite"), help="SQLite: the file")
    group.add_argument("--host", default=env("DB_HOST", "127.0.0.1"))
    group.add_argument("--port", default=env("DB_PORT", "3306"), type=int)
    group.add_argument("--socket", default=env("DB_SOCKET"), help="MySQL: a Unix socket instead of host and port")
    group.add_argument("--user", default=env("DB_USER", "kamailio"))
    group.add_argument("--password-file", default=env("DB_PASSWORD_FILE"))
    group.add_argument("--name", default=env("DB_NAME", "kamailio"))
    group.add_argument("--wait", type=int, default=60, metavar="SECONDS", help="for another import to end (60)")


def _sheet_options(parser):
    group = parser.add_argument_group("how the sheet is written (found out where not said)")
    group.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN,...", help="FIELD= leaves it out")
    group.add_argument("--delimiter", help="one character, or tab")
    group.add_argument("--encoding")
    group.add_argument("--no-header", action="store_true", help="columns in --map are numbers from 1")
    group.add_argument("--decimal", choices=("auto", "point", "comma"), default="auto")
    group.add_argument("--price-unit", choices=tuple(deck_cell.PRICE_UNITS), default="unit", help="of the currency")
    group.add_argument("--round", action="store_true", help="round what is finer than a micro-unit, half up")
    group.add_argument("--date-format", metavar="FORMAT", help="such as %%d.%%m.%%Y (default: ISO 8601)")
    group.add_argument("--tz", default="UTC", help="zone of dates without one (UTC)")
    group.add_argument("--till-inclusive", action="store_true", help="a valid_till without a time includes that day")
    group.add_argument("--valid-from", metavar="DATE", help="for lines without a date (default: at once)")
    group.add_argument("--increments", metavar="FIRST/STEP", help="where the sheet does not say")
    group.add_argument("--blocked-words", default="", metavar="WORD,...", help="more prices that mean blocked")
    group.add_argument("--default-prefix", action="store_true", help="an empty prefix is meant: all numbers")


def _parser():
    parser = argparse.ArgumentParser(
        description="Import a rate sheet (CSV) into a deck.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("deck", help="name of the deck")
    parser.add_argument("file", nargs="?", help="the sheet")
    parser.add_argument("--mode", choices=("replace", "merge"), help="the sheet is the whole deck, or changes only")
    parser.add_argument("--dry-run", action="store_true", help="show the difference, write nothing")
    parser.add_argument("--json", action="store_true", help="the difference as JSON on standard output")
    parser.add_argument("--create", metavar="CURRENCY", help="make the deck where there is none")
    parser.add_argument("--side", choices=("buy", "sell"), default="buy", help="of a deck that is made (buy)")
    parser.add_argument("--history", action="store_true", help="list the deck's revisions")
    parser.add_argument(
        "--rollback", nargs="?", type=int, const=-1, metavar="REVISION", help="back to a revision (the one before)"
    )
    parser.add_argument("--missing-at", metavar="DATE", help="replace: when missing destinations end")
    parser.add_argument("--skip-bad", action="store_true", help="import the good lines of a sheet with bad ones")
    parser.add_argument("--bad-lines", metavar="FILE", help="write every bad line to a CSV file")
    parser.add_argument("--max-shrink", type=float, default=50, metavar="PERCENT", help="of destinations lost (50)")
    parser.add_argument("--max-move", type=float, default=10, metavar="FACTOR", help="of a price at most (10)")
    parser.add_argument("--force", action="store_true", help="write although a guard refuses")
    parser.add_argument("--now", metavar="DATE", help="the moment to compare for (default: the clock)")
    _sheet_options(parser)
    _database_options(parser)
    return parser


def _arguments(argv):
    parser = _parser()
    args = parser.parse_args(argv)
    doing = [args.history, args.rollback is not None, args.file is not None]
    if sum(doing) != 1:
        parser.error("give one of: FILE, --rollback, --history")
    if args.file and not args.mode:
        parser.error("say what the sheet is: --mode replace (the whole deck) or --mode merge (changes only)")
    if args.missing_at and args.mode != "replace":
        parser.error("--missing-at is for --mode replace: a merge leaves what is missing as it is")
    if args.create and not (len(args.create) == 3 and args.create.isascii() and args.create.isupper()):
        parser.error("--create takes the three letters of a currency, such as EUR")
    args.delimiter = {"tab": "\t", "\\t": "\t"}.get(args.delimiter, args.delimiter)
    if args.delimiter is not None and len(args.delimiter) != 1:
        parser.error("--delimiter is one character, or tab")
    if args.wait < 0 or args.max_shrink < 0 or args.max_move < 1:
        parser.error("--wait and --max-shrink are 0 or more, --max-move is 1 or more")
    return args


class Import:
    """One run: the sheet, the workbench, the session."""

    def __init__(self, args, session):
        self.args, self.session, self.decks = args, session, Decks(session)
        self.say = print if not args.json else lambda text: print(text, file=sys.stderr)
        self.stage = Stage()
        self.now = int(time.time())
        if args.now:
            self.now = self._option_date("--now", args.now)

    def _option_date(self, name, text):
        try:
            return deck_cell.moment(text, deck_cell.zone(self.args.tz))
        except ValueError as error:
            raise SheetFault(f"{name}: {error}") from error

    def _deck(self):
        """The deck, or one that is about to be made."""
        args = self.args
        if args.create and args.deck not in (deck.name for deck in self.decks.all()):
            return self.decks.create(args.deck, args.side, args.create)
        deck = self.decks.get(args.deck)
        if args.create and args.create != deck.currency:
            raise ImportFault(f"deck {deck.name} is there already, in {deck.currency}")
        return deck

    def _currency(self):
        """The deck's currency before anything is locked."""
        self.session.begin(False, self.args.wait)
        known = {deck.name: deck for deck in self.decks.all()}
        deck = known.get(self.args.deck)
        currency = deck.currency if deck else self.args.create or self.decks.get(self.args.deck).currency
        self.session.end()
        return currency

    # -- the sheet ----------------------------------------------------------

    def read(self, currency):
        """Read the sheet onto the workbench; the parser that knows what it says."""
        args = self.args
        sheet = Sheet(args.file, parse_map(args.map), args.delimiter, args.encoding, not args.no_header)
        self.say(sheet.describe())
        parser = deck_row.Parser(sheet, currency, self.now, args)
        progress = Progress("reading")
        with BadLines(args.bad_lines) as bad:
            try:
                self._fill(sheet, parser, progress, bad)
            except UnicodeError as error:
                raise SheetFault(f"{args.file}: {error} (--encoding says which)") from error
            for line, other, prefix in self.stage.overlaps():
                bad.add(line, sheet.column_name("prefix"), f"{prefix or '(default)'} overlaps line {other} in time")
        progress.done()
        self.say(f"read {progress.rows} rates in {progress.seconds:.1f} s, {progress.speed:.0f} a second")
        self._judge(bad)
        return parser

    def _fill(self, sheet, parser, progress, bad):
        batch = []
        for number, cells, share in sheet.rows(lambda line, reason: bad.add(line, "line", reason)):
            try:
                batch += parser.lines(number, cells)
            except BadCell as fault:
                bad.add(number, sheet.column_name(fault.field), fault.reason)
            if len(batch) >= BATCH:
                self.stage.add_lines(batch)
                progress.step(len(batch), share)
                batch = []
        self.stage.add_lines(batch)
        progress.step(len(batch), 1)

    def _judge(self, bad):
        if bad.count:
            print(f"{bad.count} bad lines:\n{bad.text()}", file=sys.stderr)
            if not self.args.skip_bad:
                raise SheetFault(f"{bad.count} bad lines: nothing was written (--skip-bad imports the others)")
        if self.stage.first_start() is None:
            raise SheetFault(f"{self.args.file}: holds no rate: nothing was written")

    def _missing_at(self):
        """When destinations end that the whole sheet does not have: when it begins, if that is to come."""
        if self.args.missing_at:
            return max(self._option_date("--missing-at", self.args.missing_at), self.now)
        return max(self.stage.first_start(), self.now)

    # -- what is done -------------------------------------------------------

    def sheet(self):
        """Import a sheet, or show what it would change."""
        args = self.args
        currency = self._currency()
        parser = self.read(currency)
        # A deck that is to be made is made in a dry run too, and given up at its end.
        self.session.begin(not args.dry_run or bool(args.create), args.wait)
        self.session.lock_deck(args.deck)
        deck = self._deck()
        if deck.currency != currency:
            raise ImportFault(f"the currency of deck {deck.name} was changed in the meantime: nothing was written")
        difference = Difference(self.now, args.max_move)
        progress = Progress("comparing")
        total = max(self.decks.count(deck), 1)
        compare(
            self.decks.rates(deck), self.stage, difference, progress, total,
            args.mode == "replace", self._missing_at(), parser.inherit,
        )  # fmt: skip
        progress.done()
        if parser.inherit:
            self.say(f"  as in the deck, the sheet does not say: {', '.join(parser.inherit)}")
        self._finish(deck, difference)

    def _finish(self, deck, difference):
        args = self.args
        if args.json:
            print(deck_report.as_json(difference, deck=deck.name, revision=deck.revision, dry_run=args.dry_run))
        else:
            print(deck_report.text(difference, deck.currency))
        sys.stdout.flush()
        try:
            deck_report.guard(difference, args.max_shrink, args.max_move)
        except GuardFault as fault:
            if not args.force:
                raise
            self.say(f"--force: {fault}")
        self._write(deck)

    def _write(self, deck):
        """Write what is staged, unless there is nothing or it is a dry run."""
        if self.args.dry_run:
            self.say("dry run: nothing was written")
            return
        if not any(self.stage.counts()):
            self.say(f"deck {deck.name} is as the sheet says already (revision {deck.revision})")
            return
        progress = Progress("writing")
        self.decks.apply(deck, self.stage, progress)
        self.session.commit()
        progress.done()
        self._boast(
            f"wrote {progress.rows} changes in {progress.seconds:.1f} s, {progress.speed:.0f} a second:"
            f" deck {deck.name} is at revision {deck.revision}\n"
            f"to make it live: kamcmd callroute.reload deck {deck.name}"
        )

    def _boast(self, text):
        """Say what was done, to whoever still listens."""
        try:
            self.say(text)
        except BrokenPipeError:
            pass

    def history(self):
        """List the revisions."""
        self.session.begin(False, self.args.wait)
        deck = self.decks.get(self.args.deck)
        rows = self.decks.count(deck)
        self.say(f"deck {deck.name} ({deck.side}, {deck.currency}): revision {deck.revision}, {rows} rows")
        for revision, made_at, added, removed in self.decks.history(deck):
            when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(made_at))
            self.say(f"  revision {revision} of {when}: {added} added, {removed} removed")

    def rollback(self):
        """Go back to a revision; that is a revision of its own."""
        args = self.args
        self.session.begin(not args.dry_run, args.wait)
        self.session.lock_deck(args.deck)
        deck = self.decks.get(args.deck)
        target = args.rollback if args.rollback >= 0 else deck.revision - 1
        recorded = {revision for revision, *_ in self.decks.history(deck)}
        if not 0 < target < deck.revision:
            raise ImportFault(f"deck {deck.name} is at revision {deck.revision}: there is no way back to {target}")
        missing = sorted(set(range(target + 1, deck.revision + 1)) - recorded)
        if missing:
            raise ImportFault(f"there is no record of revision {missing[0]}: no way back to {target}")
        self.stage.load_net(self.decks.net(deck, target))
        self.stage.load_before(self.decks.rates(deck))
        if self.stage.undo():
            raise ImportFault(f"deck {deck.name} was changed by hand since revision {target}: it cannot be rolled back")
        added, removed = self.stage.counts()
        self.say(f"back to revision {target}: {added} rows added, {removed} removed")
        self._write(deck)


def _run(args):
    if args.dialect == "sqlite":
        database = backend.Sqlite(args.path)
    else:
        database = backend.Mysql(args.name, args.host, args.port, args.user, args.password_file, args.socket)
    session = open_session(database)
    try:
        run = Import(args, session)
        if args.history:
            run.history()
        elif args.rollback is not None:
            run.rollback()
        else:
            run.sheet()
    finally:
        session.end()
        session.close()


def main(argv=None):
    """The command; its exit code."""
    args = _arguments(argv)
    try:
        _run(args)
    except ImportFault as fault:
        print(f"import: {fault}", file=sys.stderr)
        return fault.status
    except (backend.DatabaseError, generate.SchemaError, sqlite3.Error, OSError) as error:
        print(f"import: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("import: interrupted: nothing was written", file=sys.stderr)
        return 130
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on; what was done is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
