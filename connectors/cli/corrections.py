# SPDX-License-Identifier: Apache-2.0
"""`tsunagi correction`: tell whoever received something wrong what is right, and see who has confirmed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes
from connectors.casebook import corrections, earlier
from connectors.casebook.corrections import Made, Told, Wording
from connectors.casebook.earlier import Addressee
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import LATER, Noun, argument, flag, option, verb
from connectors.cli.kinds import Code, Id, content
from connectors.cli.letters import learn
from connectors.cli.saying import Said
from connectors.cli.texts import is_text
from connectors.sync.connector import Connector

correction: Final = Noun("correction")
_ABOUT: Final = (argument("message", Id()), option("--category", Code("categories"), required=True))
_REASONS: Final = "decision_reasons"


@verb(correction, "preview", *_ABOUT, LATER)
def preview(desk: Desk, *, message: str, category: str) -> Said:
    """List who received a category of the person from us, who would be told now, and who cannot be and why."""
    with desk.open() as connector:
        found = _reach(desk, connector, message, category)
        lines = [_addressee_line(desk, connector, one) for one in found]
    lines = lines or [desk.text("correction-nobody")]
    return Said(
        document={"message": message, "category": category, "told": [_document(one) for one in found]}, lines=lines
    )


@verb(
    correction, "send", *_ABOUT, option("--text", required=True), option("--to", Id(), many=True),
    flag("--not-my-number"), LATER,
)  # fmt: skip
def send(desk: Desk, *, message: str, category: str, text: str, to: Sequence[str], not_my_number: bool) -> Said:
    """Seal what is right for everybody who received the category, or for some of their referrals, and send it."""
    worker = desk.worker()
    try:
        said = content(text).body.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise CliError("file-not-text", file=text.removeprefix("@")) from None
    with desk.open() as connector:
        found = _reach(desk, connector, message, category)
        unknown = set(to) - {one.referral for one in found}
        if unknown:
            raise CliError("correction-to-unknown")
        with connector.casebook.transaction() as connection:
            case, _ = earlier.categories_of(connection, message, connector.agency)
            wording = Wording(
                id=connector.new_id(), case=case, message=message, category=category, text=said,
                acknowledged=not_my_number,
            )  # fmt: skip
            chosen = set(to) or {one.referral for one in found}
            sealed = corrections.make_known(connection, connector.pen(worker), wording, chosen, own=connector.own_key())
        desk.deliver(connector, *sealed)
        return _shown(desk, connector, wording.id)


@verb(correction, "list", argument("case", Id()))
def list_corrections(desk: Desk, *, case: str) -> Said:
    """List the corrections of a case that were made known here."""
    with desk.open() as connector:
        with connector.casebook.transaction() as connection:
            found = corrections.of_case(connection, case, connector.agency)
        rows = [
            (one.id, saying.moment(one.made_at), desk.label("categories", one.category), f"{one.open}/{len(one.told)}")
            for one in found
        ]
    lines = saying.table(desk.head("id", "at", "categories", "open"), rows) if rows else [desk.text("corrections-none")]
    return Said(document={"corrections": [_made(one) for one in found]}, lines=lines)


@verb(correction, "show", argument("correction", Id()), LATER)
def show(desk: Desk, *, correction: str) -> Said:
    """Show a correction: who has confirmed it, who has not, who could not be told and why."""
    with desk.open() as connector:
        referrals = {one.referral for one in _of(connector, correction).told if one.message}

        def ask() -> None:
            for referral in sorted(referrals):
                connector.refresh_referral(referral)

        desk.if_hub_answers(ask)
        return _shown(desk, connector, correction)


@verb(correction, "again", argument("correction", Id()), LATER)
def again(desk: Desk, *, correction: str) -> Said:
    """Tell whoever could not be told and may be now, in the words that were written."""
    worker = desk.worker()
    with desk.open() as connector:
        learn(desk, connector, _of(connector, correction).case)
        connector.renew_statuses()
        with connector.casebook.transaction() as connection:
            sealed = corrections.try_again(connection, connector.pen(worker), correction, own=connector.own_key())
        desk.deliver(connector, *sealed)
        return _shown(desk, connector, correction)


@verb(
    correction, "told", argument("correction", Id()), argument("referral", Id()),
    option("--channel", Code("channel"), required=True),
)  # fmt: skip
def told(desk: Desk, *, correction: str, referral: str, channel: str) -> Said:
    """Note that an agency heard of it in another way; where consent forbids the content, that is no way either."""
    worker = desk.worker()
    with desk.open() as connector:
        with connector.casebook.transaction() as connection:
            corrections.note_told(connection, connector.pen(worker), correction, referral, channel=channel)
        return _shown(desk, connector, correction)


def _reach(desk: Desk, connector: Connector, message: str, category: str) -> tuple[Addressee, ...]:
    """Give who received a category, as consent stands now.

    *Raises* `ConnectorError`: `message-unknown`, `category-not-told`.
    """
    with connector.casebook.transaction() as connection:
        case, told_of = earlier.categories_of(connection, message, connector.agency)
    if category not in told_of:
        raise ConnectorError("category-not-told")
    learn(desk, connector, case)
    connector.renew_statuses()
    with connector.casebook.transaction() as connection:
        return earlier.reach(connection, connector.pen(desk.staff), case=case, category=category)


def _of(connector: Connector, correction: str) -> Made:
    with connector.casebook.transaction() as connection:
        found = corrections.made(connection, correction, connector.agency)
    if found is None:
        raise ConnectorError("correction-unknown")
    return found


def _shown(desk: Desk, connector: Connector, correction: str) -> Said:
    found = _of(connector, correction)
    head = desk.text(
        "correction-is", id=found.id, category=desk.label("categories", found.category), open=found.open,
        count=len(found.told),
    )  # fmt: skip
    return Said(document=_made(found), lines=[head, *(_told_line(desk, connector, one) for one in found.told)])


def _addressee_line(desk: Desk, connector: Connector, one: Addressee) -> str:
    name = desk.name_of(connector, one.agency)
    if one.is_reachable:
        return desk.text("correction-may", agency=name, referral=one.referral, parts=len(one.parts))
    return desk.text("correction-may-not", agency=name, referral=one.referral, why=_why(desk, one.why))


def _told_line(desk: Desk, connector: Connector, one: Told) -> str:
    name = desk.name_of(connector, one.agency)
    if one.confirmed_at is not None:
        how = desk.text("correction-confirmed", at=saying.moment(one.confirmed_at))
    elif one.told_at is not None:
        how = desk.text("correction-told", at=saying.moment(one.told_at), channel=desk.label("channel", one.told_how))
    elif one.is_sealed:
        how = desk.text("correction-open")
    else:
        how = _why(desk, one.why)
    return desk.text("correction-line", agency=name, referral=one.referral, how=how)


def _why(desk: Desk, why: str | None) -> str:
    if why in codes(_REASONS):
        return desk.label(_REASONS, why)
    key = f"correction-why:{why}"
    return desk.text(key if is_text(key) else "correction-why:other")


def _document(one: Addressee) -> dict[str, Any]:
    return {
        "agency": one.agency,
        "referral": one.referral,
        "parts": [{"message": part.message, "n": part.n} for part in one.parts],
        "may": one.is_reachable,
        "why": one.why,
        "remedy": one.remedy,
    }


def _made(found: Made) -> dict[str, Any]:
    return {**asdict(found), "open": found.open}
