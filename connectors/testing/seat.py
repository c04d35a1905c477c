# SPDX-License-Identifier: Apache-2.0
"""One agency's seat at a `MemoryHub`: the whole of the SDK's interface, one call at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from typing_extensions import override

from connectors.testing.exchange import Exchange
from connectors.testing.following import Following
from connectors.testing.hooks import WithHooks
from connectors.testing.papers import WithPapers
from connectors.testing.statements import Statements


class Seat(Statements, Exchange, Following, WithPapers, WithHooks):
    """A `MemoryHub` as one agency sees it: `Seat(hub, agency)`, wherever a connector wants a `Hub`."""

    @override
    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return value if name.startswith("_") or not callable(value) else self._alone(value)

    def _alone(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Let a call have the hub to itself, also what it lists."""

        @wraps(call)
        def alone(*args: Any, **options: Any) -> Any:
            with self._shared.lock:
                answer = call(*args, **options)
                return iter(tuple(answer)) if isinstance(answer, Iterator) else answer

        return alone
