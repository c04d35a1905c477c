# SPDX-License-Identifier: Apache-2.0
"""Databases that one test after another uses: put back between them, thrown away when a test changed their structure.

Making a database is three hundred files written and thrown away; putting one back is a few statements. What a test may
rely on is the same: it finds what its template holds, and nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from hub.embedded.postgres import ADMIN, Postgres

ENOUGH = 50
"""How often a database is used: deleted rows stay in its files until then."""
AWAY: LiteralString = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""
NAMES: LiteralString = "select relname from pg_class where relkind = %s and relnamespace = 'public'::regnamespace"
TABLE, SEQUENCE = "r", "S"
STRUCTURE: LiteralString = """
with things (what) as (
  select format('class %s %s', oid, xmin) from pg_class where relnamespace = 'public'::regnamespace
  union all select format('column %s %s %s', attrelid, attnum, xmin) from pg_attribute
    where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
  union all select format('function %s %s', oid, xmin) from pg_proc where pronamespace = 'public'::regnamespace
  union all select format('trigger %s %s', oid, xmin) from pg_trigger
  union all select format('policy %s %s', oid, xmin) from pg_policy
  union all select format('check %s %s', oid, xmin) from pg_constraint where connamespace = 'public'::regnamespace
  union all select format('schema %s %s', oid, xmin) from pg_namespace where nspname not like 'pg_%temp%'
)
select sum(hashtextextended(what, 0))::text from things
"""


@dataclass(frozen=True)
class Contents:
    """What a template holds: each table's rows as PostgreSQL copies them, and how far each sequence has counted."""

    rows: Mapping[str, bytes]
    counts: Mapping[str, tuple[int, bool]]

    @classmethod
    def of(cls, owner: psycopg.Connection[Any]) -> Contents:
        rows = {table: _copied(owner, table) for table in _names(owner, TABLE)}
        return cls(rows, {name: _last(owner, name) for name in _names(owner, SEQUENCE)})

    def put_back(self, owner: psycopg.Connection[Any]) -> None:
        """Make a database hold this again; triggers and foreign keys have had their say."""
        with owner.transaction():
            owner.execute("set local session_replication_role = replica")
            for name in set(_names(owner, SEQUENCE)) - set(self.counts):  # a test's own clock
                owner.execute(_said("drop sequence {}", name))
            owner.execute(sql.SQL(";").join(_said("delete from {}", table) for table in self.rows))
            for table, rows in self.rows.items():
                if rows:
                    with owner.cursor().copy(_said("copy {} from stdin", table)) as copy:
                        copy.write(rows)
            for name, (last, given) in self.counts.items():
                owner.execute("select setval(%s, %s, %s)", (name, last, given))


@dataclass
class Kept:
    """A database between two tests."""

    name: str
    owner: psycopg.Connection[Any]
    structure: str
    contents: Contents
    uses: int = 0


@dataclass
class UsedAgain:
    """The databases made from one template; `make` and `drop` do so with one by its name."""

    postgres: Postgres
    prefix: str
    make: Callable[[str], None]
    drop: Callable[[str], None]
    free: list[Kept] = field(default_factory=list)
    contents: Contents | None = None
    made: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def take(self) -> Kept:
        """Give a database that holds what the template does."""
        if self.free:
            return self.free.pop()
        name = f"{self.prefix}_{next(self.made)}"
        self.make(name)
        owner = psycopg.connect(host=str(self.postgres.sockets), user=ADMIN, dbname=name, autocommit=True)
        self.contents = self.contents or Contents.of(owner)
        return Kept(name=name, owner=owner, structure=_structure(owner), contents=self.contents)

    def give_back(self, kept: Kept) -> None:
        """Put a database back, or throw it away."""
        kept.uses += 1
        whole = False
        with suppress(psycopg.Error):  # whatever a test did to it
            kept.owner.execute(AWAY)
            kept.contents.put_back(kept.owner)
            whole = _structure(kept.owner) == kept.structure
        if whole and kept.uses < ENOUGH:
            self.free.append(kept)
            return
        kept.owner.close()
        self.drop(kept.name)

    def close(self) -> None:
        """Let go of what is still kept; the cluster goes with the process."""
        for kept in self.free:
            kept.owner.close()


def _names(owner: psycopg.Connection[Any], kind: str) -> Sequence[str]:
    return [name for (name,) in owner.execute(NAMES, (kind,))]


def _said(statement: LiteralString, name: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(name))


def _copied(owner: psycopg.Connection[Any], table: str) -> bytes:
    with owner.cursor().copy(_said("copy {} to stdout", table)) as copy:
        return b"".join(copy)


def _last(owner: psycopg.Connection[Any], sequence: str) -> tuple[int, bool]:
    row = owner.execute(_said("select last_value, is_called from {}", sequence)).fetchone()
    assert row is not None
    return row[0], row[1]


def _structure(owner: psycopg.Connection[Any]) -> str:
    row = owner.execute(STRUCTURE).fetchone()
    assert row is not None
    return str(row[0])
