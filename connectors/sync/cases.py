# SPDX-License-Identifier: Apache-2.0
"""Learn how cases stand: consents and statuses verified with their signer's key, refusals, withdrawals, closure.

What only takes away (a withdrawal, a refusal, an end) is believed from the hub; what permits needs a signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, directory, meetings, people, statements, steps
from connectors.sdk.answers import Consent, Exclusion
from connectors.sdk.problems import ProblemError
from connectors.sync.directory import fetch_agency
from connectors.sync.station import NOT_FOUND, SYSTEM, Station
from consent import receipts
from consent.errors import SignatureRefusedError, TsunagiError
from consent.receipts import ConsentRecord, StatusRecord
from consent.scopes import Exclusion as Refusal
from consent.scopes import Withdrawal

Shown = TypeVar("Shown")


def refresh_case(station: Station, case: str, *, named: Iterable[str] = ()) -> None:
    """Learn all that we may know of a case; `named` are consents that a message relies on, fetched one by one.

    A partner that is named by kind only does not see the case, but the records and refusals that name its kind. A
    record that cannot be verified counts for nothing, and the access log says so.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    shown = _seen(lambda: station.hub.case(case))
    consents = {one.id: one for one in _seen(lambda: list(station.hub.consents(case))) or ()}
    exclusions = _seen(lambda: station.hub.exclusions(case)) or ()
    consents |= _named(station, set(named) - consents.keys(), case)
    _know_signers(station, {one.agency for one in consents.values()} | {one.agency for one in exclusions})
    with station.casebook.transaction() as connection:
        if shown is not None:
            now = station.now()
            people.keep_case(connection, handle=case, owner=shown.owner, closed_at=shown.closed_at, now=now)
            steps.keep_detail(connection, shown, now=now)
        for consent in consents.values():
            _keep_consent(connection, station, consent, case)
        for exclusion in exclusions:
            _keep_exclusion(connection, exclusion, case)


def refresh_meetings(station: Station) -> None:
    """Learn of the meetings we were invited to or have convened: who has accepted, the codes, until when they last.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    with station.casebook.transaction() as connection:
        known = meetings.versions_at_hub(connection)
    changed = [one.id for one in station.hub.meetings() if known.get(one.id) != one.version]
    found = [station.hub.meeting(one) for one in changed]
    with station.casebook.transaction() as connection:
        for meeting in found:
            meetings.keep_at_hub(connection, meeting)


def _seen(ask: Callable[[], Shown]) -> Shown | None:
    """Give what the hub shows us, or None where there is nothing for us to see."""
    try:
        return ask()
    except ProblemError as problem:
        if problem.status != NOT_FOUND:
            raise
        return None


def _named(station: Station, wanted: Iterable[str], case: str) -> dict[str, Consent]:
    found = (_seen(partial(station.hub.consent, consent)) for consent in wanted)
    return {one.id: one for one in found if one is not None and one.case == case}


def _know_signers(station: Station, signers: Iterable[str]) -> None:
    """Fetch the agencies whose signatures are to be verified and that are not known yet."""
    with station.casebook.transaction() as connection:
        known = {agency.id for agency in directory.agencies(connection)}
    for agency in set(signers) - known:
        try:
            fetch_agency(station, agency)
        except ProblemError as problem:
            if problem.status != NOT_FOUND:
                raise


def _keep_consent(connection: Connection, station: Station, shown: Consent, case: str) -> None:
    try:
        record = _verified(connection, shown, case)
    except (ConnectorError, TsunagiError):
        access.record(
            connection, staff=SYSTEM, action="consent:unverified", about=shown.id, case=case, now=station.now()
        )
        return
    statements.keep_consent(connection, record, shown.record, registered_at=shown.registered_at)
    if shown.superseded_at is not None:
        statements.keep_end(connection, record.id, record.agency, at=shown.superseded_at)
    _keep_status(connection, shown, record)
    for withdrawn in shown.withdrawals:
        taken = Withdrawal(
            id=f"{shown.id}@{withdrawn.at.isoformat()}",  # the hub names none; the same word again is the same row
            scopes=frozenset({shown.id}),
            to=frozenset(withdrawn.to),
            categories=frozenset(withdrawn.categories),
            at=withdrawn.at,
        )
        statements.keep_withdrawal(connection, taken, case, None)


def _verified(connection: Connection, shown: Consent, case: str) -> ConsentRecord:
    """Verify a record with the key that its signer had when it was registered."""
    kid, signer = receipts.peek_statement(shown.record, ConsentRecord)
    key = directory.signing_key(connection, signer, kid, at=shown.registered_at)
    record = receipts.read_statement(shown.record, ConsentRecord, key)
    if (record.id, record.agency, record.case) != (shown.id, shown.agency, case):
        raise SignatureRefusedError("wrong-type")
    return record


def _keep_status(connection: Connection, shown: Consent, record: ConsentRecord) -> None:
    """Keep the newest status if it holds; without one nothing is sealed, so a bad one needs no alarm of its own."""
    if shown.status is None:
        return
    try:
        kid, signer = receipts.peek_statement(shown.status.record, StatusRecord)
        key = directory.signing_key(connection, signer, kid, at=shown.status.as_of)
        status = receipts.read_statement(shown.status.record, StatusRecord, key)
    except (ConnectorError, TsunagiError):
        return
    said = (status.consent, status.agency, status.hash)
    if said == (record.id, record.agency, receipts.statement_hash(shown.record)):
        statements.keep_status(connection, record.id, record.agency, shown.status.record, as_of=status.as_of)


def _keep_exclusion(connection: Connection, shown: Exclusion, case: str) -> None:
    refusal = Refusal(
        id=shown.id,
        case=case,
        to=frozenset(shown.to),
        categories=frozenset(shown.categories),
        from_time=shown.from_time,
        revoked_at=shown.revoked_at,
    )
    statements.keep_exclusion(connection, refusal, shown.record)
