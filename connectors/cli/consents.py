# SPDX-License-Identifier: Apache-2.0
"""`tsunagi consent`: what a person allowed, whether it counts now, and what was taken back or forbidden later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from connectors.casebook import listing, statements
from connectors.casebook.statements import KnownConsent
from connectors.casebook.words import keep_words
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.forms import last_day, partner_name, words_of
from connectors.cli.frame import LATER, Noun, argument, option, verb
from connectors.cli.kinds import Code, Id
from connectors.cli.saying import Said
from connectors.cli.texts import code_of
from connectors.sync.connector import Connector
from consent.receipts import ExclusionRecord, ExclusionRevocationRecord, WithdrawalRecord, sign_statement
from consent.scopes import ANY, Exclusion, Withdrawal, check_exclusion, signature_valid

consent: Final = Noun("consent")


@verb(consent, "list", argument("case", Id()), LATER)
def list_consents(desk: Desk, *, case: str) -> Said:
    """List the records of a case, what was forbidden, and what was taken back."""
    with desk.open() as connector:
        desk.if_hub_answers(lambda: connector.refresh_case(case))
        now = connector.now()
        with connector.casebook.transaction() as connection:
            listing.case_of(connection, case)
            known = statements.consents_of(connection, case)
            refusals = statements.exclusions_of(connection, case)
            taken = statements.withdrawals_of(connection, case)
        rows = [
            (
                one.record.id,
                ", ".join(partner_name(desk, connector, partner) for partner in one.record.partners),
                desk.labels("purposes", one.record.purposes),
                last_day(one.record.valid_until),
                desk.label("standing", standing(one, known, taken, now)),
            )
            for one in known
        ]
        lines = saying.table(desk.head("id", "partner", "purpose", "until", "state"), rows)
        lines += [
            desk.text(
                "forbidden",
                id=one.id,
                to=", ".join(_whom(desk, connector, whom) for whom in sorted(one.to)),
                categories=desk.labels("categories", one.categories),
            )
            for one in refusals
            if one.revoked_at is None
        ]
    shown = [_shown(one, standing(one, known, taken, now)) for one in known]
    return Said(document={"consents": shown, "exclusions": refusals, "withdrawals": taken}, lines=lines)


@verb(consent, "show", argument("consent", Id()))
def show(desk: Desk, *, consent: str) -> Said:
    """Show one record, all of it."""
    with desk.open() as connector:
        with connector.casebook.transaction() as connection:
            case = statements.case_of(connection, consent)
            known = [] if case is None else statements.consents_of(connection, case)
            taken = [] if case is None else statements.withdrawals_of(connection, case)
        one = next((each for each in known if each.record.id == consent), None)
        if one is None:
            raise CliError("record-unknown")
        record, state = one.record, standing(one, known, taken, connector.now())
        pairs = [
            ("partner", ", ".join(partner_name(desk, connector, partner) for partner in record.partners)),
            ("purpose", desk.labels("purposes", record.purposes)),
            ("categories", desk.labels("categories", record.categories)),
            ("direction", desk.label("direction", record.direction.value)),
            ("from", saying.moment(record.valid_from)),
            ("until", last_day(record.valid_until)),
            ("signature", f"{desk.label('signature', record.signature)} {saying.moment(record.signed_at)}"),
            ("written-by", record.written_by),
            ("state", desk.label("standing", state)),
            ("status", saying.moment(one.status_as_of)),
        ]
    return Said(document=_shown(one, state), lines=[f"{desk.text('head:' + key)}: {value}" for key, value in pairs])


@verb(consent, "status", argument("case", Id()), LATER)
def status(desk: Desk, *, case: str) -> Said:
    """Say of each record whether it counts now, and give our own signed word anew where it is due."""
    with desk.open() as connector:
        connector.renew_statuses()
        desk.deliver(connector)
        now = connector.now()
        with connector.casebook.transaction() as connection:
            listing.case_of(connection, case)
            known = statements.consents_of(connection, case)
            taken = statements.withdrawals_of(connection, case)
    states = [(one, standing(one, known, taken, now)) for one in known]
    rows = [(one.record.id, desk.label("standing", state), saying.moment(one.status_as_of)) for one, state in states]
    shown = [{"id": one.record.id, "state": state, "status_as_of": one.status_as_of} for one, state in states]
    return Said(document={"consents": shown}, lines=saying.table(desk.head("id", "state", "status"), rows))


@verb(
    consent,
    "withdraw",
    argument("case", Id()),
    option("--consent", Id(), many=True),
    option("--to", many=True),
    option("--category", Code("categories"), many=True),
    LATER,
)
def withdraw(
    desk: Desk, *, case: str, consent: tuple[str, ...], to: tuple[str, ...], category: tuple[str, ...]
) -> Said:
    """Take back what the person takes back; with nothing named, all of it. No reason is asked."""
    with desk.open() as connector:
        pen = connector.pen(desk.staff)
        record = WithdrawalRecord(
            id=pen.new_id(),
            agency=pen.agency,
            case=case,
            scopes=frozenset(consent),
            to=frozenset(_named(desk, connector, one) for one in to),
            categories=frozenset(category),
            at=pen.now,
        )
        with connector.casebook.transaction() as connection:
            listing.case_of(connection, case)
            own = {one.record.id for one in statements.consents_of(connection, case)}
            if not record.scopes <= own:
                raise CliError("record-unknown")
            statements.withdraw(connection, record, pen)
        sent = desk.deliver(connector, record.id)
    return Said(document={"withdrawal": record.id, "sent": sent}, lines=[desk.text("withdrawn", id=record.id)])


@verb(
    consent,
    "exclude",
    argument("case", Id()),
    option("--to", many=True, required=True),
    option("--category", Code("categories", ANY), many=True, required=True),
    option("--words", default=""),
    LATER,
)
def exclude(desk: Desk, *, case: str, to: tuple[str, ...], category: tuple[str, ...], words: str) -> Said:
    """Write down that the person does not want something told to somebody, whatever a form says."""
    told = words_of(words)
    with desk.open() as connector:
        pen = connector.pen(desk.staff)
        wanted = frozenset(_named(desk, connector, one) for one in to)
        exclusion = Exclusion(id=pen.new_id(), case=case, to=wanted, categories=frozenset(category), from_time=pen.now)
        check_exclusion(exclusion)
        with connector.casebook.transaction() as connection:
            listing.case_of(connection, case)
            digest = keep_words(connection, case=case, about=exclusion.id, text=told, staff=pen.staff, now=pen.now)
            record = ExclusionRecord(
                id=exclusion.id,
                agency=pen.agency,
                case=case,
                to=exclusion.to,
                categories=exclusion.categories,
                from_time=pen.now,
                words_digest=digest,
            )
            statements.exclude(connection, record, pen)
        sent = desk.deliver(connector, case, record.id)
    return Said(document={"exclusion": record.id, "sent": sent}, lines=[desk.text("excluded", id=record.id)])


@verb(consent, "revoke-exclusion", argument("case", Id()), argument("exclusion", Id()))
def revoke_exclusion(desk: Desk, *, case: str, exclusion: str) -> Said:
    """End a refusal because the person says so; the hub must answer, or nothing has changed."""
    with desk.open() as connector:
        with connector.casebook.transaction() as connection:
            if exclusion not in {one.id for one in statements.exclusions_of(connection, case)}:
                raise CliError("exclusion-unknown")
        pen = connector.pen(desk.staff)
        record = ExclusionRevocationRecord(id=pen.new_id(), agency=pen.agency, case=case, revokes=exclusion, at=pen.now)
        connector.push()
        connector.hub.revoke_exclusion(case, exclusion, sign_statement(record, pen.key), idempotency_key=record.id)
        connector.refresh_case(case)
    return Said(
        document={"exclusion": exclusion, "revoked": True}, lines=[desk.text("exclusion-revoked", id=exclusion)]
    )


def standing(one: KnownConsent, known: Iterable[KnownConsent], taken: Iterable[Withdrawal], now: datetime) -> str:
    """Say how a record stands now, for people; whether a part may go is decided elsewhere."""
    scope = one.record.scope()
    wholly = [word for word in taken if not word.to and not word.categories]
    if any(scope.id in word.scopes or (not word.scopes and scope.signed_at <= word.at) for word in wholly):
        return "withdrawn"
    if not signature_valid(scope, now):
        return "unsigned"
    if any(scope.id in other.record.supersedes for other in known):
        return "superseded"
    if now >= scope.valid_until:
        return "ended"
    if now < scope.valid_from:
        return "not_yet"
    return "live" if one.registered_at else "waiting"


def _shown(one: KnownConsent, state: str) -> dict[str, object]:
    return {
        **saying.plain(one.record),
        "state": state,
        "registered_at": one.registered_at,
        "status_as_of": one.status_as_of,
    }


def _named(desk: Desk, connector: Connector, said: str) -> str:
    if said == ANY:
        return ANY
    kind = code_of("recipients", said)
    return kind or desk.agency(connector, said).id


def _whom(desk: Desk, connector: Connector, whom: str) -> str:
    return desk.text("everybody-but-intake") if whom == ANY else partner_name(desk, connector, whom)
