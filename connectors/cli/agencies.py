# SPDX-License-Identifier: Apache-2.0
"""`tsunagi agency`: found this agency, show it, list the directory."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Final

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import directory
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.frame import LATER, Noun, flag, option, verb
from connectors.cli.kinds import Code
from connectors.cli.saying import Said
from connectors.keystore.keyfile import SHORTEST_PASSPHRASE
from connectors.keystore.keystore import KEYS_FILE, ROOT_FILE
from connectors.sdk.problems import ProblemError
from connectors.sdk.session import HubSession
from connectors.sync.registration import (
    REQUEST_FILE,
    SETTINGS_FILE,
    Applicant,
    NewAgency,
    Profile,
    create_agency,
    read_settings,
)
from consent import keys
from consent.jwk import KeyUse, PublicKey
from consent.vocabulary.codes import Language

agency: Final = Noun("agency")
_MADE: Final = (SETTINGS_FILE, REQUEST_FILE, KEYS_FILE, ROOT_FILE)


@verb(
    agency,
    "init",
    option("--kind", Code("recipients"), required=True),
    option("--name", required=True),
    option("--name-en"),
    option("--hub", required=True),
    option("--category", Code("categories"), many=True),
    option("--purpose", Code("purposes"), many=True),
    option("--area", many=True),
    option("--hours", default=""),
    flag("--coordinates"),
)
def init(  # what a registration says, each by name
    desk: Desk,
    *,
    kind: str,
    name: str,
    name_en: str | None,
    hub: str,
    category: tuple[str, ...],
    purpose: tuple[str, ...],
    area: tuple[str, ...],
    hours: str,
    coordinates: bool,
) -> Said:
    """Make the agency's folder; nothing is left behind where that fails."""
    folder = desk.home()
    profile = Profile(
        area=area,
        hours=hours,
        categories=frozenset(category),
        purposes=frozenset(purpose),
        coordinates=coordinates,
    )
    applicant = Applicant(kind=kind, name_ja=name, name_en=name_en or name, hub=hub, profile=profile)
    _check_url(desk, hub)
    if (folder / SETTINGS_FILE).exists():
        raise ConnectorError("agency-file-exists", folder=str(folder))
    passphrase = desk.passphrase(new=True)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ConnectorError("passphrase-too-short")
    new = _create(desk, folder, passphrase, applicant)
    words = {"ja": new.words, "en": new.words_en}
    document = {
        "agency": new.settings.agency,
        "kind": kind,
        "folder": folder,
        "registration": new.request,
        "fingerprint": words,
    }
    lines = [
        desk.text("agency-made", name=name, folder=folder),
        desk.text("agency-id", id=new.settings.agency),
        desk.text("agency-request", file=new.request),
        desk.text("agency-words"),
        "  " + " ".join(words[desk.language]),
        desk.text("agency-root-key", file=folder / ROOT_FILE),
    ]
    return Said(document=document, lines=lines)


@verb(agency, "show", LATER)
def show(desk: Desk) -> Said:
    """Show what this folder is, and how the hub sees it."""
    settings = read_settings(desk.home())
    document = {**saying.plain(settings), "state": None}
    with desk.open() as connector:
        try:
            document["state"] = None if desk.later else connector.hub.agency(settings.agency).state
        except (HubAwayError, ProblemError) as away:
            desk.notes.append(away.says(desk.language))
        except ConnectorError as refused:
            if refused.code != "not-authorised":
                raise
            document["state"] = "not_admitted"
    lines = [
        f"{settings.name_ja} ({settings.name_en})",
        desk.text("agency-id", id=settings.agency),
        desk.text("agency-kind", kind=desk.label("recipients", settings.kind)),
        desk.text("agency-hub", url=settings.hub),
    ]
    if document["state"]:
        lines.append(desk.text("agency-state", state=desk.label("agency_state", str(document["state"]))))
    return Said(document=document, lines=lines)


@verb(agency, "list", option("--kind", Code("recipients")), LATER)
def list_agencies(desk: Desk, *, kind: str | None) -> Said:
    """List the directory, fetched anew where the hub answers."""
    with desk.open() as connector:
        desk.if_hub_answers(connector.fetch_directory)
        with connector.casebook.transaction() as connection:
            known = directory.agencies(connection, kind=kind)
    shown = [
        {"id": one.id, "kind": one.kind, "name": {"ja": one.name_ja, "en": one.name_en}, "state": one.state}
        for one in known
    ]
    rows = [
        (
            one.id,
            one.name_ja if desk.language == "ja" else one.name_en,
            desk.label("recipients", one.kind),
            desk.label("agency_state", one.state),
        )
        for one in known
    ]
    return Said(document={"agencies": shown}, lines=saying.table(desk.head("id", "name", "kind", "state"), rows))


def fingerprint(folder: Path) -> dict[Language, tuple[str, ...]]:
    """Give the words of the root key from the request to join, which holds its public half.

    *Raises* `ConnectorError("configuration-bad")`.
    """
    try:
        root = PublicKey.from_jwk(json.loads((folder / REQUEST_FILE).read_bytes())["root"], KeyUse.ROOT)
    except (OSError, ValueError, KeyError, TypeError):
        raise ConnectorError("configuration-bad", file=REQUEST_FILE, where="root") from None
    return {"ja": keys.fingerprint_words(root, "ja"), "en": keys.fingerprint_words(root, "en")}


def _check_url(desk: Desk, url: str) -> None:
    HubSession(url=url, client_id="-", key=partial(keys.generate, KeyUse.CLIENT), clock=desk.around.clock)


def _create(desk: Desk, folder: Path, passphrase: str, applicant: Applicant) -> NewAgency:
    """Create the agency, or leave the disk as it was."""
    was_there = folder.exists()
    before = {name for name in _MADE if (folder / name).exists()}
    try:
        return create_agency(folder, passphrase, applicant, now=desk.around.clock())
    except BaseException:
        for name in set(_MADE) - before:
            if folder.is_dir():
                (folder / name).unlink(missing_ok=True)
        if not was_there and folder.is_dir():
            folder.rmdir()
        raise
