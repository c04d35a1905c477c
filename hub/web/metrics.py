# SPDX-License-Identifier: Apache-2.0
"""Figures for the operator, served on a private port of their own and never on the public one: counts, no ids."""

from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess, start_http_server

REQUESTS: Final = Counter("tsunagi_requests", "Requests answered", ["method", "route", "status"])
SECONDS: Final = Histogram(
    "tsunagi_request_seconds",
    "Seconds until the answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
)


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer; `route` is the template, so that no id becomes a label."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def serve(port: int, folder: Path) -> None:
    """Serve /metrics of all processes that keep their figures in `folder`, on the loopback address.

    *Raises* OSError: the port is taken.
    """
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]  # the library has no types here
    start_http_server(port, addr="127.0.0.1", registry=registry)
