# SPDX-License-Identifier: Apache-2.0
"""What the person reads: the copy of a consent on paper, and the page that is turned to them (ux D12).

Each copy is exactly one A4 page, whoever many it names: partners that do not fit go onto further sheets, numbered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from connectors.casebook import statements
from connectors.desk.cases.reads import person_bar
from connectors.desk.consents import provisions, reads, rules, service, showing
from connectors.desk.consents.blueprint import blueprint
from connectors.desk.consents.reads import Entry
from connectors.desk.consents.rules import Standing
from connectors.desk.consents.wording import Wording, languages, wording
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, see
from connectors.desk.web.visits import Access, Visit
from consent.scopes import Exclusion
from consent.vocabulary.codes import CODE_LISTS, SENSITIVE

_ROOM: Final = 13.5
"""How many lines of partners one sheet holds; found by printing, held by a test."""
_ROOM_SMALL: Final = 21.0
"""The same in smaller type, taken when it saves a second sheet: one sheet is not parted from the other."""
_FRAME: Final = 0.7
"""What the frame around a partner takes, in lines."""
_ON_A_LINE: Final = 3
"""How many categories a line holds at least, in the language that needs most room."""
_ON_A_SMALL_LINE: Final = 4
_SIGNS: Final = 40
_ANSWERS: Final = ("yes", "no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One partner on the copy: who, what for, what is told and what is not."""

    entry: Entry
    names: Mapping[str, str] | None
    told: tuple[str, ...]
    withheld: tuple[str, ...]

    def height(self, on_a_line: int = _ON_A_LINE) -> float:
        """Estimate how many lines it takes, rather too many than too few; `on_a_line`: categories."""
        name = sum(map(len, self.names.values())) // _SIGNS if self.names else 0
        head = 1 + name + math.ceil((len(self.entry.scope.purposes) - 1) / 2)
        told = math.ceil(max(1, len(self.told)) / on_a_line)
        return _FRAME + head + told + math.ceil((len(self.withheld) + 1) / on_a_line) + 1


@page(blueprint, "/consents/<consent>/copy", who=Access.CASEWORK)
def receipt(visit: Visit, consent: str) -> tuple[str, int]:
    """Print what the person signed: for them and for the office, each copy on a page of its own."""
    with visit.book() as connection:
        entry = reads.entry_of(connection, visit, consent)
        bar = person_bar(connection, visit, entry.scope.case)
        form = [entry] if request.args.get("alone") else reads.form_of(connection, visit, entry)
        lines = _lines(connection, visit, form)
    words = wording(request.args.get("words"), visit.language)
    first = min(form, key=lambda one: one.id)
    return render(
        "consents/copy.html",
        bar=bar,
        entry=entry,
        first=first,
        words=words,
        choices=[Wording(code) for code in languages()],
        sheets=_sheets(lines),
        small=_fit_small(lines),
        picture=showing.qr_code(showing.copy_address(visit.site.connector.settings.hub, first.id, first.code)),
        code=rules.grouped(first.code),
        unsigned=[one for one in form if one.standing is Standing.PENDING],
        alone=bool(request.args.get("alone")),
    )


@page(blueprint, "/cases/<case>/person", who=Access.CASEWORK)
def person(visit: Visit, case: str) -> tuple[str, int]:
    """Show the person who is told what about them, and what was told; the worker turns the screen to them."""
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        entries = [one for one in reads.entries_of(connection, visit, case) if one.permits]
        facts: dict[str, Any] = {
            "bar": bar,
            "case": case,
            "lines": _lines(connection, visit, entries),
            "given": provisions.provisions_of(connection, visit, case),
            "ending": [one for one in entries if one.standing is Standing.ENDING],
            "said": request.args.get("said") if request.args.get("said") in _ANSWERS else None,
        }
    words = wording(request.args.get("words"), visit.language)
    return render("consents/person.html", words=words, choices=[Wording(code) for code in languages()], **facts)


@page(blueprint, "/cases/<case>/person", who=Access.CASEWORK, methods=("POST",))
def person_answers(visit: Visit, case: str) -> Response:
    """Note the person's yes or no to a renewal; a yes leads on to the form that is to be signed."""
    filled = Filled.of_request()
    said = filled.code("answer", _ANSWERS, required=True)
    words = wording(request.args.get("words"), visit.language)
    with visit.book() as connection:
        person_bar(connection, visit, case)
        if said is not None:
            service.note_answer(connection, visit, case, said)
    return see(url_for("consents.person", case=case, words=words.code, said=said))


def _lines(connection: Connection, visit: Visit, entries: Sequence[Entry]) -> list[Line]:
    names, kinds = reads.name_partners(connection), reads.kinds_of(connection)
    by_case: dict[str, list[Exclusion]] = {
        one.scope.case: statements.exclusions_of(connection, one.scope.case) for one in entries
    }
    return [_line(one, by_case[one.scope.case], names, kinds, visit) for one in entries]


def _line(
    entry: Entry, exclusions: list[Exclusion], names: Mapping[str, Mapping[str, str]], kinds: dict[str, str],
    visit: Visit,
) -> Line:  # fmt: skip
    partner = entry.partner
    never = rules.withheld(exclusions, partner, kinds.get(partner, partner), visit.at)
    told = tuple(one for one in entry.categories if one not in never)
    named = (never | set(entry.gone) | SENSITIVE) - set(told)
    withheld = tuple(one for one in CODE_LISTS["categories"] if one in named)
    return Line(entry=entry, names=names.get(partner), told=told, withheld=withheld)


def _sheets(lines: Sequence[Line]) -> list[list[Line]]:
    """Deal the partners onto sheets, as many as fit on each."""
    if _fit_small(lines):
        return [list(lines)]
    sheets: list[list[Line]] = [[]]
    for line in lines:
        if sheets[-1] and sum(one.height() for one in sheets[-1]) + line.height() > _ROOM:
            sheets.append([])
        sheets[-1].append(line)
    return sheets


def _fit_small(lines: Sequence[Line]) -> bool:
    """Tell whether all partners fit on one sheet in smaller type, and only so."""
    large, small = (sum(line.height(on_a_line) for line in lines) for on_a_line in (_ON_A_LINE, _ON_A_SMALL_LINE))
    return large > _ROOM and small <= _ROOM_SMALL
