#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Create or check the database: Kamailio's own tables, ours, and demo data.

An existing database is never changed: one that is current is reported as such,
any other is refused with one line that says why. With force it is made anew,
unless it holds tables that do not come from here. A database is checked by the
rows of Kamailio's `version` table against the schema of this release.
"""

import argparse
import os
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from schema import backend  # noqa: E402
from schema import demo  # noqa: E402
from schema import generate  # noqa: E402


def _beside_server():
    """The SQL files of the Kamailio that KAMAILIO names, else where packages put them."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    server = shutil.which(os.environ.get("KAMAILIO") or "kamailio", path=path)
    beside = pathlib.Path(server or "/usr/sbin/kamailio").resolve().parent.parent / "share" / "kamailio"
    return str(beside if beside.is_dir() else "/usr/share/kamailio")


KAMAILIO_SQL = _beside_server()
# What the scripts in cfg/ use of Kamailio's own tables.
KAMAILIO_MODULES = ("standard", "auth_db", "usrloc", "dialog")
_FOLDERS = {"sqlite": ("db_sqlite", "sqlite"), "mysql": ("mysql", "db_mysql")}
_PACKAGES = {"sqlite": "kamailio-sqlite-modules", "mysql": "kamailio-mysql-modules"}
_VERSION_ROW = re.compile(
    r"INSERT INTO version \(table_name, table_version\) values \('(\w+)', ?'?(\d+)'?\)", re.IGNORECASE
)


def kamailio_sql(dialect, folder=KAMAILIO_SQL):
    """Kamailio's own tables, from the SQL files of the installed packages."""
    for name in _FOLDERS[dialect]:
        path = pathlib.Path(folder) / name
        if path.is_dir():
            break
    else:
        raise backend.DatabaseError(
            f"no {_FOLDERS[dialect][0]} folder in {folder}: install {_PACKAGES[dialect]} or give --kamailio-sql"
        )
    try:
        parts = {name: (path / f"{name}-create.sql").read_text(encoding="utf-8") for name in KAMAILIO_MODULES}
    except OSError as error:
        raise backend.DatabaseError(f"{error.filename}: {error.strerror}: install {_PACKAGES[dialect]}") from error
    # regguard parks doubtful registrations in a second table of the same shape.
    parts["quarantine"] = re.sub(r"\blocation", "quarantine", parts["usrloc"])
    return "\n".join(parts.values())


def schema_sql(dialect, kamailio_folder=KAMAILIO_SQL):
    """Every statement of a new database, without rows."""
    ours = (generate.module_sql(module, tables, dialect) for module, tables in generate.load().items())
    return "\n".join([kamailio_sql(dialect, kamailio_folder), *ours])


def expected_versions(sql):
    """{table: version} that a database made by `sql` carries."""
    return {table: int(version) for table, version in _VERSION_ROW.findall(sql)}


def check(database, sql):
    """None when the database fits this release, else the one line that says why not."""
    if not database.exists():
        return f"{database}: does not exist; create it with `make db`"
    tables = database.tables()
    if not tables:
        return f"{database}: is empty; create its tables with `make db FORCE=1`"
    if "version" not in tables:
        return f"{database}: has no `version` table, so it is not a Kamailio database"
    found = {row[0]: int(row[1]) for row in database.query("SELECT table_name, table_version FROM version")}
    faults = []
    for table, version in expected_versions(sql).items():
        if table not in tables:
            faults.append(f"{table} is missing")
        elif table not in found:
            faults.append(f"{table} has no version row")
        elif found[table] != version:
            age = "older" if found[table] < version else "newer"
            faults.append(f"{table} has version {found[table]}, {age} than {version}")
    if not faults:
        return None
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{database}: does not fit this release: {faults[0]}{more}"


def create(database, sql, rows="", force=False):
    """Make the database. Returns False when a current one was there already."""
    exists = database.exists() and bool(database.tables())
    if exists and not force:
        fault = check(database, sql)
        if fault:
            raise backend.DatabaseError(f"{fault}; FORCE=1 makes it anew and loses its rows")
        return False
    if exists:
        foreign = sorted(database.tables() - expected_versions(sql).keys())
        if foreign:
            raise backend.DatabaseError(
                f"{database}: holds tables that were not made here ({', '.join(foreign[:5])});"
                " it is not overwritten even with FORCE=1"
            )
    database.begin(force=True)
    try:
        database.run(f"{sql}\n{rows}")
        database.commit()
    except BaseException:
        database.rollback()
        raise
    return True


def _parser():
    def env(name, default=None):
        # make exports unset variables as empty ones.
        return os.environ.get(name) or default

    parser = argparse.ArgumentParser(
        description="Create or check the database.",
        epilog="Settings that --demo knows: " + ", ".join(f"{k}={v}" for k, v in demo.SETTINGS.items()),
    )
    parser.add_argument("--dialect", choices=generate.DIALECTS, default=env("DB", "sqlite"))
    parser.add_argument("--path", default=env("DB_PATH", "build/run/tollgate.sqlite"), help="SQLite: the file")
    parser.add_argument("--host", default=env("DB_HOST", "127.0.0.1"))
    parser.add_argument("--port", default=env("DB_PORT", "3306"), type=int)
    parser.add_argument("--socket", default=env("DB_SOCKET"), help="MySQL: a Unix socket instead of host and port")
    parser.add_argument("--user", default=env("DB_USER", "kamailio"))
    parser.add_argument("--password-file", default=env("DB_PASSWORD_FILE"))
    parser.add_argument("--name", default=env("DB_NAME", "kamailio"))
    parser.add_argument(
        "--kamailio-sql", default=env("KAMAILIO_SQL", KAMAILIO_SQL), help="folder of Kamailio's SQL files"
    )
    parser.add_argument(
        "--force", action="store_true", default=env("FORCE") == "1", help="make an existing database anew"
    )
    parser.add_argument("--check", action="store_true", help="only check; exit 1 and one line if it does not fit")
    parser.add_argument("--demo", action="store_true", help="with demo users, trunks, rates and rules")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the demo data")
    return parser


def main(argv=None):
    args = _parser().parse_args(argv)
    try:
        if args.dialect == "sqlite":
            database = backend.Sqlite(args.path)
        else:
            database = backend.Mysql(args.name, args.host, args.port, args.user, args.password_file, args.socket)
        sql = schema_sql(args.dialect, args.kamailio_sql)
        if args.check:
            fault = check(database, sql)
            if fault:
                raise backend.DatabaseError(fault)
            return 0
        rows = demo.rows_sql(demo.settings(args.set)) if args.demo else ""
        made = create(database, sql, rows, args.force)
        print(f"{database}: {'created' if made else 'is there and current, left as it is'}")
    except (backend.DatabaseError, generate.SchemaError, demo.SettingError) as error:
        print(f"db: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
