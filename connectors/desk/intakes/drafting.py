# SPDX-License-Identifier: Apache-2.0
"""A form that somebody is filling in: `Sheet` is all that its pages show; `read` turns it into what is registered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from connectors.base.errors import ConnectorError
from connectors.base.wareki import DayError, read_day, say_day
from connectors.casebook import access, directory, drafts, files, people, sheets, templates
from connectors.casebook.directory import KnownAgency
from connectors.casebook.drafts import Draft, DraftFile
from connectors.casebook.templates import NamedTemplate
from connectors.desk.cases.reads import person_bar
from connectors.desk.intakes import reads, service
from connectors.desk.intakes.answers import read_told
from connectors.desk.intakes.choices import Choice, columns, propose, read_choice, require_something
from connectors.desk.intakes.service import Intake
from connectors.desk.intakes.signing import Signed, read_signed
from connectors.desk.staff.reads import colleagues
from connectors.desk.web import turns
from connectors.desk.web.filling import Filled
from connectors.desk.web.papers import Paper
from connectors.desk.web.visits import Member, Role, Visit
from consent.calendar import day_of
from consent.errors import TsunagiError
from consent.scopes import ORAL
from consent.vocabulary.codes import CODE_LISTS

SIGNATURE: Final = "signature"
"""What a draft's scan is for."""
_LONGEST: Final = 1_000_000
_NOT_KEPT: Final = frozenset({"csrf_token", "do", "again", turns.FIELD})
_OF_ONE_FORM: Final = ("method", "signed_on", "oral_", "no1_", "no2_", "no3_")
"""Fields that the next form does not take over: refusals stand already, how it is signed is asked anew."""
_FIELD_OF: Final = {
    "/valid_until": "until",
    "/signed_at": "signed_on",
    "/proxy_reason": "proxy_reason",
    "/witness": "witness",
}
"""Where the form says what a record's member says."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One form as far as it is filled in. `is_new`: columns came in that nobody has seen yet."""

    draft: Draft
    filled: Filled
    named: NamedTemplate
    templates: Sequence[NamedTemplate]
    agencies: Sequence[KnownAgency]
    colleagues: Sequence[Member]
    choice: Choice
    scan: DraftFile | None
    is_new: bool
    begins: date

    @property
    def born_on(self) -> date | None:
        """Give the day of birth as far as it can be read, to show it in the other calendar."""
        return _quietly(self.filled.values.get("born_on", ""))

    @property
    def last_day(self) -> date:
        """Give the last day on which the consent would count."""
        return day_of(self.choice.ends(self.begins) - timedelta(seconds=1))

    def whom_refusals_name(self, visit: Visit) -> list[tuple[str, str]]:
        """Give whom a refusal may name, with what people call them."""
        own = visit.site.connector.agency
        ja = visit.language == "ja"
        known = [(one.id, one.name_ja if ja else one.name_en) for one in self.agencies if one.id != own]
        return known + [(code, row[visit.language]) for code, row in CODE_LISTS["recipients"].items()]


def begin(
    connection: Connection, visit: Visit, *, case: str | None, completes: str | None = None, plan: str | None = None
) -> str:
    """Begin a form, for a person who is known where it is opened from a case or completes another; give its id.

    One that was begun and left empty is taken up again. `plan`: the plan with which the consent is signed.

    *Raises* `ConnectorError("sheet-unknown")`: it is no plan of the case.
    """
    if plan is not None and sheets.sheet(connection, plan).case != case:
        raise ConnectorError("sheet-unknown")
    values: dict[str, list[str]] = {}
    if completes is not None:
        done = reads.taken(connection, completes)
        case, values = done.case, {name: list(said) for name, said in done.document.items()}
        values = {name: said for name, said in values.items() if not name.startswith(_OF_ONE_FORM)}
    elif case is not None:
        values = _known(connection, visit, case)
    values |= {"received_on": [_today(visit)], "received_by": [visit.me.id]}
    values = {"signer": ["self"], "written_by": ["person"], **values}
    values.setdefault("template", [templates.templates(connection)[0].template.name])
    fields = {"form": values, "completes": completes, **({"plan": plan} if plan else {})}
    for one in drafts.drafts_of(connection, visit.me.id):
        if one.kind == reads.KIND and one.case == case and one.fields == fields:
            return one.id
    return drafts.begin(connection, visit.pen(), kind=reads.KIND, case=case, fields=fields)


def open_sheet(connection: Connection, visit: Visit, draft: str) -> Sheet:
    """Give a form as it was saved last.

    *Raises* `ConnectorError("draft-unknown")`; `NeedToKnowError` where it is of a case that is somebody else's.
    """
    held = drafts.draft_of(connection, draft, staff=visit.me.id)
    values: MultiDict[str, str] = MultiDict()
    for name, said in held.fields.get("form", {}).items():
        values.setlist(name, said)
    filled = Filled(values=values)
    every = templates.templates(connection)
    named = next((one for one in every if one.template.name == values.get("template")), every[0])
    agencies = directory.agencies(connection)
    purposes = [one for one in values.getlist("purposes") if one in named.template.purposes]
    own = visit.site.connector.agency
    shown = columns(named.template, purposes, agencies, own=own, language=visit.language) if purposes else ()
    is_new = propose(values, named.template, shown)
    begins = _begins(values, visit)
    known = {one.id for one in agencies} | set(CODE_LISTS["recipients"])
    scans = [one for one in drafts.files_with(connection, draft) if one.belongs_to == SIGNATURE]
    return Sheet(
        draft=held,
        filled=filled,
        named=named,
        templates=every,
        agencies=agencies,
        colleagues=colleagues(connection),
        choice=read_choice(filled, named, shown, known=known, begins=begins),
        scan=scans[-1] if scans else None,
        is_new=is_new,
        begins=begins,
    )


def save(connection: Connection, visit: Visit, draft: str, values: MultiDict[str, str]) -> None:
    """Keep what the page holds now, as it was written, in place of what was there.

    *Raises* `ConnectorError("draft-unknown")`; RequestEntityTooLarge.
    """
    form = {name: said for name, said in values.lists() if name not in _NOT_KEPT}
    if sum(len(name) + sum(map(len, said)) for name, said in form.items()) > _LONGEST:
        raise RequestEntityTooLarge
    drafts.save(connection, visit.pen(), draft, turn=turns.turn_of(values), form=form)


def put_scan(connection: Connection, visit: Visit, draft: str, sent: Mapping[str, FileStorage]) -> Filled:
    """Take the scan that came with the page, if one did, in place of the one before; give what is wrong with it.

    A refused file leaves the one before where it is; that somebody tried is logged by its reason alone.
    """
    filled = Filled(values=MultiDict(), files=MultiDict(sent))
    read = filled.paper("scan")
    pen = visit.pen()
    if read is not None:
        paper, _ = read
        for old in drafts.files_with(connection, draft):
            drafts.remove_file(connection, pen, draft, old.id)
        # the name is ours: what the person's computer calls it is neither kept nor shown
        name = f"{paper.pages}{paper.ending}"
        drafts.add_file(connection, pen, draft, belongs_to=SIGNATURE, name=name, media=paper.media, body=paper.body)
    for fault in filled.faults.values():
        code = fault.key.removeprefix("web.fault-paper-")
        access.record(connection, staff=visit.me.id, action="paper:refused", about=code, now=visit.at)
    return filled


def read(visit: Visit, sheet: Sheet) -> Intake:
    """Read the whole form; what cannot be taken is blamed in `sheet.filled`, and then the answer is not to be used."""
    filled = sheet.filled
    told = read_told(filled, colleagues=[one.id for one in sheet.colleagues], today=visit.today)
    signed = _signed(visit, sheet)
    intake = Intake(
        id=sheet.draft.id,
        told=told,
        choice=sheet.choice,
        signed=signed,
        paper=paper_of(sheet.scan) if signed.method == "paper" and sheet.scan else None,
        values=dict(filled.values.lists()),
        completes=sheet.draft.fields.get("completes"),
        plan=sheet.draft.fields.get("plan"),
        opened_from=sheet.draft.case,
    )
    if signed.asks_consent:
        require_something(filled, sheet.choice)
        if sheet.is_new and sheet.choice.purposes:
            filled.blame("m", "intakes.fault-look-again")
        if filled.is_fine:
            _rehearse(visit, filled, intake)
    return intake


def paper_of(scan: DraftFile) -> Paper:
    """Give a draft's scan as a paper; its name, which is ours, says how many pages it has."""
    return Paper(media=scan.media, pages=int(scan.name.partition(".")[0]), body=scan.body)


def _signed(visit: Visit, sheet: Sheet) -> Signed:
    staff = {one.id: staff_code(one) for one in sheet.colleagues}
    me = staff_code(visit.me)
    return read_signed(sheet.filled, me=me, staff=staff, has_scan=sheet.scan is not None, now=visit.at)


def staff_code(member: Member) -> str:
    """Write a member of staff as records do: a role and the opaque id, never a name."""
    role = "supervisor" if Role.SUPERVISOR in member.roles else "counsellor"
    return f"{role}:{member.id}"


def _rehearse(visit: Visit, filled: Filled, intake: Intake) -> None:
    """Hold the form to what may be registered, before anybody signs for it."""
    evidence = "" if intake.signed.signature == ORAL else "0" * 64
    form = service.form_of(visit.pen(), intake, case=str(uuid.uuid4()), kind="intake_form", evidence=evidence)
    try:
        service.scopes_of(form, intake.choice, visit.pen())
    except TsunagiError as error:
        filled.blame(_FIELD_OF.get(error.pointer, "m"), "intakes.fault-scope")


def _known(connection: Connection, visit: Visit, case: str) -> dict[str, list[str]]:
    """Give what is known of the person of a case, as the form's fields."""
    bar = person_bar(connection, visit, case)
    if bar.person is None:
        return {}
    record = files.record_of(connection, bar.person.id)
    said: dict[str, Any] = dict(record.fields) if record else {}
    answers = people.answers_of(connection, case).get("contact", {})
    values = {"name": bar.person.name, "kana": bar.person.kana}
    values |= {name: value for name, value in said.items() if isinstance(value, str)}
    values.setdefault("phone_mobile", str(said.get("telephone", "")))
    values.setdefault("safe_contact", str(answers.get("safe_contact", "")))
    if bar.born_on:
        values["born_on"] = _say(bar.born_on, visit)
    made = {name: [value] for name, value in values.items() if value and name != "telephone"}
    return made | ({"address_facts": list(said["address_facts"])} if said.get("address_facts") else {})


def _begins(values: MultiDict[str, str], visit: Visit) -> date:
    signed_on = _quietly(values.get("signed_on", "")) if values.get("method") == "paper" else None
    return signed_on if signed_on and signed_on <= visit.today else visit.today


def _quietly(said: str) -> date | None:
    try:
        return read_day(said)
    except DayError:
        return None


def _today(visit: Visit) -> str:
    return _say(visit.today, visit)


def _say(day: date, visit: Visit) -> str:
    return say_day(day, "ja", "year") if visit.language == "ja" else day.isoformat()
