# SPDX-License-Identifier: Apache-2.0
"""One agency's seat at a `MemoryHub`: the whole of the SDK's interface."""

from __future__ import annotations

from connectors.testing.exchange import Exchange
from connectors.testing.statements import Statements


class Seat(Statements, Exchange):
    """A `MemoryHub` as one agency sees it: `Seat(hub, agency)`, wherever a connector wants a `Hub`."""
