# SPDX-License-Identifier: Apache-2.0
"""Sharing, reporting back and collecting in a story. Submitted below the casebook, so that the hub itself refuses.

What the sender's casebook would have said is asked beside it: the intake side must agree with the hub to the letter, a
partner (who knows only what names it) in whether a part may go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Final

from connectors.casebook.compose import Letter
from connectors.sdk.problems import ConsentRefusedError, PartDecision, ProblemError
from connectors.sdk.threads import MessageAccepted
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
from deploy.play.company import WORKER, Actor, Company, OpenedReferral
from deploy.play.report import ACCEPTED, REFUSED
from deploy.play.story import Event

FINAL: Final = frozenset({"closed", "cancelled", "rerouted", "withdrawn", "entered_in_error"})
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
    """Have the recipient collect what was sent to it earlier; the hub decides again."""
    hub = company.actors[event.to or ""].connector.hub
    same = [
        one
        for one in reversed(company.referrals)
        if (one.sender, one.recipient, one.purpose) == (event.sender, event.to, event.purpose)
    ]
    if not same:
        return Answer(got=dict.fromkeys(event.categories, "NOTHING_SENT"), outcome=REFUSED)
    waiting = [sent for sent in hub.referral(same[0].id).deliveries if sent.sender != company.named(event.to or "")]
    try:
        taken = hub.collect(waiting[-1].id)
    except ConsentRefusedError as refusal:
        got, remedies = _told(refusal.decisions, event.basis), _remedies(refusal.decisions)
        return Answer(got=got, outcome=REFUSED, remedies=remedies)
    except ProblemError as problem:
        return Answer(got=dict.fromkeys(event.categories, f"ERROR:{problem.code}"), outcome=REFUSED)
    collect(company, company.actors[event.to or ""], same[0])
    word = _ALLOWED[event.basis]
    return Answer(got={label.category: word for label in taken.labels}, outcome=ACCEPTED)


def collect(company: Company, actor: Actor, referral: OpenedReferral) -> None:
    """Have an agency take in what waits for it, read it, and accept the referral if that is still open."""
    connector = actor.connector
    for collected in connector.collect():
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
    connector.refresh_case(company.case)
    letter = _letter(company, event, referral)
    try:
        foreseen = dict(connector.preview(letter))
        answer, opened = _submit(company, event, letter, referral)
    except ConsentRefusedError as refusal:
        got = _told(refusal.decisions, event.basis)
        remarks = _differences(company, event, foreseen, got)
        return Answer(got=got, outcome=REFUSED, remarks=remarks, remedies=_remedies(refusal.decisions))
    except (ProblemError, TsunagiError) as refusal:
        return Answer(got=dict.fromkeys(event.categories, f"ERROR:{refusal.code}"), outcome=REFUSED)
    got = _told(answer, event.basis)
    if not company.later_pickup(event):
        collect(company, recipient, opened)
    return Answer(got=got, outcome=ACCEPTED, remarks=_differences(company, event, foreseen, got))


def _submit(
    company: Company, event: Event, letter: Letter, referral: OpenedReferral | None
) -> tuple[Sequence[PartDecision], OpenedReferral]:
    taken = company.actors[event.sender or ""].connector.submit(letter, staff=WORKER)
    if isinstance(taken, MessageAccepted) or referral is not None:
        return taken.decisions, referral or company.referrals[-1]
    opened = OpenedReferral(
        id=taken.id,
        thread=taken.thread,
        sender=event.sender or "",
        recipient=event.to or "",
        purpose=event.purpose or "",
    )
    company.referrals.append(opened)
    return taken.decisions, opened


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


def _basis(company: Company, event: Event) -> ManifestBasis:
    told = event.justification
    if event.basis == "emergency":
        return ByEmergency(
            threat="life" if told.threat else None,
            difficulty="unreachable" if told.why_consent_difficult else None,
            requester=told.requester or None,
            approver=told.approver or None,
            approver_role=told.approver_role or "supervisor",
            approved_at=told.approved_at.astimezone(UTC) if told.approved_at else None,
            valid_until=told.valid_until.astimezone(UTC) if told.valid_until else None,
        )
    if event.basis == "shien_kaigi":
        name = event.conference if isinstance(event.conference, str) else told.conference
        return ByConference(conference=company.conferences.get(name or "") or company.case)
    if event.basis == "statute":
        return ByStatute(ground=event.ground or told.ground)
    return ByConsent()


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
        if word != hub and (intake or word.startswith("ALLOW") != hub.startswith("ALLOW")):
            differing.append(f"preview {category}={word}")
    return tuple(differing)


def _state(company: Company, referral: OpenedReferral) -> str:
    return company.actors[referral.sender].connector.hub.referral(referral.id).state
