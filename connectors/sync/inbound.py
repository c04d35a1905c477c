# SPDX-License-Identifier: Apache-2.0
"""Take in what waits for us: hand over, learn how the case stands, verify, open, keep, queue the receipt.

Each message of the inbox: 1. have it handed over; the hub decides again, and what it refuses is noted, never lost
2. verify its manifest with the sender's key 3. prove that the disclosure is in the audit log 4. learn what its case
permits, then decide, open and keep, in one transaction of the casebook (`casebook.receive`), which queues the receipt
whatever came of the parts. No transaction is open during a call.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import access, directory, receive, referrals
from connectors.casebook.receive import Arrived
from connectors.sdk.problems import ConsentRefusedError, PartDecision, ProblemError
from connectors.sdk.threads import HandedOver, Waiting
from connectors.sync import proofs, witnesses
from connectors.sync.cases import refresh_case
from connectors.sync.directory import fetch_agency
from connectors.sync.station import NOT_FOUND, SYSTEM, Station
from consent.envelope import manifest as manifests
from consent.envelope.manifest import ByConsent, Manifest
from consent.errors import TsunagiError
from consent.jwk import PublicKey
from consent.receipts import PartResult

_GONE: Final = 410
_PAUSES: Final = (0.1, 0.2, 0.4, 0.8)
"""Seconds to wait for the log's sequencer, which works every 100 ms."""
_OVERLAP: Final = timedelta(seconds=1)
"""Referrals changed in the same moment as the newest known one are asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What came of one message: `message` and `sender` name it in the casebook, `hub_id` at the hub.

    `outcome`: `opened`; `not_opened`, a part could not be used and the receipt says so; `refused`, consent does not
    reach any more and the hub has destroyed it (`decisions` says why); `gone`, destroyed for another reason;
    `unproved`, the audit log does not show it yet, so it is left for the next round; `unwitnessed`, the same until
    enough witnesses of the log are heard of again; `unbelievable`, its signature or
    proof does not hold (`code`), nothing was opened and the hub keeps it.
    """

    hub_id: str
    message: str
    sender: str
    outcome: str
    case: str | None = None
    referral: str | None = None
    results: tuple[PartResult, ...] = ()
    code: str | None = None
    decisions: tuple[PartDecision, ...] = ()


def collect(station: Station, *, wait: int = 0) -> tuple[Collected, ...]:
    """Take in everything that waits and is not here yet; with `wait`, wait so many seconds for something new.

    *Raises* `HubAwayError`, `ProblemError`, `ConnectorError("key-missing")`.
    """
    waiting = [one for one in station.hub.inbox(wait=wait) if not _is_known(station, one)]
    refresh_referrals(station)
    collected: list[Collected] = []
    patience: Sequence[float] = _PAUSES
    for one in waiting:
        if not witnesses.may_open(station, one.urgency):
            collected.append(_told(one, "unwitnessed", code="witnesses-late"))
            continue
        collected.append(_collect(station, one, patience=patience))
        if collected[-1].outcome == "unproved":
            patience = ()  # the log is behind; one wait for all is enough
    return tuple(collected)


def refresh_referrals(station: Station) -> int:
    """Bring the mirror of our referrals up to date; give how many changed.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    with station.casebook.transaction() as connection:
        seen = referrals.last_change(connection)
    changed = list(station.hub.referrals(updated_after=seen - _OVERLAP if seen else None))
    with station.casebook.transaction() as connection:
        for referral in changed:
            referrals.keep(connection, referral)
    return len(changed)


def _is_known(station: Station, waiting: Waiting) -> bool:
    """Say whether a message is here already: its receipt waits, or said that it could not be used."""
    with station.casebook.transaction() as connection:
        return receive.is_known(connection, waiting.message, waiting.sender)


def _collect(station: Station, waiting: Waiting, *, patience: Sequence[float]) -> Collected:
    try:
        handed = station.hub.collect(waiting.id)  # 1
    except ConsentRefusedError as refused:
        return _noted(station, waiting, "refused", code=refused.code, decisions=refused.decisions)
    except ProblemError as problem:
        if problem.status not in {NOT_FOUND, _GONE}:
            raise
        return _noted(station, waiting, "gone", code=problem.code)
    try:
        manifest = _verified(station, handed)  # 2
        disclosure = _proved(station, handed, manifest, patience=patience)  # 3
    except HubAwayError:
        raise
    except (ConnectorError, TsunagiError) as refused:
        if refused.code == "proof-missing":
            return _told(waiting, "unproved", code=refused.code)
        return _noted(station, waiting, "unbelievable", code=refused.code)
    if not witnesses.may_open(station, manifest.urgency):  # the hub's word of it was another
        return _told(waiting, "unwitnessed", code="witnesses-late")
    basis = manifest.basis
    named = [one.id for one in basis.consents] if isinstance(basis, ByConsent) else []
    refresh_case(station, manifest.case, named=named)
    return _take_in(station, waiting, handed, manifest, disclosure)  # 4


def _verified(station: Station, handed: HandedOver) -> Manifest:
    """Verify the manifest with the sender's key, fetching the sender anew where the key is not known here.

    *Raises* `ConnectorError`: `signer-unknown`, `root-changed`, `key-entry-bad`; `TsunagiError`.
    """
    kid, sender = manifests.peek(handed.manifest)
    try:
        key = _key(station, sender, kid)
    except ConnectorError:
        fetch_agency(station, sender)
        key = _key(station, sender, kid)
    return manifests.read_manifest(handed.manifest, key)


def _proved(
    station: Station, handed: HandedOver, manifest: Manifest, *, patience: Sequence[float]
) -> proofs.Disclosure:
    """Prove that this disclosure is in the log, waiting a little for the sequencer.

    *Raises* `ConnectorError`: `proof-missing`, `proof-bad`, `log-forked`.
    """
    record = proofs.read_receipt(station, handed.receipt)
    said = (record.sender, record.recipient, record.message, record.manifest)
    if said != (manifest.sender, manifest.recipient, manifest.id, manifests.manifest_hash(handed.manifest)):
        raise ConnectorError("proof-bad")
    for pause in patience:
        try:
            return proofs.prove_disclosure(station, record)
        except ConnectorError as missing:
            if missing.code != "proof-missing":
                raise
        time.sleep(pause)
    return proofs.prove_disclosure(station, record)


def _key(station: Station, sender: str, kid: str) -> PublicKey:
    with station.casebook.transaction() as connection:
        return directory.signing_key(connection, sender, kid, at=station.now())


def _take_in(
    station: Station, waiting: Waiting, handed: HandedOver, manifest: Manifest, disclosure: proofs.Disclosure
) -> Collected:
    pen, opening_keys = station.pen(), station.keystore.opening_keys()
    arrived = Arrived(
        hub_id=handed.id,
        referral=_referral(station, manifest),
        accepted_at=handed.accepted_at,
        manifest=handed.manifest,
        parts=handed.parts or (),
        receipt=handed.receipt,
        log_entry=disclosure.entry,
        log_proof=disclosure.proof,
    )
    try:
        with station.casebook.transaction() as connection:
            taken = receive.take_in(connection, arrived, pen, opening_keys=opening_keys)
    except (ConnectorError, TsunagiError) as refused:
        return _noted(station, waiting, "unbelievable", code=refused.code)
    results = tuple(part.result for part in taken)
    return Collected(
        hub_id=handed.id,
        message=manifest.id,
        sender=manifest.sender,
        outcome="opened" if all(result is PartResult.OK for result in results) else "not_opened",
        case=manifest.case,
        referral=arrived.referral,
        results=results,
    )


def _referral(station: Station, manifest: Manifest) -> str | None:
    """Name the referral whose thread this is; it may have begun after the mirror was brought up to date."""
    for fresh in (False, True):
        if fresh:
            refresh_referrals(station)
        with station.casebook.transaction() as connection:
            between = frozenset({manifest.sender, manifest.recipient})
            found = referrals.of_thread(connection, manifest.thread, between=between)
        if found is not None:
            return found.id
    return None


def _noted(
    station: Station, waiting: Waiting, outcome: str, *, code: str, decisions: tuple[PartDecision, ...] = ()
) -> Collected:
    """Note in the access log what could not be taken in, so that a person can ask why."""
    with station.casebook.transaction() as connection:
        action = f"message:{outcome}"
        access.record(connection, staff=SYSTEM, action=action, about=waiting.id, now=station.now())
    return _told(waiting, outcome, code=code, decisions=decisions)


def _told(waiting: Waiting, outcome: str, *, code: str, decisions: tuple[PartDecision, ...] = ()) -> Collected:
    return Collected(
        hub_id=waiting.id,
        message=waiting.message,
        sender=waiting.sender,
        outcome=outcome,
        code=code,
        decisions=decisions,
    )
