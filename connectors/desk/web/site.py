# SPDX-License-Identifier: Apache-2.0
"""`Site`: what every page of a desk works with: the agency's connector, the courier, the line's state, settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, cast

from flask import current_app

from connectors.desk.web.courier import Courier, LineState
from connectors.desk.web.throttle import Throttle
from connectors.sync.connector import Connector
from consent.calendar import Calendar

EXTENSION: Final = "tsunagi-desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a session lasts (security §5, G24): locked when idle, ended when idle longer, ended in any case."""

    lock_after: timedelta = timedelta(minutes=10)
    end_after: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=8)


@dataclass(frozen=True, kw_only=True)
class Site:
    """One desk. `sample`: its data are made up, and a ribbon on every page says so."""

    connector: Connector
    courier: Courier
    line: LineState = field(default_factory=LineState)
    calendar: Calendar = field(default_factory=Calendar)
    limits: Limits = field(default_factory=Limits)
    tries: Throttle = field(default_factory=Throttle)
    sample: bool = False
    origin: str = "http://localhost"
    """The address under which people open the desk: passkeys are bound to it."""

    def now(self) -> datetime:
        """Give the present moment of the agency's clock."""
        return self.connector.now()


def here() -> Site:
    """Give the desk that serves this request."""
    return cast("Site", current_app.extensions[EXTENSION])
