#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn db/schema/*.toml into SQL, one file a module and dialect.

The schema has one source; the dialects differ only in how an id counts up, in
how a comment is kept and in the storage engine. Names are left unquoted on
purpose: Kamailio's drivers do not quote either, so a name that is a reserved
word somewhere must fail here. A fault in a schema file ends in SchemaError,
which names the file, the table and the column.
"""

import argparse
import dataclasses
import pathlib
import re
import sys
import tomllib

SCHEMA_DIR = pathlib.Path(__file__).resolve().parent
DIALECTS = ("sqlite", "mysql")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TYPE = re.compile(r"(int|big|bool|enum|text|ref)(?:\(([a-z0-9_]+)\))?")
_COLUMN_KEYS = {"type", "about", "default", "min", "max", "values", "check", "cascade"}
_TABLE_KEYS = {"name", "version", "about", "unique", "index", "check", "column", "long"}


class SchemaError(Exception):
    """A schema file says something that cannot be turned into SQL."""


@dataclasses.dataclass(frozen=True)
class Column:
    """One column; kind and size are the two parts of its type."""

    name: str
    kind: str
    size: str | None
    about: str
    default: object = None
    checks: tuple = ()
    cascade: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """One table and the number it carries in Kamailio's `version` table."""

    name: str
    version: int
    about: str
    columns: tuple
    unique: tuple = ()
    index: tuple = ()
    checks: tuple = ()
    long: bool = False


def literal(value):
    """An SQL literal that both dialects read alike."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise SchemaError(f"{value!r} is neither an integer nor a text")
    if isinstance(value, int):
        return str(value)
    if "\\" in value:
        raise SchemaError(f"{value!r}: the dialects read a backslash differently")
    return "'" + value.replace("'", "''") + "'"


def _column(where, name, spec):
    where = f"{where}.{name}"
    unknown = spec.keys() - _COLUMN_KEYS
    if unknown:
        raise SchemaError(f"{where}: unknown keys {sorted(unknown)}")
    if not _NAME.fullmatch(name) or name == "id":
        raise SchemaError(f"{where}: not a usable column name")
    match = _TYPE.fullmatch(spec.get("type", ""))
    if not match:
        raise SchemaError(f"{where}: unknown type {spec.get('type')!r}")
    if not spec.get("about"):
        raise SchemaError(f"{where}: every column needs `about`")
    kind, size = match.groups()
    if (kind in ("text", "ref")) != (size is not None):
        raise SchemaError(f"{where}: {kind} and its size or target do not fit")
    checks = [spec["check"]] if "check" in spec else []
    if kind == "bool":
        checks.append(f"{name} IN (0, 1)")
    if kind == "enum":
        values = spec.get("values")
        if not values:
            raise SchemaError(f"{where}: an enum needs `values`")
        checks.append(f"{name} IN ({', '.join(map(literal, values))})")
        if "default" in spec and spec["default"] not in values:
            raise SchemaError(f"{where}: the default is not one of the values")
        size = "32"  # room for the words of later versions
    checks += [f"{name} {op} {spec[key]}" for key, op in (("min", ">="), ("max", "<=")) if key in spec]
    return Column(name, kind, size, spec["about"], spec.get("default"), tuple(checks), spec.get("cascade", False))


def _table(path, module, spec):
    name = spec.get("name", "")
    where = f"{path.name}: {name or 'table without a name'}"
    unknown = spec.keys() - _TABLE_KEYS
    if unknown:
        raise SchemaError(f"{where}: unknown keys {sorted(unknown)}")
    if not _NAME.fullmatch(name) or not name.startswith(module + "_"):
        raise SchemaError(f"{where}: the name must start with {module}_")
    if len(name) > 32:
        raise SchemaError(f"{where}: longer than the 32 characters of Kamailio's `version` table")
    if not isinstance(spec.get("version"), int) or spec["version"] < 1 or not spec.get("about"):
        raise SchemaError(f"{where}: needs `version` (1 or more) and `about`")
    columns = tuple(_column(where, key, value) for key, value in spec.get("column", {}).items())
    if not columns:
        raise SchemaError(f"{where}: has no columns")
    known = {column.name for column in columns}
    for group in spec.get("unique", []) + spec.get("index", []):
        if not group or not set(group) <= known:
            raise SchemaError(f"{where}: index over unknown columns {group}")
    return Table(
        name,
        spec["version"],
        spec["about"],
        columns,
        tuple(map(tuple, spec.get("unique", []))),
        tuple(map(tuple, spec.get("index", []))),
        tuple(spec.get("check", [])),
        spec.get("long", False),
    )


def load(directory=SCHEMA_DIR):
    """{module: (Table, ...)} in the order of the files; referenced tables come first."""
    modules = {}
    for path in sorted(pathlib.Path(directory).glob("*.toml")):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise SchemaError(f"{path.name}: {error}") from error
        module = data.get("module", "")
        tables = tuple(_table(path, module, spec) for spec in data.get("table", []))
        seen = set()
        for table in tables:
            seen.add(table.name)
            for column in table.columns:
                if column.kind == "ref" and column.size not in seen:
                    raise SchemaError(
                        f"{path.name}: {table.name}.{column.name} refers to {column.size}, not defined above"
                    )
        modules[module] = tables
    if not modules:
        raise SchemaError(f"no schema files in {directory}")
    return modules


def _sql_type(column):
    if column.kind in ("text", "enum"):
        return f"VARCHAR({column.size})"
    return "BIGINT" if column.kind == "big" else "INTEGER"


def _sqlite_type_check(column):
    """SQLite keeps a value of any type in any column, and a number of 64 bits in one of INTEGER."""
    if _sql_type(column) == "INTEGER":
        return f"typeof({column.name}) = 'integer' AND {column.name} BETWEEN -2147483648 AND 2147483647"
    return f"typeof({column.name}) = '{'integer' if column.kind == 'big' else 'text'}'"


def _sqlite_misfit(column):
    """What a value fulfils that a loader would refuse; word by word what modules/glue/types.c asks for."""
    if column.kind in ("text", "enum"):
        return f"{column.name} NOT BETWEEN '' AND x''"
    if column.kind == "big":
        return f"{column.name} <> 0 AND {column.name} & -1 <> {column.name}"
    return f"{column.name} NOT IN (0, 1) AND {column.name} << 32 >> 32 <> {column.name}"


def _column_sql(column, dialect):
    sql = f"{column.name} {_sql_type(column)} NOT NULL"
    if column.default is not None:
        sql += f" DEFAULT {literal(column.default)}"
    if dialect == "mysql":
        sql += f" COMMENT {literal(column.about)}"
    return sql


def _body(table, dialect):
    """(SQL of one item of the CREATE TABLE, comment or None) in order."""
    serial = {
        "sqlite": "id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
        "mysql": "id INTEGER PRIMARY KEY AUTO_INCREMENT NOT NULL",
    }
    yield serial[dialect], None
    for column in table.columns:
        yield _column_sql(column, dialect), column.about if dialect == "sqlite" else None
    for group in table.unique:
        yield f"CONSTRAINT {table.name}_{'_'.join(group)}_uk UNIQUE ({', '.join(group)})", None
    for column in table.columns:
        if column.kind == "ref":
            action = " ON DELETE CASCADE" if column.cascade else ""
            key = f"CONSTRAINT {table.name}_{column.name}_fk FOREIGN KEY ({column.name})"
            yield f"{key} REFERENCES {column.size} (id){action}", None
        every = (_sqlite_type_check(column), *column.checks) if dialect == "sqlite" else column.checks
        if every:
            checks = " AND ".join(f"({c})" for c in every)
            yield f"CONSTRAINT {table.name}_{column.name}_ck CHECK ({checks})", None
    for number, check in enumerate(table.checks, 1):
        yield f"CONSTRAINT {table.name}_{number}_ck CHECK ({check})", None


def table_sql(table, dialect):
    """The statements that make one table, its indexes and its version row."""
    if dialect not in DIALECTS:
        raise SchemaError(f"unknown dialect {dialect!r}")
    items = list(_body(table, dialect))
    lines = [f"-- {table.about}", f"CREATE TABLE {table.name} ("]
    for number, (sql, comment) in enumerate(items, 1):
        comma = "," if number < len(items) else ""
        lines.append(f"    {sql}{comma}" + (f" -- {comment}" if comment else ""))
    lines.append(");" if dialect == "sqlite" else f") ENGINE=InnoDB COMMENT={literal(table.about)};")
    lines += [
        f"CREATE INDEX {table.name}_{'_'.join(group)}_idx ON {table.name} ({', '.join(group)});"
        for group in table.index
    ]
    if table.long and dialect == "sqlite":
        # Empty, unless the checks were switched off: a loader that asks for misfits need not read the table.
        misfits = " OR ".join(map(_sqlite_misfit, table.columns))
        lines.append(f"CREATE INDEX {table.name}_misfit_idx ON {table.name} (id) WHERE {misfits};")
    lines.append(f"INSERT INTO version (table_name, table_version) VALUES ({literal(table.name)}, {table.version});")
    return "\n".join(lines) + "\n"


def module_sql(module, tables, dialect):
    """The whole SQL file of one module."""
    head = (
        f"-- Tables of the {module} module, {dialect} dialect. "
        f"Generated by db/schema/generate.py: change db/schema/{module}.toml.\n"
    )
    return head + "".join("\n" + table_sql(table, dialect) for table in tables)


def main(argv=None):
    parser = argparse.ArgumentParser(description="Write the SQL files of every module and dialect.")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for <dialect>/<module>.sql")
    args = parser.parse_args(argv)
    try:
        for module, tables in load().items():
            for dialect in DIALECTS:
                path = args.out / dialect / f"{module}.sql"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(module_sql(module, tables, dialect), encoding="utf-8")
    except (SchemaError, OSError) as error:
        print(f"generate.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
