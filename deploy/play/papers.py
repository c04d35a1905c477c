# SPDX-License-Identifier: Apache-2.0
"""What the person signs, forbids and takes back in a story, and the conferences: written at the hub party."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import UTC, datetime
from typing import Final

from connectors.casebook import statements
from connectors.sdk.problems import ProblemError
from connectors.sync import cases
from consent.errors import TsunagiError
from consent.receipts import ExclusionRecord, WithdrawalRecord
from consent.scopes import Direction, Scope
from deploy.play.company import WORKER, Company
from deploy.play.report import ACCEPTED, REFUSED
from deploy.play.story import ConferenceTold, Event, ScopeTold

Said = tuple[str, str]
"""What was got, in one word, and whether the hub took it."""

_WRITERS: Final = {
    "self": ("person", None),
    "self_dictated": (f"counsellor:{WORKER}", "asked"),
    "legal_rep": ("legal_rep", "guardian"),
    "oral_pending": (f"counsellor:{WORKER}", "asked"),
    "family_unverified": ("family", "asked"),
    "none": (f"counsellor:{WORKER}", "asked"),
}
"""Who writes the form, and why another does, by kind of signature; the files do not say."""


def grant(company: Company, event: Event) -> Said:
    """Register the form that the person signs now: one record for each partner."""
    told = event.scope
    if told is None:
        return "REFUSED:malformed", REFUSED
    form, connector = str(uuid.uuid4()), company.hub_party.connector
    replaced = _replaced(company, (*told.supersedes, *event.supersedes), told.partners)
    records: dict[str, str] = {}
    pen = connector.pen(WORKER)
    scopes = []
    for partner in told.partners:
        records[partner] = pen.new_id()
        scopes.append(_scope(company, told, partner, records[partner], form, replaced[partner], pen.now))
    try:
        with connector.casebook.transaction() as book:
            statements.record_consents(book, scopes, pen)
    except TsunagiError as error:
        return f"REFUSED:{error.code}", REFUSED
    said = _pushed(company, "REGISTERED")
    if said[1] == ACCEPTED:
        company.consents[told.id] = records
    return said


def forbid(company: Company, event: Event) -> Said:
    """Register the person's refusal."""
    told = event.exclusion
    if told is None:
        return "REFUSED:malformed", REFUSED
    pen = company.hub_party.connector.pen(WORKER)
    record = ExclusionRecord(
        id=pen.new_id(),
        agency=pen.agency,
        case=company.case,
        to=frozenset(company.named(code) for code in told.to),
        categories=frozenset(told.categories),
        from_time=(told.from_time or event.at).astimezone(UTC),
        words_digest=hashlib.sha256(secrets.token_bytes(32) + event.text.encode()).hexdigest(),
    )
    try:
        with company.hub_party.connector.casebook.transaction() as book:
            statements.exclude(book, record, pen)
    except TsunagiError as error:
        return f"REFUSED:{error.code}", REFUSED
    return _pushed(company, "REGISTERED")


def take_back(company: Company, event: Event) -> Said:
    """Register what the person takes back; without a scope named, all of them."""
    told = event.withdrawal
    if told is None:
        return "REFUSED:malformed", REFUSED
    forms = [told.scope] if told.scope else list(company.consents)
    concerned = frozenset(record for form in forms for record in company.consents.get(form, {}).values())
    if not concerned:
        return "REFUSED:unknown-consent", REFUSED
    pen = company.hub_party.connector.pen(WORKER)
    record = WithdrawalRecord(
        id=pen.new_id(),
        agency=pen.agency,
        case=company.case,
        scopes=concerned,
        to=frozenset(company.named(code) for code in told.to),
        categories=frozenset(told.categories),
        at=pen.now,
    )
    try:
        with company.hub_party.connector.casebook.transaction() as book:
            statements.withdraw(book, record, pen)
    except TsunagiError as error:
        return f"REFUSED:{error.code}", REFUSED
    return _pushed(company, "WITHDRAWN")


def convene(company: Company, event: Event) -> Said:
    """Convene a 支援会議 and have every member of the story accept.

    Whoever convenes sits in it, so where the hub party is no member the first member convenes.
    """
    told = event.conference
    if not isinstance(told, ConferenceTold):
        return "REFUSED:malformed", REFUSED
    hub_party = company.story.hub_party
    convenor = hub_party if hub_party in told.members else told.members[0]
    invited = [code for code in dict.fromkeys(told.members) if code != convenor]
    hub, members = company.actors[convenor].connector.hub, [company.named(code) for code in invited]
    if convenor != hub_party:
        company.stage.let_convene(company.named(convenor))
    try:
        meeting = hub.convene("shien_kaigi", members=members, until=told.until.astimezone(UTC))
        for code in invited:
            company.actors[code].connector.hub.accept_meeting(meeting.id)
    except ProblemError as error:
        return f"REFUSED:{error.code}", REFUSED
    company.conferences[told.id] = meeting.id
    for code in told.members:
        cases.refresh_meetings(company.actors[code].connector)
    return "CONVENED", ACCEPTED


def _scope(
    company: Company,
    told: ScopeTold,
    partner: str,
    record: str,
    form: str,
    supersedes: frozenset[str],
    signed_at: datetime,
) -> Scope:
    written_by, proxy_reason = _WRITERS.get(told.signature, ("person", None))
    return Scope(
        id=record,
        case=company.case,
        form=form,
        kind="oral" if told.signature == "oral_pending" else "additional" if company.consents else "intake_form",
        hub_parties=frozenset(company.named(code) for code in told.hub),
        partners=frozenset({company.named(partner)}),
        purposes=frozenset(told.purposes),
        categories=frozenset(told.categories),
        direction=Direction.BOTH if told.both else Direction.OUT,
        valid_from=told.valid_from.astimezone(UTC),
        valid_until=told.valid_until.astimezone(UTC),
        signature=told.signature,
        signed_at=signed_at,
        written_by=written_by,
        proxy_reason=proxy_reason,
        read_aloud=told.signature == "self_dictated",
        form_version="1",
        template="generic-1",
        evidence=secrets.token_hex(32),
        supersedes=supersedes,
    )


def _replaced(company: Company, forms: tuple[str, ...], partners: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Say which records each new record ends: its partner's own; those of partners left out fall to the first."""
    ended: dict[str, set[str]] = {partner: set() for partner in partners}
    for form in forms:
        for partner, record in company.consents.get(form, {}).items():
            ended[partner if partner in ended else partners[0]].add(record)
    return {partner: frozenset(records) for partner, records in ended.items()}


def _pushed(company: Company, word: str) -> Said:
    pushed = company.hub_party.connector.push()
    if pushed.refused:
        return f"REFUSED:{pushed.refused[0].code}", REFUSED
    return word, ACCEPTED
