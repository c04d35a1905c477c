# SPDX-License-Identifier: Apache-2.0
"""The national sheets of a case: begun, kept while they are written, settled, signed, adopted, replaced by the next.

What is settled never changes; what comes after is a new sheet that names the one before. A plan is settled (案), signed
by the person, brought to the meeting, and holds once it was adopted; then the plan before it does not hold any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, listing
from connectors.casebook.drafts import Turn
from connectors.casebook.sheet_definitions import catalogue_of
from connectors.casebook.statements import Pen
from connectors.casebook.tables_sheets import sheet_signatures
from connectors.casebook.tables_sheets import sheets as table
from connectors.sheets import answers
from connectors.sheets.answers import Fault
from connectors.sheets.definitions import Definition

DRAFT: Final = "draft"
SETTLED: Final = "settled"
ADOPTED: Final = "adopted"
REPLACED: Final = "replaced"
FIRST: Final = "first"
NEW_VERSION: Final = "new_version"
AMENDMENT: Final = "amendment"
RE_PLAN: Final = "re_plan"
_PLACE: Final[sa.ColumnClause[int]] = sa.literal_column("sheets.rowid")
"""The order in which rows came, for those of one moment."""
HOLDS: Final = frozenset({SETTLED, ADOPTED})
"""States in which a sheet is what holds, and may be shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """That the person signed: drawn on the screen or on paper (`scan`), on which day, over which answers (`digest`)."""

    method: str
    signer: str
    signed_on: date
    digest: str
    scan: str
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet of a case. `n`: of plan n. `change`: first, new_version, amendment (変更), re_plan (再プラン).

    `body`: field → answer, as written while it is a draft. `after`: what was filled in once it was settled (the
    meeting, the decision). `state`: draft, settled, adopted, replaced.
    """

    id: str
    case: str
    code: str
    version: str
    n: int | None
    change: str
    before: str | None
    body: Mapping[str, Any] = field(repr=False)
    after: Mapping[str, Any] = field(repr=False)
    state: str
    author: str
    at: datetime
    saved_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    adopted_at: datetime | None
    signature: Signature | None = None

    @property
    def answers(self) -> dict[str, Any]:
        """Everything that it says."""
        return {**self.body, **self.after}


class SheetFaultyError(ConnectorError):
    """A sheet that cannot be settled yet: `faults` says why, field by field; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Take what is wrong."""
        super().__init__("sheet-faulty", n=str(len(faults)))
        self.faults = tuple(faults)


# ── reading ──


def definition_of(connection: Connection, sheet: Sheet) -> Definition:
    """Give the definition by which a sheet was filled in.

    *Raises* `ConnectorError("sheet-definition-unknown")`.
    """
    return catalogue_of(connection).find(sheet.code, sheet.version)


def sheets_of(connection: Connection, case: str, code: str | None = None) -> Sequence[Sheet]:
    """Give the sheets of a case, the newest first; `code` narrows them to one kind. Whoever shows one logs it."""
    query = sa.select(table).where(table.c.case == case).order_by(table.c.at.desc(), _PLACE.desc())
    rows = connection.execute(query if code is None else query.where(table.c.code == code)).all()
    signed = _signatures(connection, [row.id for row in rows])
    return [_sheet(row, signed.get(row.id)) for row in rows]


def sheet(connection: Connection, sheet: str) -> Sheet:
    """Give one sheet.

    *Raises* `ConnectorError("sheet-unknown")`.
    """
    row = connection.execute(sa.select(table).where(table.c.id == sheet)).one_or_none()
    if row is None:
        raise ConnectorError("sheet-unknown")
    return _sheet(row, _signatures(connection, [sheet]).get(sheet))


def holding(connection: Connection, case: str, code: str) -> Sheet | None:
    """Give what holds of a kind: the plan that was adopted last, else the sheet that was settled last."""
    found = holding_in(connection, [case]).get(case, {}).get(code)
    return None if found is None else sheet(connection, found.id)


def holding_in(connection: Connection, cases: Sequence[str]) -> dict[str, dict[str, Sheet]]:
    """Give what holds of each kind in several cases, as `holding` does; for lists, without signatures."""
    rows = connection.execute(
        sa.select(table)
        .where(table.c.case.in_(cases), table.c.state.in_(HOLDS))
        .order_by(table.c.adopted_at, table.c.settled_at, _PLACE)  # what was never adopted first, then by time
    )
    found: dict[str, dict[str, Sheet]] = {}
    for row in rows:
        found.setdefault(row.case, {})[row.code] = _sheet(row, None)
    return found


# ── writing ──


def begin(
    connection: Connection,
    pen: Pen,
    *,
    case: str,
    code: str,
    body: Mapping[str, Any] | None = None,
    n: int | None = None,
) -> Sheet:
    """Begin a sheet by the newest definition; a plan gets the number 1, or as it is said.

    *Raises* `ConnectorError`: `case-unknown`, `sheet-definition-unknown`, `plan-there` (a plan of this case holds or is
    being written: it is amended or followed by a re-plan).
    """
    listing.case_of(connection, case)
    definition = catalogue_of(connection).newest(code)
    if definition.adopted:
        if any(one.state != REPLACED for one in sheets_of(connection, case, code)):
            raise ConnectorError("plan-there")
        n = n or 1
    elif definition.numbered and n is None:
        plan = holding(connection, case, "plan")
        n = plan.n if plan else None
    return _insert(connection, pen, case=case, definition=definition, body=body or {}, n=n, change=FIRST, before=None)


def begin_from(connection: Connection, pen: Pen, sheet_id: str, *, change: str = NEW_VERSION) -> Sheet:
    """Begin the next version of a settled sheet with its answers; a re-plan is plan n + 1, an amendment stays plan n.

    *Raises* `ConnectorError`: `sheet-unknown`, `sheet-not-settled`, `sheet-next-there` (somebody has begun it),
    `sheet-change-unfit` (a plan is amended or re-planned, other sheets are neither).
    """
    old = sheet(connection, sheet_id)
    if old.state not in HOLDS:
        raise ConnectorError("sheet-not-settled")
    known = catalogue_of(connection)
    was, definition = known.find(old.code, old.version), known.newest(old.code)
    # a plan that was not adopted is no plan yet: its next version is the same plan, written anew
    changes = (AMENDMENT, RE_PLAN) if definition.adopted and old.state == ADOPTED else (NEW_VERSION,)
    if change not in changes:
        raise ConnectorError("sheet-change-unfit")
    others = [one for one in sheets_of(connection, old.case, old.code) if one.id != old.id]
    open_ones = [one for one in others if one.state in {DRAFT, SETTLED}] if definition.adopted else others
    if any((definition.adopted or one.before == old.id) and one.state != REPLACED for one in open_ones):
        raise ConnectorError("sheet-next-there")
    body, _ = answers.carried(was, definition, old.body)
    n = (old.n or 1) + 1 if change == RE_PLAN else old.n
    change = old.change if definition.adopted and change == NEW_VERSION else change
    return _insert(connection, pen, case=old.case, definition=definition, body=body, n=n, change=change, before=old.id)


def keep_draft(
    connection: Connection, pen: Pen, sheet_id: str, body: Mapping[str, Any], *, turn: Turn | None = None
) -> Sheet:
    """Keep what was written so far, finished or not; what a later sending of the same page overtook is left out.

    *Raises* `ConnectorError`: `sheet-unknown`, `sheet-settled`.
    """
    known = _draft(connection, sheet_id)
    row = connection.execute(sa.select(table.c.turn).where(table.c.id == sheet_id)).scalar_one()
    last = Turn(page=row[0], number=row[1]) if row else None
    if turn is not None and turn.is_overtaken_by(last):
        return known
    kept = turn or last
    connection.execute(
        sa.update(table)
        .where(table.c.id == sheet_id)
        .values(
            body=dict(body),
            saved_at=pen.now,
            saved_by=pen.staff,
            turn=[kept.page, kept.number] if kept else None,
        )
    )
    return replace(known, body=dict(body), saved_at=pen.now)


def settle(connection: Connection, pen: Pen, sheet_id: str) -> Sheet:
    """Settle a draft: it never changes again, and takes the place of the one it came from (a plan: once adopted).

    *Raises* `SheetFaultyError`; `ConnectorError`: `sheet-unknown`, `sheet-settled`.
    """
    known = _draft(connection, sheet_id)
    definition = definition_of(connection, known)
    checked = answers.check(definition, known.body)
    if checked.faults:
        raise SheetFaultyError(checked.faults)
    connection.execute(
        sa.update(table)
        .where(table.c.id == sheet_id)
        .values(state=SETTLED, body=dict(checked.answers), settled_at=pen.now, settled_by=pen.staff)
    )
    if known.before is not None and sheet(connection, known.before).state == SETTLED:
        replace_by_next(connection, pen, known.before)
    log(connection, pen, "sheet:settled", known)
    return sheet(connection, sheet_id)


def drop(connection: Connection, pen: Pen, sheet_id: str) -> None:
    """Throw a draft away.

    *Raises* `ConnectorError`: `sheet-unknown`, `sheet-settled`.
    """
    known = _draft(connection, sheet_id)
    connection.execute(sa.delete(table).where(table.c.id == sheet_id))
    log(connection, pen, "sheet:dropped", known)


def _draft(connection: Connection, sheet_id: str) -> Sheet:
    known = sheet(connection, sheet_id)
    if known.state != DRAFT:
        raise ConnectorError("sheet-settled")
    return known


def replace_by_next(connection: Connection, pen: Pen, old: str) -> None:
    """Note that a sheet does not hold any more, because the one after it does."""
    connection.execute(sa.update(table).where(table.c.id == old, table.c.state.in_(HOLDS)).values(state=REPLACED))
    log(connection, pen, "sheet:replaced", sheet(connection, old))


def _insert(
    connection: Connection,
    pen: Pen,
    *,
    case: str,
    definition: Definition,
    body: Mapping[str, Any],
    n: int | None,
    change: str,
    before: str | None,
) -> Sheet:
    made = pen.new_id()
    connection.execute(
        sa.insert(table).values(
            id=made, case=case, code=definition.code, version=definition.version, n=n, change=change, before=before,
            body=dict(body), after={}, state=DRAFT, author=pen.staff, at=pen.now, saved_at=pen.now, saved_by=pen.staff,
        )
    )  # fmt: skip
    known = sheet(connection, made)
    log(connection, pen, "sheet:begun", known)
    return known


def log(connection: Connection, pen: Pen, action: str, known: Sheet) -> None:
    """Log what was done with a sheet; never what it says."""
    access.record(connection, staff=pen.staff, action=action, about=known.id, case=known.case, now=pen.now)


def _signatures(connection: Connection, ids: Sequence[str]) -> dict[str, Signature]:
    rows = connection.execute(sa.select(sheet_signatures).where(sheet_signatures.c.sheet.in_(ids)))
    names = Signature.__dataclass_fields__
    return {row.sheet: Signature(**{name: getattr(row, name) for name in names}) for row in rows}


def _sheet(row: sa.Row[Any], signature: Signature | None) -> Sheet:
    names = set(Sheet.__dataclass_fields__) - {"signature"}
    return Sheet(**{name: getattr(row, name) for name in names}, signature=signature)
