# SPDX-License-Identifier: Apache-2.0
"""What the wizard's pages show: a draft with its defaults, recipients in their order, each category as it was decided.

Every decision here is the one engine's (`casebook.preview`), with what this agency knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.base.wareki import say_day
from connectors.casebook import (
    directory,
    drafts,
    mirror,
    people,
    preview,
    statements,
)
from connectors.casebook.compose import Letter, WrittenPart
from connectors.casebook.directory import KnownAgency
from connectors.casebook.drafts import Draft, DraftFile
from connectors.casebook.statements import KnownConsent
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.sending import fields, letters, rules
from connectors.desk.sending.fields import Surroundings
from connectors.desk.staff.reads import colleagues
from connectors.desk.web.contents import lines_of
from connectors.desk.web.filling import Fault, Filled
from connectors.desk.web.visits import Visit
from connectors.sdk.answers import Agency
from consent.decisions import Permitted, Refused
from consent.keys import KeyUse
from consent.vocabulary.codes import CATEGORIES, Language

KIND: Final = "referral"
"""The kind of drafts that this wizard goes on with."""
_ACTIVE: Final = "active"
_FIRST: Final[Mapping[str, Any]] = {"urgency": "normal", "request_kind": "interview", "accompany": "no", "troubles": []}

Decided = Mapping[str, Permitted | Refused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A recipient as it is offered: why it stands where it stands, and what bars it where consent does."""

    agency: KnownAgency
    profile: Agency | None
    place: rules.Candidate
    refused: Refused | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A category as it was decided: `record` carries it; `refused` bars it; `marked` is what the hub said last."""

    category: str
    record: KnownConsent | None
    refused: Refused | None
    needed: bool
    known: tuple[str, ...]
    marked: Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A draft with everything around it. `filled` holds every field, those that nobody touched by their defaults."""

    draft: Draft
    bar: PersonBar
    filled: Filled = field(repr=False)
    around: Surroundings
    recipient: KnownAgency | None
    profile: Agency | None
    offers: Sequence[Offer]
    decided: Decided
    rows: Sequence[Row]
    unused: Sequence[str]
    answers: Mapping[str, Mapping[str, Any]] = field(repr=False)
    files: Sequence[DraftFile] = field(repr=False)
    sender: letters.Sender = field(repr=False)
    language: Language

    @property
    def case(self) -> str:
        """The case that the draft is about."""
        return self.bar.case

    @property
    def origin(self) -> str | None:
        """The declined referral that this one takes further."""
        said = self.draft.fields.get("from")
        return said if isinstance(said, str) else None

    def first_fault(self) -> tuple[str, Mapping[str, Fault]] | None:
        """Give the first page that is not ready, with what is wrong on it."""
        for step in fields.STEPS_WITH_FIELDS:
            filled = Filled(values=self.filled.values)
            fields.check(step, filled, self.around)
            if filled.faults:
                return step, filled.faults
        return None

    def parts(self) -> list[WrittenPart]:
        """Write the parts as they would be sealed."""
        kind = self.recipient.kind if self.recipient else ""
        return letters.parts_of(self.filled, kind=kind, answers=self.answers, files=self.files, sender=self.sender)

    def letter(self) -> Letter:
        """Write the letter as it would go; every page has been found ready before."""
        parts = self.parts()
        return letters.letter(self.filled, case=self.case, parts=parts, acknowledged=not self.open_numbers(parts))

    def open_numbers(self, parts: Sequence[WrittenPart]) -> list[tuple[str, str]]:
        """Give what looks like a My Number and of which nobody has said that it is none."""
        denied = self.draft.fields.get("no_my_number", [])
        return letters.unacknowledged(parts, denied if isinstance(denied, list) else ())


def sheet(connection: Connection, visit: Visit, draft_id: str) -> Sheet:
    """Give a draft of this person's with everything around it, and log that they looked at the person's page.

    *Raises* `ConnectorError("draft-unknown")`; as `person_bar`.
    """
    draft = draft_of(connection, visit, draft_id)
    bar = person_bar(connection, visit, str(draft.case))
    values = {**_FIRST, "going_with": visit.me.id, **draft.fields}
    answers = letters.with_troubles(answers_about(connection, bar), _listed(values.get("troubles")))
    offers = _offers(connection, visit, bar.case, str(values.get("purpose", "")), draft.fields.get("suggested"))
    if not values.get("recipient"):
        values["recipient"] = _first(values, offers)
    offer = next((one for one in offers if one.agency.id == values["recipient"]), None)
    decided = _decided(connection, visit, bar.case, offer, str(values.get("purpose", "")))
    attached = drafts.files_with(connection, draft.id)
    needed = rules.needed(offer.agency.kind, str(values["purpose"])) if offer else frozenset()
    unused = rules.unused(offer.agency.kind) if offer else frozenset()
    permitted = frozenset(one for one, answer in decided.items() if isinstance(answer, Permitted)) - unused
    enclosed = frozenset(one.belongs_to for one in attached)
    _fill_in(values, visit, offer, (needed | enclosed) & permitted, answers)
    staff = {one.id: one.name for one in colleagues(connection)}
    around = Surroundings(
        now=visit.at,
        calendar=visit.site.calendar,
        recipients=frozenset(one.agency.id for one in offers if one.place.reachable),
        colleagues=frozenset(staff),
        permitted=permitted,
        needed=needed,
        with_files=enclosed,
    )
    return Sheet(
        draft=draft,
        bar=bar,
        filled=Filled(values=fields.as_form(values)),
        around=around,
        recipient=offer.agency if offer else None,
        profile=offer.profile if offer else None,
        offers=offers,
        decided=decided,
        rows=_rows(connection, visit, bar.case, decided, needed, unused, answers, draft),
        unused=rules.in_order(unused),
        answers=answers,
        files=attached,
        language=visit.language,
        sender=letters.Sender(worker=visit.me.name, colleagues=staff),
    )


def _first(values: Mapping[str, Any], offers: Sequence[Offer]) -> str:
    """Give the recipient that is chosen at first: the one somebody came from, else the topmost that will do."""
    wished = values.get("suggested_by_me")
    if any(one.agency.id == wished and one.place.reachable for one in offers):
        return str(wished)
    return rules.first_choice([one.place for one in offers]) or ""


def draft_of(connection: Connection, visit: Visit, draft_id: str) -> Draft:
    """Give a draft of this wizard's and of this person's.

    *Raises* `ConnectorError("draft-unknown")`.
    """
    draft = drafts.draft_of(connection, draft_id, staff=visit.me.id)
    if draft.kind != KIND or draft.case is None:
        raise ConnectorError("draft-unknown")
    return draft


def answers_about(connection: Connection, bar: PersonBar) -> dict[str, dict[str, Any]]:
    """Give what is known of a case by category, the name and the birthday of the person's own record among it."""
    told = {category: dict(said) for category, said in people.answers_of(connection, bar.case).items()}
    if bar.person is not None:
        identity = told.setdefault("identity", {})
        identity.setdefault("name", bar.person.name)
        identity.setdefault("kana", bar.person.kana)
        if bar.born_on is not None:
            identity.setdefault("birth_date", say_day(bar.born_on, "ja"))
    return told


def _fill_in(
    values: dict[str, Any], visit: Visit, offer: Offer | None, ticked: frozenset[str], answers: Mapping[str, Any]
) -> None:
    """Put in what nobody has touched yet: categories, texts from the casebook, the day of the answer."""
    if offer is None:
        return
    if values.get("picked_for") != picked_for(values) or "categories" not in values:
        values["categories"] = rules.in_order(ticked)
    for category, body in letters.prefilled(offer.agency.kind, answers).items():
        values.setdefault(f"text_{category}", lines_of(body, visit.language))
    days = offer.profile.answer_days if offer.profile else None
    wished = rules.answer_by(visit.today, str(values.get("urgency")), days, visit.site.calendar)
    values.setdefault("answer_on", wished.isoformat())


def picked_for(values: Mapping[str, Any]) -> str:
    """Name for whom and for what categories were picked; for another recipient they are picked anew."""
    return f"{values.get('recipient')} {values.get('purpose')}"


def _listed(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _offers(connection: Connection, visit: Visit, case: str, purpose: str, suggested: object) -> list[Offer]:
    if purpose not in rules.purposes():
        return []
    own = visit.site.connector.agency
    known = {one.id: one for one in directory.agencies(connection) if one.id != own}
    profiles = mirror.profiles(connection)
    decided = preview.for_each(
        connection,
        case=case,
        sender=own,
        recipients=known,
        purpose=purpose,
        categories=rules.in_order(CATEGORIES),
        now=visit.at,
    )
    home = frozenset(profiles[own].area) if own in profiles else frozenset()
    made = {}
    for agency in known.values():
        answers = dict(decided[agency.id])
        wanted = rules.in_order(rules.needed(agency.kind, purpose))
        candidate = _candidate(agency, profiles.get(agency.id), purpose, home, answers, wanted, visit)
        if agency.id == suggested:
            candidate = rules.suggested(candidate)
        barred = [answers[one] for one in wanted if isinstance(answers[one], Refused)]
        first = barred[0] if barred and not candidate.consented else None
        made[agency.id] = Offer(
            agency=agency,
            profile=profiles.get(agency.id),
            place=candidate,
            refused=first if isinstance(first, Refused) else None,
        )
    return [made[one.agency] for one in rules.ranked(offer.place for offer in made.values())]


def _candidate(
    agency: KnownAgency,
    profile: Agency | None,
    purpose: str,
    home: frozenset[str],
    answers: Decided,
    wanted: Sequence[str],
    visit: Visit,
) -> rules.Candidate:
    area = frozenset(profile.area) if profile else frozenset()
    keys = [one for one in agency.keys if one.use == KeyUse.ENC and one.is_valid_at(visit.at)]
    return rules.Candidate(
        agency=agency.id,
        name=agency.name_ja,
        typical=rules.is_typical(agency.kind, purpose),
        offers=profile is not None and purpose in profile.purposes,
        in_area=bool(area & home) if area and home else None,
        answer_days=profile.answer_days if profile else None,
        has_room=profile is None or profile.capacity != rules.NO_ROOM,
        permitted=sum(isinstance(answers[one], Permitted) for one in wanted),
        wanted=len(wanted),
        reachable=agency.state == _ACTIVE and bool(keys),
    )


def _decided(connection: Connection, visit: Visit, case: str, offer: Offer | None, purpose: str) -> Decided:
    if offer is None:
        return {}
    found = preview.for_each(
        connection,
        case=case,
        sender=visit.site.connector.agency,
        recipients=[offer.agency.id],
        purpose=purpose,
        categories=rules.in_order(CATEGORIES),
        now=visit.at,
    )
    return dict(found[offer.agency.id])


def _rows(
    connection: Connection,
    visit: Visit,
    case: str,
    decided: Decided,
    needed: frozenset[str],
    unused: frozenset[str],
    answers: Mapping[str, Mapping[str, Any]],
    draft: Draft,
) -> list[Row]:
    records = {one.record.id: one for one in statements.consents_of(connection, case)}
    marked = draft.fields.get("marked", {})
    made = []
    for category in rules.in_order(frozenset(decided) - unused):
        answer = decided[category]
        made.append(
            Row(
                category=category,
                record=records.get(answer.scope) if answer.scope else None,
                refused=answer if isinstance(answer, Refused) else None,
                needed=category in needed,
                known=letters.questions_known(category, answers.get(category, {}), visit.language),
                marked=marked.get(category) if isinstance(marked, dict) else None,
            )
        )
    return made
