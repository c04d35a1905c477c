# SPDX-License-Identifier: Apache-2.0
"""Sharing, reporting back and collecting in a story. Submitted below the casebook, so that the hub itself refuses.

What the sender's casebook would have said is asked beside it: the intake side must agree with the hub to the letter, a
partner (who knows only what names it) in whether a part may go.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import Final

from connectors.base.errors import ConnectorError
from connectors.casebook import compose
from connectors.casebook.compose import Letter
from connectors.sdk.problems import ConsentRefusedError, PartDecision, ProblemError
from connectors.sdk.threads import MessageAccepted
from connectors.sync.connector import Connector
from consent.decisions import Permitted, Refused
from consent.envelope.manifest import (
    ByConference,
    ByConsent,
    ByEmergency,
    ByStatute,
    ManifestBasis,
    MessageKind,
)
from consent.envelope.sealing import PlainPart
from consent.errors import TsunagiError
from consent.vocabulary.codes import is_known
from deploy.play.company import WORKER, Actor, Company, OpenedReferral, SentMessage
from deploy.play.report import ACCEPTED, REFUSED
from deploy.play.story import Event

FINAL: Final = frozenset({"closed", "cancelled", "rerouted", "withdrawn", "entered_in_error"})
_NAMES_OTHERS: Final = frozenset({"DENY:EXCLUDED_BY_SUBJECT", "DENY:SUPERSEDED"})
_OPAQUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_ALLOWED: Final = {
    "consent": "ALLOW",
    "emergency": "ALLOW:EMERGENCY",
    "shien_kaigi": "ALLOW:CONFERENCE",
    "statute": "ALLOW:STATUTE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The hub's word on each category, whether it took the message, and where the sender's preview differs."""

    got: dict[str, str]
    outcome: str
    remarks: tuple[str, ...] = ()
    remedies: Mapping[str, str] = field(default_factory=dict)


def share(company: Company, event: Event) -> Answer:
    """Send a message in the open referral of the same three, else as a new referral; have it collected at once."""
    same = [
        one
        for one in reversed(company.referrals)
        if (one.sender, one.recipient, one.purpose) == (event.sender, event.to, event.purpose)
        and _state(company, one) not in FINAL
    ]
    return _send(company, event, same[0] if same else None)


def report_back(company: Company, event: Event) -> Answer:
    """Answer in the newest referral between the two, in any state and for any purpose, else as a new one."""
    between = [one for one in reversed(company.referrals) if {one.sender, one.recipient} == {event.sender, event.to}]
    return _send(company, event, between[0] if between else None)


def pick_up(company: Company, event: Event) -> Answer:
    """Have the recipient collect what was sent to it earlier; the hub decides again.

    Of several messages that wait it is the newest with these categories, else the newest.
    """
    actor = company.actors[event.to or ""]
    three = (event.sender, event.to, event.purpose)
    waiting = [one for one in company.sent if (one.sender, one.recipient, one.purpose) == three]
    if not waiting:
        return Answer(got=dict.fromkeys(event.categories, "NOTHING_SENT"), outcome=REFUSED)
    same = [one for one in waiting if one.categories == frozenset(event.categories)]
    sent = (same or waiting)[-1]
    company.sent.remove(sent)
    try:
        taken = actor.connector.hub.collect(sent.message)
    except ConsentRefusedError as refusal:
        got, remedies = _told(refusal.decisions, sent.basis), _remedies(refusal.decisions)
        return Answer(got=got, outcome=REFUSED, remedies=remedies)
    except ProblemError as problem:
        return Answer(got=dict.fromkeys(event.categories, f"ERROR:{problem.code}"), outcome=REFUSED)
    collect(company, actor, sent.referral)
    word = _ALLOWED[sent.basis]
    return Answer(got={label.category: word for label in taken.labels}, outcome=ACCEPTED)


def collect(company: Company, actor: Actor, referral: OpenedReferral) -> None:
    """Have an agency take in what waits for it, read it, and accept the referral if that is still open."""
    connector = actor.connector
    taken = connector.collect()
    if any(one.outcome == "unproved" for one in taken):
        company.stage.settle()
        taken += connector.collect()
    for collected in taken:
        if collected.results:
            connector.read(collected.message, collected.sender, staff=WORKER)
    connector.push()
    seen = connector.hub.referral(referral.id)
    if seen.recipient == connector.agency and "accept" in seen.actions:
        next_on = (company.clock.at + timedelta(days=1)).date()
        said = {"worker": WORKER, "worker_role": "counsellor", "next_on": next_on}
        connector.hub.move(referral.id, "accept", said, version=seen.version)


def _send(company: Company, event: Event, referral: OpenedReferral | None) -> Answer:
    sender, recipient = company.actors[event.sender or ""], company.actors[event.to or ""]
    connector = sender.connector
    if event.basis == "consent":
        company.keep_statuses()
    connector.refresh_case(company.case)
    letter = _letter(company, event, referral)
    try:
        foreseen = dict(connector.preview(letter))
        answer, sent = _submit(company, event, _with_evidence(connector, letter, foreseen), referral)
    except ConsentRefusedError as refusal:
        got = _told(refusal.decisions, event.basis)
        remarks = _differences(company, event, foreseen, got)
        return Answer(got=got, outcome=REFUSED, remarks=remarks, remedies=_remedies(refusal.decisions))
    except (ConnectorError, TsunagiError) as refusal:
        return Answer(got=dict.fromkeys(event.categories, f"ERROR:{refusal.code}"), outcome=REFUSED)
    got = _told(answer, event.basis)
    company.sent.append(sent)
    if not company.later_pickup(event):
        company.sent.remove(sent)
        collect(company, recipient, sent.referral)
    return Answer(got=got, outcome=ACCEPTED, remarks=_differences(company, event, foreseen, got))


def _submit(
    company: Company, event: Event, letter: Letter, referral: OpenedReferral | None
) -> tuple[Sequence[PartDecision], SentMessage]:
    sender, recipient, purpose = event.sender or "", event.to or "", event.purpose or ""
    taken = company.actors[sender].connector.submit(letter, staff=WORKER)
    if isinstance(taken, MessageAccepted):
        referral = referral or company.referrals[-1]
    elif referral is None:
        referral = OpenedReferral(id=taken.id, thread=taken.thread, sender=sender, recipient=recipient, purpose=purpose)
        company.referrals.append(referral)
    sent = SentMessage(
        message=taken.message,
        referral=referral,
        sender=sender,
        recipient=recipient,
        purpose=purpose,
        basis=event.basis,
        categories=frozenset(event.categories),
    )
    return taken.decisions, sent


def _letter(company: Company, event: Event, referral: OpenedReferral | None) -> Letter:
    words = f"{company.story.person}\n{event.text}"
    return Letter(
        case=company.case,
        recipient=company.named(event.to or ""),
        purpose=event.purpose or "",
        parts=tuple(
            PlainPart(category=category, media="text/plain", body=f"{category}\n{words}".encode())
            for category in event.categories
        ),
        basis=_basis(company, event),
        kind=MessageKind.REFERRAL if referral is None else MessageKind.REPLY,
        referral=referral.id if referral else None,
        thread=referral.thread if referral else None,
        acknowledged=True,
    )


def _with_evidence(connector: Connector, letter: Letter, foreseen: Mapping[str, Permitted | Refused]) -> Letter:
    """Name the consents that the letter relies on, as a desk does: a receiver named by its kind learns of them so."""
    relied_on = frozenset(one.scope for one in foreseen.values() if isinstance(one, Permitted) and one.scope)
    with connector.casebook.transaction() as book:
        held = compose.evidence(book, letter.case, relied_on, connector.pen(WORKER))
    return replace(letter, basis=ByConsent(consents=held)) if held else letter


def _basis(company: Company, event: Event) -> ManifestBasis:
    told = event.justification
    if event.basis == "emergency":
        return ByEmergency(
            threat="life" if told.threat else None,
            difficulty="unreachable" if told.why_consent_difficult else None,
            requester=_staff(told.requester),
            approver=_staff(told.approver),
            approver_role=told.approver_role or "supervisor",
            approved_at=told.approved_at.astimezone(UTC) if told.approved_at else None,
            valid_until=told.valid_until.astimezone(UTC) if told.valid_until else None,
        )
    if event.basis == "shien_kaigi":
        name = event.conference if isinstance(event.conference, str) else told.conference
        return ByConference(conference=company.conferences.get(name or "") or company.case)
    if event.basis == "statute":
        ground = event.ground or told.ground or ""
        return ByStatute(ground=ground if is_known("statute_ground", ground) else None)  # the wire carries codes alone
    return ByConsent()


def _staff(told: str) -> str | None:
    """Give a person's opaque id as the wire carries it; a name in the file becomes one."""
    said = told.strip()
    if not said or _OPAQUE.fullmatch(said):
        return said or None
    return f"u-{hashlib.sha256(said.casefold().encode()).hexdigest()[:12]}"


def _told(decisions: Sequence[PartDecision], basis: str) -> dict[str, str]:
    return {one.category: _ALLOWED[basis] if one.permitted else f"DENY:{one.reason}" for one in decisions}


def _remedies(decisions: Sequence[PartDecision]) -> dict[str, str]:
    return {one.category: one.remedy for one in decisions if one.remedy is not None}


def _differences(
    company: Company, event: Event, foreseen: Mapping[str, Permitted | Refused], got: Mapping[str, str]
) -> tuple[str, ...]:
    intake = event.sender == company.story.hub_party
    differing = []
    for category, decided in foreseen.items():
        word = _ALLOWED[event.basis] if isinstance(decided, Permitted) else f"DENY:{decided.reason}"
        hub = got.get(category, "")
        if word == hub or (not intake and _knows_less(company, event, word, hub)):
            continue
        differing.append(f"preview {category}={word}")
    return tuple(differing)


def _knows_less(company: Company, event: Event, word: str, hub: str) -> bool:
    """Say whether a partner may answer so: it sees neither what names others alone, nor a case by its kind alone."""
    if word.startswith("ALLOW") == hub.startswith("ALLOW"):
        return True
    kind = company.actors[event.sender or ""].connector.kind
    by_kind = any(kind in records for records in company.consents.values())
    return hub in _NAMES_OTHERS or (word == "DENY:NO_CONSENT" and by_kind)


def _state(company: Company, referral: OpenedReferral) -> str:
    return company.actors[referral.sender].connector.hub.referral(referral.id).state
