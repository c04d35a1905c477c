# SPDX-License-Identifier: Apache-2.0
"""`tsunagi referral`: see what may go, send it, follow it, answer in its thread, refer a declined need on."""

from __future__ import annotations

from typing import Any, Final

from connectors.casebook import compose
from connectors.casebook import referrals as mirror
from connectors.casebook.compose import Letter
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import LATER, Noun, argument, flag, option, verb
from connectors.cli.kinds import Code, Id
from connectors.cli.letters import (
    BASIS,
    PARTS,
    URGENCY,
    body_lines,
    decided_document,
    decided_lines,
    learn,
    letter,
    missing_fields,
    ready,
)
from connectors.cli.saying import Said
from connectors.sdk.problems import ProblemError
from connectors.sdk.threads import Referral, ReferralDetail
from connectors.sync import proofs
from connectors.sync.connector import Connector
from consent.decisions import Refused
from consent.envelope.manifest import MessageKind, manifest_hash
from consent.envelope.sealing import Sealed

referral: Final = Noun("referral")
_TO: Final = (
    argument("case", Id()),
    option("--to", required=True),
    option("--purpose", Code("purposes"), required=True),
)


@verb(referral, "preview", *_TO, *PARTS, *BASIS, LATER)
def preview(desk: Desk, *, case: str, to: str, purpose: str, **said: Any) -> Said:
    """Show what the recipient would see, and decide each part as the hub will. Nothing is sealed."""
    with desk.open() as connector:
        recipient = desk.agency(connector, to)
        written = letter(desk, connector, case=case, recipient=recipient, purpose=purpose, said=said)
        learn(desk, connector, case)
        decided = connector.preview(written)
        lacking = missing_fields(connector, case, recipient)
    lines = [desk.text("preview-for", agency=recipient.name_ja if desk.language == "ja" else recipient.name_en)]
    lines += decided_lines(desk, decided)
    refused = {category for category, answer in decided if isinstance(answer, Refused)}
    for part in written.parts:
        if part.category not in refused:
            lines += [f"[{desk.label('categories', part.category)}]", *body_lines(desk, part.media, part.body)]
    if lacking:
        names = ", ".join(field.ja if desk.language == "ja" else field.en for field in lacking)
        lines.append(desk.text("form-lacks", fields=names))
    document = {
        "case": case,
        "to": recipient.id,
        "purpose": purpose,
        "decisions": decided_document(decided),
        "missing": [field.code for field in lacking],
    }
    return Said(document=document, lines=lines)


@verb(referral, "send", *_TO, *PARTS, *BASIS, *URGENCY, LATER)
def send(desk: Desk, *, case: str, to: str, purpose: str, **said: Any) -> Said:
    """Decide, seal and send a referral. One refused part refuses the whole; nothing is sent then."""
    with desk.open() as connector:
        recipient = desk.agency(connector, to)
        written = letter(desk, connector, case=case, recipient=recipient, purpose=purpose, said=said)
        return _sent(desk, connector, ready(desk, connector, written, said))


@verb(
    referral,
    "reply",
    argument("referral", Id()),
    option("--kind", Code("message_kind"), default="reply"),
    *PARTS,
    *BASIS,
    LATER,
)
def reply(desk: Desk, *, referral: str, kind: str, **said: Any) -> Said:
    """Send a further message in a referral's thread, either way."""
    with desk.open() as connector:
        seen = connector.hub.referral(referral)
        recipient = desk.agency(connector, other_side(connector, seen))
        written = letter(desk, connector, case=seen.case, recipient=recipient, purpose=seen.purpose, said=said)
        written = in_thread(written, seen, MessageKind(kind))
        return _sent(desk, connector, ready(desk, connector, written, said))


@verb(
    referral,
    "list",
    option("--role", Code("referral_role")),
    option("--state", Code("referral_state")),
    option("--case", Id()),
    flag("--overdue"),
)
def list_referrals(desk: Desk, *, role: str | None, state: str | None, case: str | None, overdue: bool) -> Said:
    """List the referrals that we send, receive or coordinate."""
    with desk.open() as connector:
        found = list(connector.hub.referrals(role=role, state=state, overdue=overdue or None, case=case))
        rows = [
            (
                one.id,
                desk.name_of(connector, one.sender),
                desk.name_of(connector, one.recipient),
                desk.label("purposes", one.purpose),
                desk.label("referral_state", one.state),
                desk.name_of(connector, one.awaiting),
                saying.moment(one.due_at) + (f" {desk.text('overdue')}" if one.overdue else ""),
            )
            for one in found
        ]
    head = desk.head("id", "sender", "recipient", "purpose", "state", "awaiting", "due")
    return Said(document={"referrals": found}, lines=saying.table(head, rows))


@verb(referral, "show", argument("referral", Id()))
def show(desk: Desk, *, referral: str) -> Said:
    """Show one referral with all that went on around it."""
    with desk.open() as connector:
        seen = connector.hub.referral(referral)
        lines = [*standing_lines(desk, connector, seen), *_around(desk, connector, seen)]
    return Said(document=seen, lines=lines)


@verb(
    referral,
    "refer-on",
    argument("referral", Id()),
    option("--to", required=True),
    option("--purpose", Code("purposes")),
    option("--reason", Code("unusual_move_reason")),
    *PARTS,
    *BASIS,
    *URGENCY,
)
def refer_on(desk: Desk, *, referral: str, to: str, purpose: str | None, reason: str | None, **said: Any) -> Said:
    """Refer a declined need on, decided anew for the next agency; with a reason, as a conference decided."""
    with desk.open() as connector:
        connector.push()
        seen = connector.hub.referral(referral)
        recipient = desk.agency(connector, to)
        written = letter(
            desk, connector, case=seen.case, recipient=recipient, purpose=purpose or seen.purpose, said=said
        )
        written = ready(desk, connector, written, said)
        connector.push()
        message, sealed = _prepared(desk, connector, written)
        try:
            moved = connector.hub.refer_on(
                referral,
                sealed.manifest,
                sealed.parts,
                version=seen.version,
                reason=reason,
                telephone=written.telephone,
                idempotency_key=message,
            )
        except ProblemError:
            with connector.casebook.transaction() as connection:
                compose.refused(connection, sender=connector.agency, message=message)
            raise
        _keep_next(connector, message, sealed, moved.next.id, moved.next.message, moved.next.receipt)
        with connector.casebook.transaction() as connection:
            mirror.keep(connection, moved.referral)
            mirror.keep(connection, moved.next)
        lines = [desk.text("referred-on", id=moved.next.id), *standing_lines(desk, connector, moved.next)]
    return Said(document=moved, lines=lines)


def other_side(connector: Connector, seen: Referral) -> str:
    """Name the other party of a referral.

    *Raises* `CliError("not-a-party")`: we coordinate it and are neither.
    """
    sides = {seen.sender: seen.recipient, seen.recipient: seen.sender}
    if connector.agency not in sides:
        raise CliError("not-a-party")
    return sides[connector.agency]


def in_thread(written: Letter, seen: Referral, kind: MessageKind) -> Letter:
    """Put a letter into a referral's thread."""
    members = {name: getattr(written, name) for name in Letter.__slots__}
    return Letter(**{**members, "kind": kind, "referral": seen.id, "thread": seen.thread})


def standing_lines(desk: Desk, connector: Connector, seen: Referral) -> list[str]:
    """Say where a referral stands: state, who answers for the person, whose turn it is, by when, what may be done."""
    lines = [
        desk.text("referral-is", id=seen.id, state=desk.label("referral_state", seen.state)),
        desk.text(
            "referral-between",
            sender=desk.name_of(connector, seen.sender),
            recipient=desk.name_of(connector, seen.recipient),
            purpose=desk.label("purposes", seen.purpose),
        ),
    ]
    if seen.ball:
        lines.append(
            desk.text(
                "referral-ball",
                ball=desk.name_of(connector, seen.ball),
                awaiting=desk.name_of(connector, seen.awaiting),
                due=saying.moment(seen.due_at),
            )
        )
    if seen.content_stopped:
        lines.append(desk.text("referral-stopped"))
    if seen.actions:
        lines.append(desk.text("referral-actions", actions=", ".join(seen.actions)))
    return lines


def _sent(desk: Desk, connector: Connector, written: Letter) -> Said:
    message = connector.send(written, staff=desk.staff)
    sent = desk.deliver(connector, message)
    with connector.casebook.transaction() as connection:
        between = frozenset({connector.agency, written.recipient})
        found = mirror.of_thread(connection, written.thread or message, between=between)
    document = {
        "message": message,
        "referral": found.id if found else written.referral,
        "sent": sent,
        "categories": [part.category for part in written.parts],
    }
    key = "message-sent" if sent else "message-kept"
    return Said(document=document, lines=[desk.text(key, message=message, referral=document["referral"] or "-")])


def _prepared(desk: Desk, connector: Connector, written: Letter) -> tuple[str, Sealed]:
    with connector.casebook.transaction() as connection:
        return compose.prepare(connection, written, connector.pen(desk.staff), own=connector.own_key())


def _keep_next(connector: Connector, message: str, sealed: Sealed, referral: str, hub_id: str, receipt: str) -> None:
    """Keep the hub's word for the message that began the next referral, once it is seen to be about that message."""
    record = proofs.read_receipt(connector, receipt)
    if (record.message, record.manifest) != (message, manifest_hash(sealed.manifest)):
        raise CliError("receipt-strange")
    with connector.casebook.transaction() as connection:
        compose.accepted(
            connection,
            sender=connector.agency,
            message=message,
            referral=referral,
            hub_id=hub_id,
            receipt=receipt,
        )


def _around(desk: Desk, connector: Connector, seen: ReferralDetail) -> list[str]:
    moves = [
        desk.text(
            "move-made",
            at=saying.moment(one.at),
            event=desk.label("referral_move", one.event),
            state=desk.label("referral_state", one.to),
            agency=desk.name_of(connector, one.agency) or desk.text("the-hub"),
        )
        for one in seen.history
    ]
    deliveries = [
        desk.text(
            "delivery-is",
            at=saying.moment(one.accepted_at),
            kind=desk.label("message_kind", one.kind),
            sender=desk.name_of(connector, one.sender),
            state=desk.label("delivery_state", one.delivery),
        )
        for one in seen.deliveries
    ]
    return [*moves, *deliveries, *going_lines(desk, seen), *follow_up_lines(desk, seen)]


def going_lines(desk: Desk, seen: ReferralDetail) -> list[str]:
    """Write a referral's accompaniments."""
    return [
        desk.text(
            "going-is",
            n=one.n,
            on=one.on,
            state=desk.label("accompaniment_state", one.state),
            purpose=desk.label("accompaniment_purpose", one.purpose),
            result=desk.label("accompaniment_result", one.result),
        )
        for one in seen.accompaniments
    ]


def follow_up_lines(desk: Desk, seen: ReferralDetail) -> list[str]:
    """Write a referral's follow-ups."""
    return [
        desk.text(
            "follow-up-is",
            n=one.n,
            due=one.due_on,
            done=saying.moment(one.done_at) or "-",
            result=desk.label("follow_up_result", one.result),
        )
        for one in seen.follow_ups
    ]
