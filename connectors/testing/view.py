# SPDX-License-Identifier: Apache-2.0
"""What both halves of a seat share: the hub while the line is up, and what this agency may see of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from connectors.base.errors import HubAwayError
from connectors.sdk.interface import Hub
from connectors.testing.memory import Kept, MemoryHub, refuse
from consent.receipts import ConsentRecord
from consent.scopes import matches

Made = TypeVar("Made")


class View(Hub):
    """A `MemoryHub` as one agency sees it; the calls are in `statements` and `exchange`."""

    def __init__(self, hub: MemoryHub, agency: str) -> None:
        """Take the hub and the agency that sits here."""
        self._shared = hub
        self._agency = agency

    @property
    def _hub(self) -> MemoryHub:
        """The hub, if the line is up."""
        if self._shared.away:
            raise HubAwayError("hub-away", url="memory")
        return self._shared

    def _once(self, key: str | None, deed: Callable[[], Made]) -> Made:
        return self._hub.once(self._agency, key, deed)

    def _sees(self, case: str) -> bool:
        known = self._hub.cases.get(case)
        named = (kept.record for kept in self._hub.consents.values() if kept.record.case == case)
        return known is not None and (known.owner == self._agency or any(map(self._is_named, named)))

    def _is_named(self, record: ConsentRecord) -> bool:
        return self._agency in record.hub_parties or matches(record.partners, self._hub.member(self._agency).party)

    def _consent(self, consent: str) -> Kept:
        kept = self._hub.consents.get(consent)
        return kept if kept and self._is_named(kept.record) else refuse(404, "not-found")
