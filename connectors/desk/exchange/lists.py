# SPDX-License-Identifier: Apache-2.0
"""The lists that can be given out: people and cases, referrals, consents, provisions, follow-ups. One header row, codes
beside labels, days by ISO 8601 and by era; whoever may see a case's page may have its row, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.labels import label
from connectors.base.wareki import say_day
from connectors.casebook import sheets
from connectors.casebook import tables as casebook
from connectors.casebook import tables_files as own
from connectors.casebook import tables_mirror as mirror
from connectors.casebook.files import CaseFile
from connectors.casebook.people import Person
from connectors.casebook.sheet_definitions import catalogue_of
from connectors.casebook.sheets import Sheet
from connectors.desk.cases.reads import PersonBar
from connectors.desk.consents import ledger, provisions
from connectors.desk.consents import reads as consents
from connectors.desk.exchange import rules
from connectors.desk.referrals import listed
from connectors.desk.referrals import reads as referrals
from connectors.desk.referrals.listed import Chosen
from connectors.desk.staff import reads as staff
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Visit
from connectors.sdk.reading import read
from connectors.sdk.threads import FollowUp
from connectors.sheets.catalogue import Catalogue
from connectors.sheets.saying import said
from consent.calendar import JST, day_of

MINE: Final = "mine"
OFFICE: Final = "office"
OPEN: Final = "open"
ENDED: Final = "ended"
MOST: Final = 100_000
"""Rows of one file."""
_AT_ONCE: Final = 500
_CONSENTS: Final = (
    "case_number", "person_name", "consent", "form", "partner", "partner_name", "purposes", "purpose_labels",
    "categories", "category_labels", "signature", "signed_at", "signed_on_wareki", "valid_from", "valid_until",
    "valid_until_wareki", "standing", "registered_at", "check_code",
)  # fmt: skip
_FOLLOW_UPS: Final = (
    "case_number", "person_name", "referral", "partner", "partner_name", "n", "due_on", "due_on_wareki", "done_at",
    "channel", "channel_label", "asked", "result", "result_label", "worker_name",
)  # fmt: skip
_PEOPLE_TOO: Final = (
    "born_on_wareki", "opened_on_wareki", "closed_on", "consent_state", "consent_state_label", "case_handle",
)  # fmt: skip
_CASE_LIST_FIRST: Final = ("case_number", "person_name", "worker_name", "opened_on", "closed_on")
_SAID: Final = (
    ("triage", "screening"), ("assessment", "assessed_on"), ("plan", "n"), ("plan", "term_from"),
    ("plan", "term_until"), ("plan", "services_law"), ("plan", "decision"), ("monitoring", "on"),
    ("monitoring", "next_on"), ("review", "attainment"), ("review", "result"), ("review", "closure_reason"),
)  # fmt: skip
"""What the list of cases takes from the sheets that hold: sheet and field."""
_OWN: Final = ("name", "number", "opened_on", "worker", "kana", "sex", "born_on", "protected", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wishes to have: one's own cases or the office's, open or ended; `query`: of a referrals' list.

    `cases` narrows it to some cases.
    """

    width: str
    state: str = ""
    query: Mapping[str, str]
    cases: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list as it is given out, its header first, and the cases that it tells of."""

    rows: list[tuple[str, ...]]
    cases: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    bar: PersonBar
    fields: Mapping[str, Any]
    words: str


def gather(connection: Connection, visit: Visit, what: str, wish: Wish) -> Table:
    """Gather a list; whoever gives it out logs that.

    *Raises* KeyError: there is no such list; ValueError: a filter that there is not.
    """
    return _GATHERED[what](connection, visit, wish)


def _people(connection: Connection, visit: Visit, wish: Wish) -> Table:
    found = list(_cases(connection, visit, wish))
    names = staff.names_of(connection, {one.bar.file.worker or "" for one in found if one.bar.file})
    states = _states(connection, visit, [one.bar.case for one in found])
    shown = [one for one in rules.columns() if one.sample is not None and one.code != "notes"]
    header = [one.ja if visit.language == "ja" else one.en for one in shown]
    rows = [tuple(header + [_head(visit, one) for one in _PEOPLE_TOO])]
    for one in found:
        cells = [_person_cell(visit, one, column.code, names) for column in shown]
        state = states[one.bar.case]
        file, closed = one.bar.file, one.bar.closed_at
        rows.append(
            (
                *cells,
                _wareki(one.bar.born_on),
                _wareki(file.opened_on if file else None),
                day_of(closed).isoformat() if closed else "",
                state,
                text(f"caseload.consent-{state}", visit.language),
                one.bar.case,
            )
        )
    return Table(rows=rows, cases=frozenset(one.bar.case for one in found))


def _person_cell(visit: Visit, one: _Case, code: str, names: Mapping[str, str]) -> str:
    bar, fields = one.bar, one.fields
    if code not in _OWN:
        return str(fields.get(code, ""))
    sex = fields.get("sex")
    return {
        "name": bar.person.name if bar.person else "",
        "kana": bar.person.kana if bar.person else "",
        "number": bar.file.number if bar.file else "",
        "opened_on": bar.file.opened_on.isoformat() if bar.file else "",
        "worker": names.get(bar.file.worker or "", "") if bar.file else "",
        "sex": fields.get("sex_words") or (text(f"intakes.sex-{sex}", visit.language) if sex else ""),
        "born_on": bar.born_on.isoformat() if bar.born_on else "",
        "protected": text("exchange.yes", visit.language) if "protected" in fields.get("address_facts", ()) else "",
        "words": one.words,
    }[code]


def _case_list(connection: Connection, visit: Visit, wish: Wish) -> Table:
    """Gather 支援ケース一覧 【4】: a line for each case, with what its sheets say by now."""
    found = list(_cases(connection, visit, wish))
    names = staff.names_of(connection, {one.bar.file.worker or "" for one in found if one.bar.file})
    held: dict[str, dict[str, Sheet]] = {}
    for some in _chunks([one.bar.case for one in found]):
        held |= sheets.holding_in(connection, some)
    known = catalogue_of(connection)
    rows = [tuple(_head(visit, one) for one in (*_CASE_LIST_FIRST, *(f"{code}-{name}" for code, name in _SAID)))]
    for one in found:
        file, closed, own = one.bar.file, one.bar.closed_at, held.get(one.bar.case, {})
        told = [_told(known, own.get(code), name, visit) for code, name in _SAID]
        first = (
            *_whose(one.bar), names.get(file.worker or "", "") if file else "",
            file.opened_on.isoformat() if file else "", day_of(closed).isoformat() if closed else "",
        )  # fmt: skip
        rows.append((*first, *told))
    return Table(rows=rows, cases=frozenset(one.bar.case for one in found))


def _told(known: Catalogue, sheet: Sheet | None, name: str, visit: Visit) -> str:
    """Say what a sheet says in one field; `n` is the number of its plan."""
    if sheet is None:
        return ""
    if name == "n":
        return str(sheet.n or "")
    field = known.find(sheet.code, sheet.version).field(name)
    return said(field, sheet.answers, visit.language) if field else ""


def _referrals(connection: Connection, visit: Visit, wish: Wish) -> Table:
    query = {**wish.query, **({"state": wish.state} if wish.state else {})}
    query |= {"who": "mine"} if wish.width == MINE else {}
    wanted = Chosen.of(query).wanted(visit, (visit.me.id,))
    if wish.cases is not None:
        wanted = replace(wanted, cases=tuple(wish.cases))
    site = visit.site
    found = referrals.rows(
        connection, wanted, agency=site.connector.agency, language=visit.language, now=visit.at,
        calendar=site.calendar, limit=MOST,
    )  # fmt: skip
    names = staff.names_of(connection, {one.worker for one in found if one.worker})
    rows = [tuple(_head(visit, one) for one in (*listed.COLUMNS, "due_on_wareki", "sent_on_wareki"))]
    for one in found:
        days = (
            _wareki(day_of(one.due_at) if one.due_at else None),
            _wareki(day_of(one.sent_at) if one.sent_at else None),
        )
        rows.append((*listed.cells_of(one, names, visit.language), *days))
    return Table(rows=rows, cases=frozenset(one.case for one in found))


def _consents(connection: Connection, visit: Visit, wish: Wish) -> Table:
    found = {one.bar.case: one for one in _cases(connection, visit, wish)}
    names, language = consents.name_partners(connection), visit.language
    rows = [tuple(_head(visit, one) for one in _CONSENTS)]
    for some in _chunks(list(found)):
        for case, register in consents.registers_of(connection, visit, some).items():
            bar = found[case].bar
            for one in register:
                scope = one.scope
                said = names.get(one.partner, {}).get(language) or label("recipients", one.partner, language)
                rows.append(
                    (
                        *_whose(bar),
                        one.id,
                        scope.form,
                        one.partner,
                        said,
                        " ".join(sorted(scope.purposes)),
                        _labels("purposes", sorted(scope.purposes), visit),
                        " ".join(one.categories),
                        _labels("categories", one.categories, visit),
                        scope.signature,
                        _iso(scope.signed_at),
                        _wareki(day_of(scope.signed_at)),
                        _iso(scope.valid_from),
                        _iso(scope.valid_until),
                        _wareki(day_of(scope.valid_until)),
                        one.standing.value,
                        _iso(one.registered_at),
                        one.hash[:16],
                    )
                )
    return Table(rows=rows, cases=frozenset(found))


def _provisions(connection: Connection, visit: Visit, wish: Wish) -> Table:
    known = {one.bar.case: one.bar for one in _cases(connection, visit, wish)}
    told = set(connection.execute(sa.select(casebook.messages.c.case).distinct()).scalars())
    if wish.cases is not None:
        known |= {case: _bare(case) for case in sorted(wish.cases - known.keys())}
    elif wish.width == OFFICE:
        # what a partner's case brought here is a record of ours too
        known |= {case: _bare(case) for case in sorted(told - known.keys())}
    cases = [case for case in known if case in told]
    rows = [tuple(_head(visit, one) for one in ledger.COLUMNS)]
    for case in cases:
        found = provisions.list_provisions(connection, visit.site.connector.agency, case)
        rows += [
            tuple(ledger.row_of(number, one, known[case], visit).values()) for number, one in enumerate(found, start=1)
        ]
    return Table(rows=rows, cases=frozenset(cases))


def _follow_ups(connection: Connection, visit: Visit, wish: Wish) -> Table:
    asked, files, ref = mirror.follow_ups.c, own.case_files.c, casebook.referrals.c
    people = casebook.persons.c
    query = (
        sa.select(asked.case, asked.document, asked.referral, files.number, files.worker, people.name)
        .add_columns(ref.sender, ref.recipient)
        .select_from(
            mirror.follow_ups.outerjoin(own.case_files, files.case == asked.case)
            .outerjoin(casebook.cases, casebook.cases.c.handle == asked.case)
            .outerjoin(casebook.persons, people.id == casebook.cases.c.person)
            .outerjoin(casebook.referrals, ref.id == asked.referral)
        )
        .where(asked.agency == visit.site.connector.agency)
        .order_by(asked.due_on, asked.referral, asked.n)
        .limit(MOST)
    )
    if wish.cases is not None:
        query = query.where(asked.case.in_(wish.cases))
    if wish.width == MINE:
        query = query.where(files.worker == visit.me.id)
    if wish.state:
        query = query.where(asked.done_at.is_(None) if wish.state == OPEN else asked.done_at.is_not(None))
    found = connection.execute(query).all()
    names = consents.name_partners(connection)
    workers = staff.names_of(connection, {row.worker for row in found if row.worker})
    rows = [tuple(_head(visit, one) for one in _FOLLOW_UPS)]
    for row in found:
        one = read(FollowUp, row.document)
        partner = (row.recipient if row.sender == visit.site.connector.agency else row.sender) or ""
        rows.append(
            (
                row.number or "",
                row.name or "",
                row.referral,
                partner,
                names.get(partner, {}).get(visit.language, ""),
                str(one.n),
                one.due_on.isoformat(),
                _wareki(one.due_on),
                _iso(one.done_at),
                one.channel or "",
                label("channel", one.channel, visit.language),
                " ".join(one.asked or ()),
                one.result or "",
                label("follow_up_result", one.result, visit.language),
                workers.get(row.worker or "", ""),
            )
        )
    return Table(rows=rows, cases=frozenset(row.case for row in found))


def _cases(connection: Connection, visit: Visit, wish: Wish) -> Iterator[_Case]:
    """Give our cases, the oldest number first, with whom they are about and what is known of them."""
    cases, files, people, records = casebook.cases.c, own.case_files.c, casebook.persons.c, own.person_records.c
    query = (
        sa.select(own.case_files, cases.closed_at, people.id, people.name, people.kana, records.born_on)
        .add_columns(records.document, casebook.answers.c.body)
        .select_from(
            own.case_files.join(casebook.cases, cases.handle == files.case)
            .join(casebook.persons, people.id == cases.person)
            .outerjoin(own.person_records, records.person == people.id)
            .outerjoin(
                casebook.answers,
                sa.and_(casebook.answers.c.case == files.case, casebook.answers.c.category == "consultation"),
            )
        )
        .where(cases.owner == visit.site.connector.agency)
        .order_by(files.opened_on, files.number)
        .limit(MOST)
    )
    if wish.cases is not None:
        query = query.where(files.case.in_(wish.cases))
    if wish.width == MINE:
        query = query.where(files.worker == visit.me.id)
    if wish.state:
        query = query.where(cases.closed_at.is_(None) if wish.state == OPEN else cases.closed_at.is_not(None))
    for row in connection.execute(query):
        bar = PersonBar(
            case=row.case,
            person=Person(id=row.id, name=row.name, kana=row.kana),
            born_on=row.born_on,
            file=CaseFile(**{name: getattr(row, name) for name in CaseFile.__dataclass_fields__}),
            is_ours=True,
            closed_at=row.closed_at,
        )
        yield _Case(bar=bar, fields=row.document or {}, words=str((row.body or {}).get("wish", "")))


def _bare(case: str) -> PersonBar:
    return PersonBar(case=case, person=None, born_on=None, file=None, is_ours=False, closed_at=None)


def _states(connection: Connection, visit: Visit, cases: Sequence[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for some in _chunks(cases):
        states = consents.states_of_cases(connection, some, visit.at)
        made |= {case: state.value for case, state in states.items()}
    return made


def _chunks(cases: Sequence[str]) -> Iterable[Sequence[str]]:
    return (cases[at : at + _AT_ONCE] for at in range(0, len(cases), _AT_ONCE))


def _whose(bar: PersonBar) -> tuple[str, str]:
    return (bar.file.number if bar.file else "", bar.person.name if bar.person else "")


def _labels(code_list: str, codes: Iterable[str], visit: Visit) -> str:
    return " / ".join(label(code_list, one, visit.language) for one in codes)


def _head(visit: Visit, code: str) -> str:
    return text(f"exchange.col-{code}", visit.language)


def _wareki(day: date | None) -> str:
    return say_day(day, "ja", "birth") if day else ""


def _iso(at: datetime | None) -> str:
    return at.astimezone(JST).isoformat(timespec="seconds") if at else ""


_Gathering = Callable[[Connection, Visit, Wish], Table]
_GATHERED: Final[Mapping[str, _Gathering]] = {
    "people": _people,
    "referrals": _referrals,
    "consents": _consents,
    "provisions": _provisions,
    "followups": _follow_ups,
    "caselist": _case_list,
}
LISTS: Final = tuple(_GATHERED)
"""Every list, in the order in which a page offers them."""
