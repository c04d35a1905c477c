# SPDX-License-Identifier: Apache-2.0
"""From what was typed to a letter: its parts from the recipient's form or as named, and the basis on which it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.agencies.referral_forms import Field, fill, missing, referral_form
from connectors.casebook import listing, people
from connectors.casebook.compose import Letter
from connectors.casebook.corrected import read_correction
from connectors.casebook.directory import KnownAgency
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import flag, option
from connectors.cli.kinds import At, Code, Id, Pair, Staff, content
from connectors.cli.texts import code_of
from connectors.sync.cases import refresh_meetings
from connectors.sync.connector import Connector
from consent.decisions import Permitted, Refused
from consent.envelope.manifest import ByConference, ByConsent, ByEmergency, ByStatute, ManifestBasis
from consent.envelope.sealing import PlainPart
from consent.wire import write_moment

FORM_MEDIA: Final = "application/json"
PARTS: Final = (
    option("--category", Code("categories"), many=True),
    option("--part", Pair(), many=True),
    flag("--only-allowed"),
    flag("--not-my-number"),
)
BASIS: Final = (
    option("--basis", Code("legal_basis"), default="consent"),
    option("--threat", Code("threat")),
    option("--difficulty", Code("consent_difficulty")),
    option("--approver", Staff()),
    option("--approver-role", Code("staff_role")),
    option("--approved-at", At()),
    option("--conference", Id()),
    option("--ground", Code("statute_ground")),
)
URGENCY: Final = (
    option("--urgency", Code("urgency"), default="normal"),
    option("--request-kind", Code("request_kind"), default="service"),
    option("--telephone-at", At()),
    option("--telephone-result", Code("call_result"), default="connected"),
)

Decided = Sequence[tuple[str, Permitted | Refused]]


def letter(
    desk: Desk, connector: Connector, *, case: str, recipient: KnownAgency, purpose: str, said: Mapping[str, Any]
) -> Letter:
    """Write a letter: what the recipient's form asks for and is known, cut down to `--category`, with each `--part`.

    *Raises* `CliError`: `nothing-to-send`, `part-unknown`, `file-unreadable`; `ConnectorError("case-unknown")`.
    """
    named = _named_parts(said["part"])
    with connector.casebook.transaction() as connection:
        listing.case_of(connection, case)
        told = people.answers_of(connection, case)
    wanted = frozenset(said["category"])
    bodies = fill(referral_form(recipient.kind), told) if wanted or not named else {}
    formed = [
        PlainPart(category=category, media=FORM_MEDIA, body=body)
        for category, body in bodies.items()
        if not wanted or category in wanted
    ]
    if not formed and not named:
        raise CliError("nothing-to-send")
    at = said.get("telephone_at")
    call = {"at": write_moment(at), "result": said["telephone_result"]} if at else None
    return Letter(
        case=case,
        recipient=recipient.id,
        purpose=purpose,
        parts=(*formed, *named),
        basis=basis(desk, said),
        urgency=said.get("urgency") or "normal",
        request_kind=said.get("request_kind") or "service",
        telephone=call,
        acknowledged=said["not_my_number"],
    )


def ready(desk: Desk, connector: Connector, written: Letter, said: Mapping[str, Any]) -> Letter:
    """Make ready to send: know how the case stands, say anew that our consents are live, leave out what may not go.

    *Raises* `CliError("nothing-allowed")`.
    """
    learn(desk, connector, written.case)
    connector.renew_statuses()
    if not said["only_allowed"]:
        return written
    allowed = {category for category, answer in connector.preview(written) if isinstance(answer, Permitted)}
    parts = tuple(part for part in written.parts if part.category in allowed)
    left_out = sorted({part.category for part in written.parts} - allowed)
    if not parts:
        raise CliError("nothing-allowed")
    if left_out:
        desk.note("left-out", categories=desk.labels("categories", tuple(left_out)))
    return replace(written, parts=parts)


def learn(desk: Desk, connector: Connector, case: str) -> None:
    """Learn how a case stands now, and of the conferences; what is known here serves while the hub is away."""

    def ask() -> None:
        connector.refresh_case(case)
        refresh_meetings(connector)

    desk.if_hub_answers(ask)


def basis(desk: Desk, said: Mapping[str, Any]) -> ManifestBasis:
    """Read the basis; in an emergency who types is who asks, and another one approves."""
    match said.get("basis", "consent"):
        case "emergency":
            return ByEmergency(
                threat=said["threat"],
                difficulty=said["difficulty"],
                requester=desk.worker(),
                approver=said["approver"],
                approver_role=said["approver_role"],
                approved_at=said["approved_at"],
            )
        case "shien_kaigi":
            return ByConference(conference=said["conference"])
        case "statute":
            return ByStatute(ground=said["ground"])
    return ByConsent()


def missing_fields(connector: Connector, case: str, recipient: KnownAgency) -> tuple[Field, ...]:
    """Give what the recipient cannot do without and nobody has answered yet."""
    with connector.casebook.transaction() as connection:
        return missing(referral_form(recipient.kind), people.answers_of(connection, case))


def body_lines(desk: Desk, media: str, body: bytes) -> list[str]:
    """Write a part for reading: a form's answers line by line, a text as it is, of anything else only what it is."""
    if media == FORM_MEDIA:
        try:
            answers = json.loads(body)["answers"]
            return [f"  {one['ja' if desk.language == 'ja' else 'en']}: {one['value']}" for one in answers]
        except (ValueError, KeyError, TypeError):
            pass
    said = read_correction(media, body)
    if said is not None:
        return [desk.text("correction-said", text=said.text)]
    if media.startswith("text/") or media == FORM_MEDIA:
        return [f"  {line}" for line in body.decode("utf-8", errors="replace").splitlines()]
    return [desk.text("attachment", media=media, size=len(body))]


def decided_lines(desk: Desk, decided: Decided) -> list[str]:
    """Write each decision: may go, or may not, why, and what would remedy it."""
    lines = []
    for category, answer in decided:
        name = desk.label("categories", category)
        if isinstance(answer, Refused):
            reason, remedy = desk.label("decision_reasons", answer.reason), desk.label("remedy", answer.remedy)
            lines.append(desk.text("part-refused", category=name, code=category, reason=reason, remedy=remedy))
        else:
            lines.append(desk.text("part-permitted", category=name, code=category))
    return lines


def decided_document(decided: Decided) -> list[dict[str, Any]]:
    """Give each decision as codes."""
    return [
        {"category": category, "outcome": "refused", "reason": answer.reason.value, "remedy": answer.remedy.value}
        if isinstance(answer, Refused)
        else {"category": category, "outcome": "permitted", "reason": None, "remedy": None}
        for category, answer in decided
    ]


def _named_parts(pairs: Sequence[tuple[str, str]]) -> list[PlainPart]:
    parts = []
    for name, value in pairs:
        category = code_of("categories", name)
        if category is None:
            raise CliError("part-unknown")
        told = content(value)
        if not told.body:
            raise CliError("nothing-to-send")
        parts.append(PlainPart(category=category, media=told.media, body=told.body))
    return parts
