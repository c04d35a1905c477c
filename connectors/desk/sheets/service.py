# SPDX-License-Identifier: Apache-2.0
"""What a worker does with a sheet: begin, keep, settle, sign, adopt; each is one transaction of the casebook."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import plans, sheets
from connectors.casebook.sheets import Sheet
from connectors.desk.cases.reads import person_bar
from connectors.desk.intakes.signing import Stroke, picture
from connectors.desk.sheets import rules
from connectors.desk.sheets.rules import Form
from connectors.desk.web.papers import PNG, Paper
from connectors.desk.web.turns import turn_of
from connectors.desk.web.visits import Visit
from consent.calendar import day_of


def begin(connection: Connection, visit: Visit, case: str, code: str) -> Sheet:
    """Begin a sheet of a case of ours.

    *Raises* as `sheets.begin` and `person_bar`; `ConnectorError`: `sheet-not-ours`, `case-closed`.
    """
    bar = person_bar(connection, visit, case)
    if not bar.is_ours:
        raise ConnectorError("sheet-not-ours")
    if bar.closed_at is not None:
        raise ConnectorError("case-closed")
    return sheets.begin(connection, visit.pen(), case=case, code=code)


def keep(connection: Connection, visit: Visit, sheet_id: str, form: Form) -> Sheet:
    """Keep what a page holds at this moment, finished or not.

    *Raises* as `sheets.keep_draft` and `person_bar`.
    """
    known = sheets.sheet(connection, sheet_id)
    person_bar(connection, visit, known.case)
    definition = sheets.definition_of(connection, known)
    body = rules.body_of(definition.asked, form)
    return sheets.keep_draft(connection, visit.pen(), sheet_id, body, turn=turn_of(form))


def sign(
    connection: Connection,
    visit: Visit,
    sheet_id: str,
    *,
    signer: str,
    signed_at: datetime,
    strokes: tuple[Stroke, ...] = (),
    paper: Paper | None = None,
) -> Sheet:
    """Keep the person's signature: as it was drawn, or the paper that was signed.

    *Raises* as `plans.sign`.
    """
    drawn = paper is None
    return plans.sign(
        connection,
        visit.pen(),
        sheet_id,
        method="pad" if drawn else "paper",
        signer=signer,
        signed_on=day_of(signed_at),
        media=PNG if paper is None else paper.media,
        pages=1 if paper is None else paper.pages,
        scan=picture(strokes, signed_at) if paper is None else paper.body,
    )
