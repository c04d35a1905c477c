# SPDX-License-Identifier: Apache-2.0
"""/livez: the process runs (no I/O). /readyz: it can serve: the database answers and stands at the right revision.

Redis away is a degraded hub and not a hub that is down: wake-ups are late, nothing is lost (README §3 D3).
"""

from collections.abc import Callable, Mapping
from typing import Final

import orjson
from flask import Flask, Response

from hub.web.permissions import OPEN, declares

Check = Callable[[], bool]
UNREADY: Final = 503


def register(app: Flask, *, needed: Mapping[str, Check], useful: Mapping[str, Check]) -> None:
    """Add the two addresses; without `needed` the hub is not ready, without `useful` it is degraded."""

    @declares(OPEN)
    def livez() -> Response:
        return _state(200, {"state": "alive"})

    @declares(OPEN)
    def readyz() -> Response:
        lacking = [name for name, check in needed.items() if not check()]
        if lacking:
            return _state(UNREADY, {"state": "unready", "lacking": lacking})
        away = [name for name, check in useful.items() if not check()]
        return _state(200, {"state": "degraded", "lacking": away} if away else {"state": "ready"})

    app.add_url_rule("/livez", view_func=livez)
    app.add_url_rule("/readyz", view_func=readyz)


def _state(status: int, members: Mapping[str, object]) -> Response:
    return Response(orjson.dumps(members), status=status, content_type="application/json")
