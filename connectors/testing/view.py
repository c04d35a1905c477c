# SPDX-License-Identifier: Apache-2.0
"""What both halves of a seat share: the hub while the line is up, and what this agency may see of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from connectors.base.errors import HubAwayError
from connectors.sdk import answers
from connectors.sdk.interface import Hub
from connectors.testing.memory import Kept, MemoryHub, refuse
from consent.receipts import ConsentRecord
from consent.scopes import ANY, matches

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
        """Say whether the case is ours or a record of it names us by our id."""
        known = self._hub.cases.get(case)
        return known is not None and (
            known.owner == self._agency
            or any(self._agency in record.hub_parties | record.partners for record in self._records(case))
        )

    def _finds(self, case: str) -> bool:
        """Say whether a record of the case names us, by our id or by our kind; a refusal alone finds nothing."""
        return self._sees(case) or any(map(self._is_named, self._records(case)))

    def _records(self, case: str) -> Iterator[ConsentRecord]:
        return (kept.record for kept in self._hub.consents.values() if kept.record.case == case)

    def _exclusions(self, case: str) -> Iterator[answers.Exclusion]:
        """Give the refusals that are ours or name us; "*" means whoever a record names."""
        mine = self._hub.member(self._agency).party
        all_meant = any(map(self._is_named, self._records(case)))
        for one in self._hub.exclusions.get(case, ()):
            if one.agency == self._agency or matches(one.to, mine) or (ANY in one.to and all_meant):
                yield one

    def _is_named(self, record: ConsentRecord) -> bool:
        return self._agency in record.hub_parties or matches(record.partners, self._hub.member(self._agency).party)

    def _consent(self, consent: str) -> Kept:
        kept = self._hub.consents.get(consent)
        return kept if kept and self._is_named(kept.record) else refuse(404, "not-found")
