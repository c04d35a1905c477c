# SPDX-License-Identifier: Apache-2.0
"""What a municipality decides and what it only confirms, and whose minutes ask for it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from connectors.casebook.meeting_papers import Slip
from connectors.casebook.seating import COORDINATION

MUNICIPALITY: Final = "jichitai"
PLAN: Final = "plan"
"""Stands among the services for the plan as a whole."""
CONFIRMED: Final = "confirmed"
ADOPTED: Final = frozenset({"adopted", "adopted_with_changes"})
_LISTS: Final[Mapping[str, str]] = {"law": "service_decision", "beside": "service_confirmation"}
_NAMES: Final[Mapping[str, str]] = {"law": "service_by_law", "beside": "service_beside_law"}


def asks(slip: Slip) -> bool:
    """Say whether minutes ask the municipality for its decision: those of a 支援調整会議 that adopted a plan."""
    return slip.kind == COORDINATION and slip.decision in ADOPTED


def answers_for(how: str) -> str:
    """Give the list of what may be said of a service: under the law it is decided, else it is only confirmed."""
    return _LISTS[how]


def names_of(how: str) -> str:
    """Give the list in which a service has its name."""
    return _NAMES[how]


def how_of(service: str, lists: Mapping[str, Collection[str]]) -> str:
    """Say whether a service stands under the law or beside it, by the lists in which services have their names."""
    return "law" if service in lists[_NAMES["law"]] else "beside"


def carries(services: Mapping[str, str]) -> bool:
    """Say whether the municipality's word carries the plan on: it has confirmed the plan as a whole."""
    return services.get(PLAN) == CONFIRMED
