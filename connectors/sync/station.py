# SPDX-License-Identifier: Apache-2.0
"""What both directions work with: whose agency it is, its keys, its casebook, the hub and the clock."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from connectors.base.clock import Clock
from connectors.casebook.statements import Pen
from connectors.casebook.store import Casebook
from connectors.keystore.keystore import Keystore
from connectors.sdk.interface import Hub
from consent.ids import RANDOM_BYTES, uuid7
from consent.jwk import PublicKey
from consent.keys import KeyUse
from consent.tlog.policy import Policy

NOT_FOUND: Final = 404
SYSTEM: Final = "connector"
"""Who holds the pen when no person does; it stands in the access log."""


WhenLate = Literal["warn", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What an agency asks of the witnesses of the hub's log: their policy, and what a late quorum means."""

    policy: Policy = field(repr=False)
    when_late: WhenLate


@dataclass(frozen=True, kw_only=True)
class Station:
    """One agency at its desk; `agency` is its id, `kind` the recipient code of the vocabulary."""

    agency: str
    kind: str
    keystore: Keystore = field(repr=False)
    casebook: Casebook = field(repr=False)
    hub: Hub = field(repr=False)
    clock: Clock = field(repr=False)
    watch: Watch | None = field(default=None, repr=False)
    """What is asked of the witnesses of the hub's log; None where the agency has no policy."""

    def now(self) -> datetime:
        """Give the present moment of this agency's clock."""
        return self.clock()

    def new_id(self) -> str:
        """Make an id of our own (UUIDv7)."""
        return uuid7(self.clock(), secrets.token_bytes(RANDOM_BYTES))

    def pen(self, staff: str = SYSTEM) -> Pen:
        """Give what signing needs now: `staff` is the agency's opaque id of whoever acts.

        *Raises* `ConnectorError("key-missing")`.
        """
        now = self.clock()
        key = self.keystore.current(KeyUse.SIG, now)
        return Pen(agency=self.agency, key=key, new_id=self.new_id, staff=staff, now=now)

    def own_key(self) -> PublicKey:
        """Give the key to which our own copy of a message is sealed."""
        return self.keystore.current(KeyUse.ENC, self.clock()).public
