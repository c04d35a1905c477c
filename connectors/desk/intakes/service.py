# SPDX-License-Identifier: Apache-2.0
"""Take a form: open or find the case, keep what was told, sign one record per partner, keep the paper, queue it all.

One transaction of the casebook: everything of a form is there, or nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import deeds, drafts, files, forms, listing, people, scans, statements, words
from connectors.casebook.statements import Pen
from connectors.desk.cases.reads import require_reason
from connectors.desk.intakes import reads, tables
from connectors.desk.intakes.answers import Told, by_category
from connectors.desk.intakes.choices import Choice
from connectors.desk.intakes.signing import Signed, picture
from connectors.desk.web.papers import PNG, Paper
from connectors.desk.web.visits import Visit
from consent.calendar import day_of, start_of_day
from consent.forms import Form, split
from consent.receipts import ExclusionRecord
from consent.scopes import ANY, Scope, check_scope

NEW_PERSON: Final = "new"
_WITH_A_PLAN: Final = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A form that was read and found whole. `paper`: the scan, or none where there is none. `plan`: the plan with
    which the consent was signed.
    """

    id: str
    told: Told
    choice: Choice
    signed: Signed
    paper: Paper | None
    values: Mapping[str, list[str]]
    completes: str | None
    opened_from: str | None
    plan: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Whose form it is: `new`, `person:<id>` (known, with a new case) or `case:<handle>` (known, in this case)."""

    said: str
    replaces: bool = False


def register(connection: Connection, visit: Visit, intake: Intake, whom: Whom, say: Callable[[str], str]) -> str:
    """Take the form; give the key of the last row that was queued for the hub.

    *Raises* `ConnectorError`: `draft-unknown`, `case-unknown`, `case-closed`; `NeedToKnowError` for a case that
    somebody else looks after; `ScopeRefusedError`, `DocumentRefusedError` where the hub would refuse. Nothing is kept
    then.
    """
    pen = visit.pen()
    drafts.draft_of(connection, intake.id, staff=pen.staff)
    case = _case(connection, visit, pen, intake, whom, say)
    keep_told(connection, pen, case, intake.told, say)
    _refuse(connection, pen, case, intake.choice)
    last = case
    if intake.signed.asks_consent:
        last = _sign(connection, pen, case, intake, whom)[-1]
    _keep(connection, pen, case, intake)
    drafts.drop(connection, intake.id, staff=pen.staff)
    waiting = deeds.waiting_about(connection, last)
    return waiting[-1].key if waiting else ""


def has_own_consents(connection: Connection, visit: Visit, case: str) -> bool:
    """Say whether this agency has records of the case already, which a new form may replace."""
    own = visit.site.connector.agency
    return any(one.record.agency == own for one in statements.consents_of(connection, case))


def scopes_of(form: Form, choice: Choice, pen: Pen) -> tuple[Scope, ...]:
    """Split a form into its records and hold each to what may be registered.

    *Raises* `ScopeRefusedError`, `DocumentRefusedError`.
    """
    made = split(form, choice.template, pen.new_id)
    for one in made:
        check_scope(one, pen.now)
    return made


def form_of(pen: Pen, intake: Intake, *, case: str, kind: str, evidence: str, replaces: tuple[Scope, ...] = ()) -> Form:
    """Give the signed form as data."""
    choice, signed = intake.choice, intake.signed
    begins = day_of(signed.signed_at)
    return Form(
        id=intake.id,
        case=case,
        kind="oral" if signed.is_oral else kind,
        version=choice.template.version,
        hub_parties=frozenset({pen.agency}),
        purposes=choice.purposes,
        categories=frozenset({ANY}),
        rows=choice.rows(),
        valid_from=start_of_day(begins),
        valid_until=choice.ends(begins),
        signature=signed.signature,
        signed_at=signed.signed_at,
        written_by=signed.written_by,
        proxy_reason=signed.proxy_reason,
        read_aloud=signed.read_aloud,
        witness=signed.witness,
        evidence=evidence,
        replaces=replaces,
    )


def _case(connection: Connection, visit: Visit, pen: Pen, intake: Intake, whom: Whom, say: Callable[[str], str]) -> str:
    """Find the case, or open one, for a person who is known or not."""
    what, _, which = whom.said.partition(":")
    if what == "case":
        known = listing.case_of(connection, which)
        require_reason(connection, visit, which, files.file_of(connection, which))
        if known.closed_at is not None:
            raise ConnectorError("case-closed")
        if which == intake.opened_from and known.person and intake.told.name:
            _write_name_anew(connection, visit, pen, which, intake.told)
        return which
    told = intake.told
    if what == "person" and people.is_person(connection, which):
        person = which
    else:
        name = told.name or told.kana or say("intakes.nameless")
        made = people.register_person(
            connection, person=pen.new_id(), name=name, kana=told.kana, staff=pen.staff, now=pen.now
        )
        person = made.id
    handle = str(uuid.uuid4())
    people.open_case(connection, handle=handle, person=person, owner=pen.agency, staff=pen.staff, now=pen.now)
    files.open_file(connection, pen, case=handle, on=day_of(pen.now), worker=told.received_by, team=visit.me.team)
    return handle


def _write_name_anew(connection: Connection, visit: Visit, pen: Pen, case: str, told: Told) -> None:
    """Write the name as the person writes it now, where the form was opened from the person's own case."""
    known = people.person_of(connection, case, staff=visit.me.id, now=visit.at)
    kana = told.kana or (known.kana if known else "")
    if known and (known.name, known.kana) != (told.name, kana):
        files.rename(connection, pen, person=known.id, name=told.name, kana=kana)


def keep_told(connection: Connection, pen: Pen, case: str, told: Told, say: Callable[[str], str]) -> None:
    """Keep what was told: the person's record, the answers by category, how to get in touch safely.

    *Raises* `ConnectorError("case-unknown")`: nobody is behind the case here.
    """
    person = listing.case_of(connection, case).person
    if person is None:
        raise ConnectorError("case-unknown")
    before = files.record_of(connection, person)
    fields: dict[str, Any] = {**(before.fields if before else {}), **told.record()}
    phones = [fields[one] for one in ("phone_mobile", "phone_home", "telephone") if fields.get(one)]
    born_on = told.born_on or (before.born_on if before else None)
    files.keep_record(connection, pen, person=person, born_on=born_on, fields=fields, phones=dict.fromkeys(phones))
    known = people.answers_of(connection, case)
    for category, said in by_category(told, say).items():
        body = {**known.get(category, {}), **said}
        people.write_answers(connection, case, category, body, staff=pen.staff, now=pen.now)
    if told.is_protected and "address" in known.get("contact", {}):
        said = people.answers_of(connection, case)["contact"]
        body = {name: value for name, value in said.items() if name != "address"}
        people.write_answers(connection, case, "contact", body, staff=pen.staff, now=pen.now)
    caution = [one for one in (say("intakes.caution-protected") if told.is_protected else "", told.safe_contact) if one]
    if caution and files.file_of(connection, case):
        files.caution(connection, pen, case=case, text=say("intakes.topic-comma").join(caution))


def _refuse(connection: Connection, pen: Pen, case: str, choice: Choice) -> None:
    """Sign and queue what the person refuses; the words stay here, the hub gets their digest."""
    for one in choice.refusals:
        made = pen.new_id()
        digest = words.keep_words(
            connection, case=case, about=made, text=one.words.encode(), staff=pen.staff, now=pen.now
        )
        record = ExclusionRecord(
            id=made,
            agency=pen.agency,
            case=case,
            to=one.to,
            categories=one.categories,
            from_time=pen.now,
            words_digest=digest,
        )
        statements.exclude(connection, record, pen)


def _sign(connection: Connection, pen: Pen, case: str, intake: Intake, whom: Whom) -> list[str]:
    """Keep the paper and the signed form, sign one record per partner and queue them; give the records' ids."""
    paper = intake.paper
    if intake.signed.method == "pad":
        drawn = picture(intake.signed.strokes, intake.signed.signed_at)
        paper = Paper(media=PNG, pages=1, body=drawn)
    evidence = forms.evidence_of(paper.body if paper else b"")
    ours = [one.record for one in statements.consents_of(connection, case) if one.record.agency == pen.agency]
    old = [one for one in ours if whom.replaces or one.form == intake.completes]
    kind = "additional" if any(one.form != intake.completes for one in ours) else "intake_form"
    kind = _WITH_A_PLAN if intake.plan else kind
    form = form_of(
        pen,
        intake,
        case=case,
        kind=kind,
        evidence=evidence.digest if paper else "",
        replaces=tuple(one.scope() for one in old),
    )
    made = forms.record_form(connection, form, scopes_of(form, intake.choice, pen), evidence, pen)
    if paper:
        scans.keep_scan(connection, pen, case=case, form=form.id, media=paper.media, pages=paper.pages, body=paper.body)
    return made


def _keep(connection: Connection, pen: Pen, case: str, intake: Intake) -> None:
    signed, told = intake.signed, intake.told
    connection.execute(
        sa.insert(tables.intakes).values(
            id=intake.id,
            case=case,
            received_on=told.received_on,
            received_by=told.received_by,
            signature=signed.signature,
            signed_at=signed.signed_at if signed.asks_consent else None,
            follow_up_on=signed.follow_up_on,
            document={name: said for name, said in intake.values.items() if name not in {"strokes", "csrf_token"}},
            taken_at=pen.now,
            taken_by=pen.staff,
        )
    )
    if intake.completes:
        reads.taken(connection, intake.completes)
        connection.execute(
            sa.update(tables.intakes).where(tables.intakes.c.id == intake.completes).values(followed_by=intake.id)
        )
