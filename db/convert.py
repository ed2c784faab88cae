#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn the tables of drouting, lcr or dispatcher into those of callroute; see docs/from-stock-modules.md.

The source is only read. The target is written in one transaction, or not at all.
Exit status: 0 everything was converted; 1 it cannot be done, one line says why;
3 something could not be converted, each row named with the reason: nothing was
written then, or with --partial all the rest.
"""

import argparse
import datetime
import os
import pathlib
import sys
import time
import types
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from schema import backend  # noqa: E402
from convert import dispatcher as convert_dispatcher  # noqa: E402
from convert import drouting as convert_drouting  # noqa: E402
from convert import lcr as convert_lcr  # noqa: E402
from convert import target as convert_target  # noqa: E402
from schema import generate  # noqa: E402
from convert.rows import ConvertError, Tables, open_sqlite  # noqa: E402

SOURCES = {"drouting": convert_drouting, "lcr": convert_lcr, "dispatcher": convert_dispatcher}
NOT_ALL = 3


def _parser():
    parser = argparse.ArgumentParser(description="Convert a stock module's routing tables to callroute's.")
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("databases")
    group.add_argument("--from", required=True, dest="source", metavar="sqlite:FILE|mysql:NAME", help="where they are")
    target = group.add_mutually_exclusive_group(required=True)
    target.add_argument("--path", help="to this SQLite file")
    target.add_argument("--db", help="to this MySQL database")
    for prefix, whose in (("", "MySQL"), ("from-", "the source's, where it is another")):
        default = (lambda value: None) if prefix else (lambda value: value)
        group.add_argument(f"--{prefix}host", default=default("127.0.0.1"), help=f"{whose} server")
        group.add_argument(f"--{prefix}port", default=default(3306), type=int)
        group.add_argument(f"--{prefix}socket", help="a Unix socket instead of host and port")
        group.add_argument(f"--{prefix}user", default=default("kamailio"))
        group.add_argument(f"--{prefix}password-file", default=default(os.environ.get("DB_PASSWORD_FILE") or None))
    group.add_argument(
        "--table", action="append", default=[], metavar="NAME=OTHER", help="the source's table NAME is called OTHER"
    )
    common.add_argument("--dry-run", action="store_true", help="only report; the target is not written")
    common.add_argument("--partial", action="store_true", help="write what can be converted, without the rest")
    common.add_argument("--replace", action="store_true", help="change rows of the same names in place")
    common.add_argument("--id-base", type=int, default=0, metavar="N", help="added to the ids of trunks and plans")
    modules = parser.add_subparsers(dest="module", required=True)
    one = modules.add_parser("drouting", parents=[common])
    one.add_argument("--sort-order", type=int, choices=(0, 1, 2), default=0, help="the module's sort_order")
    one.add_argument("--no-domain", action="store_true", help="the module's use_domain is 0")
    one.add_argument("--tz", help="time zone that Kamailio runs in (Europe/Berlin); needed where a rule has a timerec")
    one = modules.add_parser("lcr", parents=[common])
    one.add_argument("--priority-ordering", action="store_true", help="the module's priority_ordering is 1")
    one = modules.add_parser("dispatcher", parents=[common])
    one.add_argument("--alg", type=int, required=True, help="the algorithm in your ds_select_dst(set, algorithm)")
    one.add_argument("--use-default", action="store_true", help="the module's use_default is 1")
    one.add_argument("--probe-interval", type=int, default=0, help="ds_ping_interval, for rows with flag 8")
    return parser


def _options(args):
    """What the converters are told."""
    options = types.SimpleNamespace(**vars(args), unix_now=int(time.time()), use_domain=True, now=None)
    if args.module == "drouting":
        options.use_domain = not args.no_domain
        try:
            zone = zoneinfo.ZoneInfo(args.tz) if args.tz else None
        except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise ConvertError(f"--tz {args.tz}: {error}") from error
        except KeyError as error:
            raise ConvertError(f"--tz {args.tz}: no such time zone") from error
        options.now = datetime.datetime.now(zone).replace(tzinfo=None)
    if args.module == "dispatcher" and not 0 <= args.probe_interval <= 3600:
        raise ConvertError(f"--probe-interval {args.probe_interval}: 0 to 3600 seconds")
    if args.id_base < 0:
        raise ConvertError(f"--id-base {args.id_base}: 0 or more")
    return options


def _databases(args):
    """(source, target)"""

    def mysql(name, prefix):
        def setting(key):
            return getattr(args, f"{prefix}{key}", None) or getattr(args, key)

        keys = ("host", "port", "user", "password_file", "socket")
        return backend.Mysql(name, *(setting(key) for key in keys))

    kind, colon, name = args.source.partition(":")
    if kind not in ("sqlite", "mysql") or not name:
        raise ConvertError(f"--from {args.source}: sqlite:FILE or mysql:NAME")
    source = open_sqlite(name) if kind == "sqlite" else mysql(name, "from_")
    return source, open_sqlite(args.path) if args.path else mysql(args.db, "")


def _names(pairs, known):
    names = {}
    for pair in pairs:
        name, equals, other = pair.partition("=")
        if name not in known or not other.isidentifier():
            raise ConvertError(f"--table {pair}: not NAME=OTHER with one of {', '.join(known)}")
        names[name] = other
    return names


def convert(args):
    """Do it; the exit status."""
    module = SOURCES[args.module]
    options = _options(args)
    source, database = _databases(args)
    tables = Tables(source, _names(args.table, module.TABLES))
    tables.check_versions(module.TABLES)
    conversion = module.convert(tables, options)
    target = convert_target.Target(database)
    statements = target.statements(conversion, args.id_base, args.replace)
    for table, name in target.left_over(conversion, module.STEM):
        conversion.note(table, name, "no longer in the source; left as it is")
    for kind, rows in (("not converted", conversion.lost), ("note", conversion.notes)):
        for table, row, reason in rows:
            print(f"{table} {row}: {kind}: {reason}")
    counts = {
        "carriers": conversion.carriers,
        "trunks": conversion.trunks,
        "decks": conversion.decks,
        "rates": [rate for rates in conversion.decks.values() for rate in rates],
        "plans": conversion.plans,
        "rules": [rule for rules in conversion.rules.values() for rule in rules],
        "times": conversion.times,
        "accounts": conversion.accounts,
    }
    print(f"{args.module}: " + ", ".join(f"{len(rows)} {name}" for name, rows in counts.items()))
    lost = len(conversion.lost)
    if not conversion.plans:
        raise ConvertError(f"{source}: nothing to convert")
    if lost:
        print(f"{args.module}: {lost} things could not be converted; --partial writes the rest")
    if args.dry_run or lost and not args.partial:
        print(f"{database}: nothing written")
    else:
        target.write(statements)
        print(f"{database}: written")
    return NOT_ALL if lost else 0


def main(argv=None):
    args = _parser().parse_args(argv)
    try:
        return convert(args)
    except (ConvertError, backend.DatabaseError, generate.SchemaError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
