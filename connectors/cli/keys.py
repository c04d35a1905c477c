# SPDX-License-Identifier: Apache-2.0
"""`tsunagi keys`: which keys there are, the next one of a use, the words of the root key (protocol §3)."""

from __future__ import annotations

from typing import Final

from connectors.base.errors import ConnectorError
from connectors.cli import saying
from connectors.cli.agencies import fingerprint as fingerprint_of
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, option, verb
from connectors.cli.kinds import Code
from connectors.cli.saying import Said
from connectors.keystore.keystore import HeldKey, open_keystore
from connectors.sdk.client import HubClient
from connectors.sdk.interface import Hub
from connectors.sdk.session import HubSession
from connectors.sync.connector import Connector
from consent.keys import KeyUse

keys: Final = Noun("keys")
_ORDER: Final = (KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT)


@verb(keys, "list")
def list_keys(desk: Desk) -> Said:
    """List the keys of the folder, old ones too."""
    store, now = open_keystore(desk.home(), desk.passphrase()), desk.around.clock()
    held = sorted(store.held, key=lambda key: (key.entry.use.value, -key.entry.seq))
    shown = [
        {
            "use": key.entry.use,
            "kid": key.entry.kid,
            "seq": key.entry.seq,
            "not_before": key.entry.not_before,
            "not_after": key.entry.not_after,
            "valid": key.entry.is_valid_at(now),
        }
        for key in held
    ]
    rows = [
        (
            desk.label("key_use", key.entry.use.value),
            str(key.entry.seq),
            saying.moment(key.entry.not_before),
            saying.moment(key.entry.not_after),
            desk.text("yes" if key.entry.is_valid_at(now) else "no"),
            key.entry.kid,
        )
        for key in held
    ]
    head = desk.head("use", "seq", "from", "until", "valid", "kid")
    return Said(document={"keys": shown}, lines=saying.table(head, rows))


@verb(keys, "rotate", option("--use", Code("key_use"), required=True))
def rotate(desk: Desk, *, use: str) -> Said:
    """Make the next key of a use and publish it; what an earlier try left unpublished goes first."""
    with desk.open() as connector:
        passphrase = desk.passphrase()
        last = max((key.entry for key in connector.keystore.held if key.entry.use == use), key=lambda entry: entry.seq)
        if last.not_before > connector.now():  # it could not vouch for a next one yet
            raise CliError("key-not-begun", at=saying.moment(last.not_before))
        hub = _admitted(desk, connector)
        _publish_missing(connector, hub)
        connector.keystore.rotate(KeyUse(use), now=connector.now(), passphrase=passphrase)
        return _published(desk, connector, hub)


@verb(keys, "publish")
def publish(desk: Desk) -> Said:
    """Publish what is not published yet, because the hub was away when it was made."""
    with desk.open() as connector:
        return _published(desk, connector, _admitted(desk, connector))


@verb(keys, "fingerprint")
def fingerprint(desk: Desk) -> Said:
    """Say the words by which the operator knows the root key on the telephone."""
    words = fingerprint_of(desk.home())
    return Said(document={"fingerprint": words}, lines=[" ".join(words[desk.language])])


def _published(desk: Desk, connector: Connector, hub: Hub) -> Said:
    try:
        new = _publish_missing(connector, hub)
    except ConnectorError as failed:
        if failed.code not in {"hub-away", "not-authorised"}:
            raise
        raise CliError("key-unpublished") from None
    shown = [{"use": key.entry.use, "kid": key.entry.kid, "not_after": key.entry.not_after} for key in new]
    lines = [
        desk.text(
            "key-published",
            use=desk.label("key_use", key.entry.use.value),
            kid=key.entry.kid,
            since=saying.moment(key.entry.not_before),
            until=saying.moment(key.entry.not_after),
        )
        for key in new
    ]
    return Said(document={"published": shown}, lines=lines or [desk.text("keys-all-published")])


def _publish_missing(connector: Connector, hub: Hub) -> list[HeldKey]:
    known = {key.kid for key in hub.agency_keys(connector.agency).keys}
    missing = [key for key in connector.keystore.held if key.entry.kid not in known]
    missing.sort(key=lambda key: (_ORDER.index(key.entry.use), key.entry.seq))
    for key in missing:
        hub.publish_key(key.signed, idempotency_key=key.entry.kid)
    return missing


def _admitted(desk: Desk, connector: Connector) -> Hub:
    """Speak with the newest client key that the hub knows: one that is not published yet opens no door.

    *Raises* `ConnectorError("not-authorised")`, `HubAwayError`.
    """
    now, refusal = connector.now(), ConnectorError("key-missing", use=KeyUse.CLIENT.value)
    held = [key for key in connector.keystore.held if key.entry.use is KeyUse.CLIENT and key.entry.is_valid_at(now)]
    for key in sorted(held, key=lambda one: -one.entry.seq):
        hub = _speaking_with(desk, connector, key)
        try:
            hub.agency(connector.agency)
        except ConnectorError as refused:
            if refused.code != "not-authorised":
                raise
            refusal = refused
        else:
            return hub
    raise refusal


def _speaking_with(desk: Desk, connector: Connector, key: HeldKey) -> Hub:
    if key.private.kid == connector.keystore.current(KeyUse.CLIENT, connector.now()).kid:
        return connector.hub
    session = HubSession(
        url=connector.settings.hub,
        client_id=connector.settings.client_id,
        key=lambda: key.private,
        clock=connector.clock,
        language=desk.language,
    )
    return HubClient(session)
