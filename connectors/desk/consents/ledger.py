# SPDX-License-Identifier: Apache-2.0
"""第三者提供記録, read, printed and exported: joined with the person's name here, nowhere else (domain §4.4)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask import Response as FlaskResponse
from flask import request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from connectors.base.labels import label
from connectors.base.wareki import say_day
from connectors.casebook import access
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.consents import provisions, rules
from connectors.desk.consents.blueprint import blueprint
from connectors.desk.consents.provisions import Provision
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Access, Visit
from consent.calendar import JST, day_of

ENCODINGS: Final = {"utf-8": "utf-8-sig", "cp932": "cp932"}
"""As a link names them, and as Python does: Excel reads UTF-8 by its mark."""
SUBSTITUTE: Final = "〓"
COLUMNS: Final = (
    "number", "provided_at", "provided_on_wareki", "direction", "person_name", "person_kana", "person_born_on",
    "case_number", "giver_name", "giver_kind", "giver_kind_label", "giver_regime", "receiver_name", "receiver_kind",
    "receiver_kind_label", "receiver_regime", "purpose", "purpose_label", "categories", "category_labels",
    "legal_basis", "legal_basis_label", "consents", "log_entry", "delivered_at", "opened_at", "record_duty",
    "record_duty_label", "corrected",
)  # fmt: skip
"""One header row, codes and labels side by side (rules for machine-readable data)."""


@page(blueprint, "/cases/<case>/provisions", who=Access.CASEWORK)
def provision_record(visit: Visit, case: str) -> tuple[str, int]:
    """Show what was provided about a person, to whom and by whom; reading it is logged."""
    bar, found = _record(visit, case)
    return render("consents/provisions.html", bar=bar, case=case, found=found, made_at=visit.at)


@page(blueprint, "/cases/<case>/provisions.csv", who=Access.CASEWORK)
def provisions_csv(visit: Visit, case: str) -> Response | tuple[str, int]:
    """Give the record as CSV; in cp932 only after naming what it cannot write."""
    named = request.args.get("encoding", "utf-8")
    if named not in ENCODINGS:
        raise BadRequest
    bar, found = _record(visit, case)
    rows = [row_of(number, one, bar, visit) for number, one in enumerate(found, start=1)]
    encoding = ENCODINGS[named]
    lost = _lost(rows, encoding)
    if lost and request.args.get("anyway") is None:
        numbered = [(cell, [(sign, f"U+{ord(sign):04X}") for sign in signs]) for cell, signs in lost]
        return render("consents/unwritable.html", bar=bar, case=case, lost=numbered, substitute=SUBSTITUTE)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([rules.without_formula(cell) for cell in row.values()] for row in rows)
    gone = {sign for _, signs in lost for sign in signs}
    plain = "".join(SUBSTITUTE if sign in gone else sign for sign in out.getvalue())
    _exported(visit, case, f"csv:{named}")
    return _file(plain.encode(encoding), "text/csv", _name(bar, visit, "csv"))


@page(blueprint, "/cases/<case>/provisions.json", who=Access.CASEWORK)
def provisions_json(visit: Visit, case: str) -> Response:
    """Give the record as JSON, for machines; lists stay lists."""
    bar, found = _record(visit, case)
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(found, start=1):
        row: dict[str, Any] = dict(row_of(number, one, bar, visit))
        rows.append(row | {"categories": list(one.categories), "consents": list(one.consents), "number": number})
    document = {"case": case, "made_at": _iso(visit.at), "provisions": rows}
    _exported(visit, case, "json")
    made = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return _file(made, "application/json", _name(bar, visit, "json"))


def _record(visit: Visit, case: str) -> tuple[PersonBar, list[Provision]]:
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        return bar, provisions.provisions_of(connection, visit, case)


def row_of(number: int, one: Provision, bar: PersonBar, visit: Visit) -> dict[str, str]:
    """Give the cells of a provision by `COLUMNS`, joined with whom it is about."""
    said = visit.language
    cells = (
        str(number),
        _iso(one.at),
        say_day(day_of(one.at), "ja", "birth"),
        text(f"consents.direction-{'given' if one.is_given else 'received'}", said),
        bar.person.name if bar.person else "",
        bar.person.kana if bar.person else "",
        bar.born_on.isoformat() if bar.born_on else "",
        bar.file.number if bar.file else "",
        one.giver.names[said],
        one.giver.kind,
        label("recipients", one.giver.kind, said),
        label("regime", one.giver.regime, said),
        one.receiver.names[said],
        one.receiver.kind,
        label("recipients", one.receiver.kind, said),
        label("regime", one.receiver.regime, said),
        one.purpose,
        label("purposes", one.purpose, said),
        " ".join(one.categories),
        " / ".join(label("categories", each, said) for each in one.categories),
        one.basis,
        label("legal_basis", one.basis, said),
        " ".join(one.consents),
        one.entry or "",
        _iso(one.delivered_at),
        _iso(one.opened_at),
        one.duty.value,
        text(f"consents.duty-{one.duty.value}", said),
        text("consents.corrected", said) if one.corrected else "",
    )
    return dict(zip(COLUMNS, cells, strict=True))


def _lost(rows: Sequence[dict[str, str]], encoding: str) -> list[tuple[str, tuple[str, ...]]]:
    """Give the cells that an encoding cannot write, with the signs that it does not have."""
    cells = dict.fromkeys(cell for row in rows for cell in row.values())
    found = [(cell, rules.unwritable(cell, encoding)) for cell in cells]
    return [(cell, signs) for cell, signs in found if signs]


def _exported(visit: Visit, case: str, form: str) -> None:
    with visit.book() as connection:
        action = "provisions:exported"
        access.record(connection, staff=visit.me.id, action=action, about=form, case=case, now=visit.at)


def _name(bar: PersonBar, visit: Visit, ending: str) -> str:
    """Name a file by the day and the case's handle: a name of a person does not belong into a folder of downloads."""
    return f"provisions-{visit.today.isoformat()}-{bar.case[:8]}.{ending}"


def _file(body: bytes, media: str, name: str) -> Response:
    answer = FlaskResponse(body, content_type=f"{media}; charset=utf-8" if media.endswith("json") else media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _iso(at: datetime | None) -> str:
    return at.astimezone(JST).isoformat(timespec="seconds") if at else ""
