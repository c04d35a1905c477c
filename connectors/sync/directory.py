# SPDX-License-Identifier: Apache-2.0
"""Learn who is there: every key entry is verified up to the agency's root key, and the root is pinned at first sight.

What the hub says of a key can only take away from it: an end that it sets is believed, a key without vouching is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from connectors.base.errors import ConnectorError
from connectors.casebook import directory, marks
from connectors.casebook.directory import KnownAgency, KnownKey
from connectors.sdk.answers import Agency, AgencyKeys, PublishedKey
from connectors.sync import proofs
from connectors.sync.station import Station
from consent import keys, signing
from consent.errors import SignatureRefusedError, TsunagiError
from consent.jwk import KeyUse, PublicKey
from consent.keys import KeyEntry
from consent.signing import Typ

_OWN_KEY: Final = "own-key:"
_SUSPICIONS: Final = frozenset({"root-changed", "key-entry-bad", "proof-bad", "hub-keys-changed", "own-keys-foreign"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """An agency whose keys are not believed: `code` is the sentence that a person must read."""

    agency: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How many agencies are new or changed, and which are not to be believed; what was known of those stays."""

    changed: int
    suspects: tuple[Suspect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    entry: KeyEntry
    key: PublicKey
    until: datetime

    def vouches_at(self, at: datetime) -> bool:
        return self.entry.not_before <= at < self.until


def fetch_directory(station: Station) -> Fetched:
    """Fetch the whole directory; the entries of an agency are fetched only where something of it is new.

    *Raises* `HubAwayError`, `ProblemError`.
    """
    changed, suspects = 0, []
    with station.casebook.transaction() as connection:
        known = {one.id: one for one in directory.agencies(connection)}
    for shown in station.hub.agencies():
        if _is_as_known(known.get(shown.id), shown, station.now()):
            continue
        try:
            keep_agency(station, shown)
            changed += 1
        except ConnectorError as refused:
            if refused.code not in _SUSPICIONS:
                raise
            suspects.append(Suspect(agency=shown.id, code=refused.code))
    return Fetched(changed=changed, suspects=tuple(suspects))


def fetch_agency(station: Station, agency: str) -> None:
    """Fetch one agency anew.

    *Raises* `ConnectorError`: `root-changed`, `key-entry-bad`; `ProblemError`, `HubAwayError`.
    """
    keep_agency(station, station.hub.agency(agency))


def keep_agency(station: Station, shown: Agency) -> None:
    """Verify an agency's key entries and keep it.

    An entry that is not proved to be in the log yet is left for the next round, and what follows it in its chain too.

    *Raises* `ConnectorError`: `root-changed`, another root key than the one first seen; `key-entry-bad`; `proof-bad`,
    `log-forked`; `own-keys-foreign`, a key of our own that we never made.
    """
    published = station.hub.agency_keys(shown.id)
    try:
        verified = verify_keys(replace(published, keys=_logged(station, published.keys)), agency=shown.id)
    except TsunagiError:
        raise ConnectorError("key-entry-bad", agency=shown.id) from None
    if shown.id == station.agency and not all(_is_ours(station, key.kid) for key in verified):
        raise ConnectorError("own-keys-foreign")
    known = KnownAgency(
        id=shown.id,
        kind=shown.kind,
        name_ja=shown.name.get("ja", ""),
        name_en=shown.name.get("en", ""),
        state=shown.state,
        root=published.root,
        keys=verified,
    )
    with station.casebook.transaction() as connection:
        directory.keep(connection, known, now=station.now())


def know_own_keys(station: Station) -> None:
    """Note our keys before they are published, for other processes of this agency that opened the keystore earlier."""
    with station.casebook.transaction() as connection:
        for held in station.keystore.held:
            marks.remember(connection, _OWN_KEY + held.private.kid, held.entry.use.value)


def _is_ours(station: Station, kid: str) -> bool:
    if any(held.private.kid == kid for held in station.keystore.held):
        return True
    with station.casebook.transaction() as connection:
        return marks.recall(connection, _OWN_KEY + kid) is not None


def _logged(station: Station, published: Iterable[PublishedKey]) -> tuple[PublishedKey, ...]:
    """Keep the entries that are proved to be in the log, each chain up to the first that is not (protocol §3).

    *Raises* `ConnectorError`: `proof-bad`, `log-forked`; `TsunagiError` for what is no key entry.
    """
    kept: list[PublishedKey] = []
    for _, chain in _chains(published):
        for key in chain:
            if key.logged is None or key.proof is None:
                break
            entry = proofs.verify_entry(station, key.logged, key.proof)
            kind, facts = str(entry.get("kind")), proofs.facts_of(entry)
            if not kind.startswith("key:") or facts.get("entry") != keys.entry_hash(keys.peek_entry(key.signed)):
                raise ConnectorError("proof-bad")
            kept.append(key)
    return tuple(kept)


def verify_keys(published: AgencyKeys, *, agency: str) -> tuple[KnownKey, ...]:
    """Verify every chain of an agency's key entries with its root key (protocol §3); newest first.

    *Raises* `SignatureRefusedError`, `DocumentRefusedError`, `SealRefusedError`: the first entry that does not hold.
    """
    root = PublicKey.from_jwk(published.root, KeyUse.ROOT)
    chains = _chains(published.keys)
    sigs: list[_Verified] = []
    found = []
    # the sig chain first: it vouches for enc keys and for every removal
    for use, chain in sorted(chains, key=lambda named: named[0] != KeyUse.SIG):
        verified = _verify_chain(chain, agency=agency, root=root, sigs=sigs)
        if use == KeyUse.SIG:
            sigs = verified
        found += verified
    newest_first = sorted(found, key=lambda one: -one.entry.seq)
    return tuple(_known(one) for one in newest_first)


def _chains(published: Iterable[PublishedKey]) -> list[tuple[str, list[PublishedKey]]]:
    ordered = sorted(published, key=lambda key: (key.use, key.suite or "", key.seq))
    return [(use, list(chain)) for (use, _), chain in groupby(ordered, key=lambda key: (key.use, key.suite))]


def _verify_chain(chain: list[PublishedKey], *, agency: str, root: PublicKey, sigs: list[_Verified]) -> list[_Verified]:
    entries: list[KeyEntry] = []
    held: dict[str, _Verified] = {}
    for shown in chain:
        removal = shown.removal and shown.kid in held
        # a chain of sig keys vouches for itself as it grows
        behind = sigs if removal or shown.use == KeyUse.ENC else []
        previous = _voucher(shown, [*behind, *held.values()])
        entry = keys.read_entry(
            shown.signed, previous=previous, root=root if shown.signed.by_root else None, removal=removal
        )
        if (entry.agency, entry.use.value, entry.kid) != (agency, shown.use, shown.kid):
            raise SignatureRefusedError("key-not-valid")
        entries.append(entry)
        before = held.get(entry.kid)
        until = min(entry.not_after, shown.ends_at, before.until if before else entry.not_after)
        held[entry.kid] = _Verified(entry=before.entry if before else entry, key=entry.key(), until=until)
    keys.check_chain(entries)
    return list(held.values())


def _voucher(shown: PublishedKey, candidates: Iterable[_Verified]) -> PublicKey | None:
    """Give the key behind `by_previous` if it was good when the entry was published."""
    token = shown.signed.by_previous
    if token is None:
        return None
    kid = signing.peek_kid(token, typ=Typ.KEY)
    return next((one.key for one in candidates if one.key.kid == kid and one.vouches_at(shown.published_at)), None)


def _known(one: _Verified) -> KnownKey:
    return KnownKey(
        use=one.entry.use.value,
        kid=one.entry.kid,
        jwk=one.entry.jwk,
        not_before=one.entry.not_before.isoformat(),
        not_after=one.until.isoformat(),
    )


def _is_as_known(known: KnownAgency | None, shown: Agency, now: datetime) -> bool:
    if known is None:
        return False
    # those that have not begun as well: who was away on the day of a rotation still knows the key when it is used
    lasting = {(key.kid, key.not_after) for key in known.keys if now < datetime.fromisoformat(key.not_after)}
    said = {(key.kid, key.ends_at.isoformat()) for key in (*shown.keys, *shown.next_keys)}
    names = (shown.kind, shown.state, shown.name.get("ja", ""), shown.name.get("en", ""))
    return lasting == said and names == (known.kind, known.state, known.name_ja, known.name_en)
