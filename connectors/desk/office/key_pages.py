# SPDX-License-Identifier: Apache-2.0
"""The agency's keys: how they stand, the next one of a use, publishing, the recovery kit for the safe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import segno
from flask import request, url_for
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.casebook import access, directory
from connectors.desk.office import rules
from connectors.desk.office.blueprint import blueprint
from connectors.desk.office.rules import Piece, Standing
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Visit
from connectors.keystore import keystore
from connectors.sdk.problems import ProblemError
from consent import wire
from consent.jwk import PublicKey
from consent.keys import KeyUse, fingerprint_words

_USES: Final = (KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT)
_WRONG: Final = frozenset({"wrong-passphrase", "keystore-missing", "key-not-begun", "folder-unwritable"})
FILES: Final = (keystore.KEYS_FILE, "casebook.db", "agency.json", keystore.ROOT_FILE)
"""What a copy of the agency's folder must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A public key as people compare it: in words by ear, in hexadecimal by eye."""

    words: str
    hex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """A key of ours as the page shows it."""

    use: str
    standing: str
    fingerprint: Fingerprint
    not_before: datetime
    not_after: datetime


@page(blueprint, "/office/keys", who=Access.ADMINISTRATOR)
def key_status(visit: Visit) -> tuple[str, int]:
    """Show the root key's fingerprint, the keys that are good now and those that follow."""
    with visit.book() as connection:
        root = _root(connection, visit)
    store = visit.site.connector.keystore
    is_root_here = (store.path.parent / keystore.ROOT_FILE).exists()
    return render("office/keystatus.html", shown=_shown(visit), root=root, is_root_here=is_root_here)


@page(blueprint, "/office/keys/<use>/rotate", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def rotate(visit: Visit, use: str) -> Response | tuple[str, int]:
    """Make the next key of a use and publish it at once: the hub must be there, and the passphrase right."""
    if use not in {one.value for one in _USES}:
        raise NotFound
    filled, connector = Filled.of_request(), visit.site.connector
    if request.method == "GET":
        return render("office/rotate.html", use=use)
    passphrase = filled.values.get("passphrase", "")
    try:
        connector.keystore.require(passphrase)
        connector.hub.agency(connector.agency)  # a key that nobody learns of helps nobody
        connector.keystore.rotate(KeyUse(use), now=visit.at, passphrase=passphrase)
    except HubAwayError:
        filled.blame("passphrase", "office.fault-hub-away")
    except ConnectorError as error:
        filled.blame("passphrase", f"office.fault-{error.code}" if error.code in _WRONG else "office.fault-rotation")
    except ProblemError:
        filled.blame("passphrase", "office.fault-rotation")
    if not filled.is_fine:
        return render_again("office/rotate.html", filled, use=use)
    _note(visit, "key:rotated", use)
    return _publish(visit, "office.rotated", "office.rotated-unpublished")


@page(blueprint, "/office/keys/publish", who=Access.ADMINISTRATOR, methods=("POST",))
def publish(visit: Visit) -> Response:
    """Publish whatever key of ours the hub does not have: after a rotation that lost the line in between."""
    return _publish(visit, "office.published", "office.not-published")


@page(blueprint, "/office/keys/kit", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def kit(visit: Visit) -> tuple[str, int]:
    """Print the sheets for the safe: whose keys these are, and the key file itself, sealed under its passphrase.

    The passphrase is asked, and printed nowhere: so the kit is known to open with the passphrase that people remember.
    """
    filled, store = Filled.of_request(), visit.site.connector.keystore
    with visit.book() as connection:
        root = _root(connection, visit)
    if request.method == "GET":
        return render("office/kit.html", kit=None)
    try:
        store.require(filled.values.get("passphrase", ""))
        cut = rules.pieces(json.dumps(json.loads(store.path.read_bytes()), separators=(",", ":")))
    except (ConnectorError, OSError, ValueError) as error:
        code = getattr(error, "code", "")
        filled.blame("passphrase", f"office.fault-{code}" if code in _WRONG else "office.fault-keystore-missing")
        return render_again("office/kit.html", filled, kit=None)
    _note(visit, "key:kit-made", str(len(cut)))
    made: dict[str, Any] = {"root": root, "files": FILES, "pictures": [(one, _picture(one)) for one in cut]}
    return render("office/kit.html", kit=made)


def _publish(visit: Visit, said: str, failed: str) -> Response:
    where = url_for("office.key_status")
    try:
        n = visit.site.connector.publish_keys()
    except HubAwayError:
        return see(where, said=failed, tone="wait")
    except (ConnectorError, ProblemError):
        return see(where, said=failed, tone="bad")
    if n:
        _note(visit, "key:published", str(n))
    return see(where, said=said, n=str(n))


def _note(visit: Visit, action: str, about: str) -> None:
    with visit.book() as connection:
        access.record(connection, staff=visit.me.id, action=action, about=about, now=visit.at)


def _root(connection: Connection, visit: Visit) -> Fingerprint | None:
    """Give the fingerprint of our root key as the directory holds it; none before the first round with the hub."""
    try:
        root = directory.agency(connection, visit.site.connector.agency).root
    except ConnectorError:
        return None
    return _fingerprint(PublicKey.from_jwk(root, KeyUse.ROOT), visit)


def _shown(visit: Visit) -> list[ShownKey]:
    held = visit.site.connector.keystore.held
    entries = [one.entry for one in held]
    found = []
    for one in sorted(held, key=lambda one: (_USES.index(one.entry.use), -one.entry.seq)):
        stands = rules.standing(one.entry, entries, visit.at)
        if stands is not Standing.OVER:
            fingerprint = _fingerprint(one.private.public, visit)
            times = {"not_before": one.entry.not_before, "not_after": one.entry.not_after}
            found.append(ShownKey(use=one.entry.use.value, standing=stands.value, fingerprint=fingerprint, **times))
    return found


def _fingerprint(key: PublicKey, visit: Visit) -> Fingerprint:
    words = " ".join(fingerprint_words(key, visit.language))
    return Fingerprint(words=words, hex=rules.in_groups(wire.from_base64url(key.kid).hex()))


def _picture(piece: Piece) -> str:
    return segno.make(piece.coded, error="m").svg_inline(scale=4, border=2, omitsize=False)
