# SPDX-License-Identifier: Apache-2.0
"""How an agency comes into being: a folder with keys, a casebook, a settings file, and the request to join the hub.

The settings file `agency.json` holds nothing secret. The request goes to the hub's operator by hand; the root key's
words are confirmed on the telephone (protocol §3).
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connectors.base.errors import ConnectorError
from connectors.keystore.keyfile import Stretching
from connectors.keystore.keystore import Keystore, create_keystore
from connectors.sdk.reading import read
from connectors.sync.station import WhenLate
from consent import keys
from consent.ids import RANDOM_BYTES, uuid7
from consent.jwk import PublicKey
from consent.registration import Capacity, Registration, read_registration, write_registration

SETTINGS_FILE: Final = "agency.json"
REQUEST_FILE: Final = "registration.json"
_FIRST_USES: Final = (keys.KeyUse.SIG, keys.KeyUse.ENC, keys.KeyUse.CLIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencySettings:
    """What `agency.json` holds: which agency this is, and where its hub is (`hub` is the hub's public origin)."""

    agency: str
    kind: str
    name_ja: str
    name_en: str
    hub: str
    client_id: str
    late_witnesses: WhenLate = "warn"
    """What it means that the witnesses of the hub's log are late, as the network has agreed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the directory is to say of a new agency besides its name; all may be left out."""

    services: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    hours: str = ""
    answer_days: int | None = None
    capacity: Capacity = "open"
    categories: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    coordinates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgency:
    """What came into being: the request for the operator, and the words that are confirmed on the telephone."""

    settings: AgencySettings
    request: Path
    words: tuple[str, ...]
    words_en: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who wants to join: kind (a recipient code), names, the hub's origin; an id is made up unless given."""

    kind: str
    name_ja: str
    name_en: str
    hub: str
    agency: str | None = None
    profile: Profile = field(default_factory=Profile)


def create_agency(
    folder: Path, passphrase: str, applicant: Applicant, *, now: datetime, stretching: Stretching | None = None
) -> NewAgency:
    """Make an agency's folder: keys under the passphrase, settings, and the request to join.

    `stretching`: for a passphrase that a machine drew (`keyfile.DRAWN`); without it, that of people's passphrases.

    *Raises* `ConnectorError`: `agency-file-exists`, `keystore-exists`, `passphrase-too-short`, `folder-unwritable`;
    `DocumentRefusedError` for a kind, name or profile that the hub would refuse.
    """
    if (folder / SETTINGS_FILE).exists():
        raise ConnectorError("agency-file-exists", folder=str(folder))
    agency = applicant.agency or uuid7(now, secrets.token_bytes(RANDOM_BYTES))
    settings = AgencySettings(
        agency=agency,
        kind=applicant.kind,
        name_ja=applicant.name_ja,
        name_en=applicant.name_en,
        hub=applicant.hub.rstrip("/"),
        client_id=agency,
    )
    _make_folder(folder)
    made = create_keystore(folder, passphrase, agency=agency, now=now, stretching=stretching)
    document = registration_request(settings, applicant.profile, made.store, made.root)
    _write(folder / REQUEST_FILE, document)
    _write(folder / SETTINGS_FILE, json.dumps(asdict(settings), ensure_ascii=False, indent=1).encode())
    return NewAgency(
        settings=settings,
        request=folder / REQUEST_FILE,
        words=keys.fingerprint_words(made.root, "ja"),
        words_en=keys.fingerprint_words(made.root, "en"),
    )


def registration_request(settings: AgencySettings, profile: Profile, store: Keystore, root: PublicKey) -> bytes:
    """Write the request to join, read back as the hub will read it.

    *Raises* `DocumentRefusedError`.
    """
    signed = {held.entry.use: held.signed for held in store.held if held.entry.seq == 1}
    said: dict[str, Any] = {name: getattr(profile, name) for name in Profile.__slots__}
    document = Registration(
        agency=settings.agency,
        kind=settings.kind,
        name_ja=settings.name_ja,
        name_en=settings.name_en,
        root=root.jwk(),
        entries=tuple(signed[use] for use in _FIRST_USES),
        **said,
    )
    written = write_registration(document)
    read_registration(written)
    return written


def read_settings(folder: Path) -> AgencySettings:
    """Read `agency.json`.

    *Raises* `ConnectorError`: `folder-missing`, `configuration-bad`.
    """
    path = folder / SETTINGS_FILE
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConnectorError("folder-missing", folder=str(folder)) from None
    except (OSError, ValueError):
        raise ConnectorError("configuration-bad", file=path.name, where="JSON") from None
    try:
        return read(AgencySettings, document)
    except ConnectorError:
        raise ConnectorError("configuration-bad", file=path.name, where="members") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(folder)) from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError:
        raise ConnectorError("folder-unwritable", folder=str(path.parent)) from None
