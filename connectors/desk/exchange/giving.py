# SPDX-License-Identifier: Apache-2.0
"""Give a list out as a file: who may have which, why (the access log keeps it), and what cp932 cannot write."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from connectors.casebook import access
from connectors.desk.exchange import lists, sheets, showing, writing
from connectors.desk.exchange.blueprint import blueprint
from connectors.desk.exchange.lists import Table, Wish
from connectors.desk.exchange.writing import Lost
from connectors.desk.referrals.listed import Chosen
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit

_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the form of an export says."""

    what: str
    wish: Wish
    kind: str
    reason: str


@page(blueprint, "/exchange/export", who=Access.STAFF, methods=("POST",))
def export(visit: Visit) -> Response | tuple[str, int]:
    """Give a list out; in cp932 only after what it lacks was read, and never with a question mark in its place."""
    filled = Filled.of_request()
    if not showing.widths(visit):
        raise Forbidden
    asked = _read(visit, filled)
    if asked is None:
        return showing.show(visit, filled)
    with visit.book() as connection:
        table = lists.gather(connection, visit, asked.what, asked.wish)
    if asked.kind == sheets.XLSX and writing.is_too_long_for_excel(table.rows):
        filled.blame("kind", "exchange.fault-too-long-for-excel")
        return showing.show(visit, filled)
    lost = writing.unwritable(table.rows) if asked.kind == sheets.CSV_CP932 else []
    if lost and not filled.has("anyway"):
        return _say_what_is_lost(filled.values, lost)
    _log(visit, asked, table)
    name = f"{asked.what}-{visit.today.isoformat()}"
    if lost:
        return writing.attachment(_with_list(visit, table, lost, asked.what), "zip", f"{name}.zip")
    return writing.attachment(writing.table_of(table.rows, asked.kind), asked.kind, name + sheets.ENDINGS[asked.kind])


def _read(visit: Visit, filled: Filled) -> Asked | None:
    what = filled.code("what", lists.LISTS, required=True)
    width = filled.code("width", showing.widths(visit), required=True)
    kind = filled.code("kind", sheets.KINDS, required=True)
    reason = filled.code("reason", showing.REASONS, required=True)
    state = filled.code("state", [one for one in showing.all_states() if one]) or ""
    query = {name: filled.values[name] for name in showing.FILTERS if filled.has(name)} if what == "referrals" else {}
    if what != "referrals" and state not in showing.STATES:
        filled.blame("state", "web.fault-unknown-choice")
    try:
        Chosen.of(query)
    except ValueError:
        filled.blame("what", "web.fault-unknown-choice")
    if not filled.is_fine or what is None or width is None or kind is None or reason is None:
        return None
    return Asked(what=what, wish=Wish(width=width, state=state, query=query), kind=kind, reason=reason)


def _log(visit: Visit, asked: Asked, table: Table) -> None:
    """Write down who took what along and why, and with each case that it went."""
    about = f"{asked.what}:{asked.wish.width}:{len(table.rows) - 1}:{asked.kind}"
    with visit.book() as connection:
        access.record(connection, staff=visit.me.id, action=f"export:{asked.reason}", about=about, now=visit.at)
        access.record_of_cases(
            connection,
            staff=visit.me.id,
            action="case:exported",
            about=asked.what,
            cases=sorted(table.cases),
            now=visit.at,
        )


def _say_what_is_lost(values: MultiDict[str, str], lost: list[Lost]) -> tuple[str, int]:
    kept = {name: value for name, value in values.items() if name not in {"csrf_token", "anyway"}}
    shown = [(one, [(sign, f"U+{ord(sign):04X}") for sign in one.signs]) for one in lost[:_MOST_SHOWN]]
    return render(
        "exchange/lost.html", kept=kept, lost=shown, total=len(lost), substitute=writing.SUBSTITUTE, most=_MOST_SHOWN
    )


def _with_list(visit: Visit, table: Table, lost: list[Lost], what: str) -> bytes:
    """Give the file in cp932 with 〓, and beside it the list of what stands for what, in UTF-8."""
    head = [text(f"exchange.lost-{one}", visit.language) for one in ("row", "column", "cell", "signs")]
    said = [
        [str(one.row), one.column, one.cell, " ".join(f"{sign} U+{ord(sign):04X}" for sign in one.signs)]
        for one in lost
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{what}.csv", writing.table_of(writing.substituted(table.rows), sheets.CSV_CP932))
        archive.writestr("unwritable.csv", writing.table_of([head, *said], sheets.CSV_UTF8))
    return out.getvalue()
