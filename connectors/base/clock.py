# SPDX-License-Identifier: Apache-2.0
"""The agency's clock, handed in wherever a time is needed, so that a test or a played scenario can stand still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, timezone-aware, in UTC."""


def system_clock() -> datetime:
    """Give the machine's present moment in UTC."""
    return datetime.now(UTC)
