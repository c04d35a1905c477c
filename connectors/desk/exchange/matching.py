# SPDX-License-Identifier: Apache-2.0
"""Who a row may be: everybody who is here, and the rows above, in dictionaries by name, reading and case number.

Built once for a batch: ten thousand people are read in some tens of milliseconds, far less than a look-up per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import tables as casebook
from connectors.casebook import tables_files as own
from connectors.desk.exchange import reads
from connectors.desk.exchange.reads import ROW_ABOVE
from connectors.desk.exchange.rules import Keys
from connectors.desk.exchange.tables import import_rows

_SETTLED = ("added", "filled")


@dataclass(kw_only=True)
class Index:
    """People by what they are found by. `numbers`: whose case has which number; `digests`: of rows above.

    `upto`: the row of the file up to which rows are in it.
    """

    by_name: dict[str, list[tuple[str, Keys]]] = field(default_factory=dict)
    by_kana: dict[str, list[tuple[str, Keys]]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    upto: int = 0

    def add(self, who: str, keys: Keys) -> None:
        """Take in somebody: a person's id, or `#n` for a row."""
        for found, key in ((self.by_name, keys.name), (self.by_kana, keys.kana)):
            if key:
                found.setdefault(key, []).append((who, keys))

    def take(self, n: int, keys: Keys, *, digest: str, number: str) -> None:
        """Take in a row, for those below it."""
        who = f"{ROW_ABOVE}{n}"
        self.add(who, keys)
        self.digests.setdefault(digest, who)
        self.upto = max(self.upto, n)
        if number:
            self.numbers.setdefault(number, who)

    def find(self, keys: Keys) -> str | None:
        """Give who it may be, whoever is here already first."""
        near = (*self.by_name.get(keys.name, ()), *self.by_kana.get(keys.kana, ()))
        hits = [who for who, other in near if keys.may_be(other)]
        return next((who for who in hits if not who.startswith(ROW_ABOVE)), hits[0] if hits else None)


def index_of(connection: Connection) -> Index:
    """Read everybody who is here."""
    made = Index()
    people, records = casebook.persons.c, own.person_records.c
    query = sa.select(people.id, people.search_key, records.born_on, records.phone_key).select_from(
        casebook.persons.outerjoin(own.person_records, records.person == people.id)
    )
    for row in connection.execute(query):
        name, _, kana = row.search_key.partition(" ")
        phones = frozenset((row.phone_key or "").split())
        born_on = row.born_on.isoformat() if row.born_on else ""
        made.add(row.id, Keys(name=name, kana=kana, born_on=born_on, phones=phones))
    files = own.case_files.c
    made.numbers = {
        row.number: row.person
        for row in connection.execute(
            sa.select(files.number, casebook.cases.c.person).select_from(
                own.case_files.join(casebook.cases, casebook.cases.c.handle == files.case)
            )
        )
    }
    return made


def catch_up(connection: Connection, job: str, index: Index, before: int) -> None:
    """Read the rows above one that were looked at meanwhile: by an earlier moment of work, or in another window."""
    seen = sa.and_(import_rows.c.n > index.upto, import_rows.c.n < before)
    for row in connection.execute(
        sa.select(import_rows.c.n, import_rows.c.found_by, import_rows.c.digest, import_rows.c.number)
        .where(import_rows.c.job == job, import_rows.c.state.in_(("new", "alike")), seen)
        .order_by(import_rows.c.n)
    ):
        if row.found_by:
            index.take(row.n, reads.keys_from(row.found_by), digest=row.digest, number=row.number or "")
    index.upto = before - 1


def taken_before(connection: Connection, job: str, digests: Iterable[str]) -> Mapping[str, str]:
    """Give who came of rows that said the same in an earlier import, by digest; nobody who was taken back."""
    rows = connection.execute(
        sa.select(import_rows.c.digest, import_rows.c.person).where(
            import_rows.c.digest.in_(list(digests)),
            import_rows.c.job != job,
            import_rows.c.outcome.in_(_SETTLED),
        )
    )
    return {row.digest: row.person for row in rows}
