# SPDX-License-Identifier: Apache-2.0
"""How long an accepted message waits until a signed checkpoint holds it, at a steady rate of messages.

Arrivals keep their timetable whatever the hub does, so a hub that falls behind is seen to. Each wait begins before the
message is sent and ends when a checkpoint with its entry is committed: acceptance, sequencer and signature together.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import threading
import time
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import psycopg

from bench.caller import Caller, Line
from bench.pair import Loop, Pair, found_pair, prepare
from deploy.play.stage import open_stage

WARM = 1
GOAL_MS = 1000
_LOOK_SECONDS = 0.01
_PATIENCE = 60.0
_NEWEST = "select max(size) from log_checkpoints"
_PLACES = """
select convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'message', index from log_entries
where kind = 'message:accepted'
"""


@dataclass(slots=True)
class Watch:
    """Every size of the log and when it was first seen signed."""

    address: str
    seen: list[tuple[float, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Look until it is over."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            last = -1
            while not self.over.is_set():
                row = connection.execute(_NEWEST).fetchone()
                size = row[0] if row and row[0] is not None else 0
                if size > last:
                    self.seen.append((time.perf_counter(), size))
                    last = size
                time.sleep(_LOOK_SECONDS)

    def signed_at(self, index: int) -> float:
        """Give when the entry at `index` was first below a signed checkpoint."""
        return next(at for at, size in self.seen if size > index)


def main() -> int:
    """Send at the rate, and print how long messages waited."""
    parser = argparse.ArgumentParser(prog="python -m bench inclusion")
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=16)
    asked = parser.parse_args()
    each = int(asked.rate * asked.seconds / asked.clients)
    with open_stage(play=False, workers=2) as stage:
        people = (stage.admission.operator, stage.admission.officer)
        pairs = [found_pair(stage.database, people) for _ in range(asked.clients)]
        work = [(pair, prepare(stage.database, pair, each + WARM)) for pair in pairs]
        stage.settle()
        watch = Watch(stage.settings.migration_url.replace("postgresql+psycopg://", "postgresql://"))
        watcher = threading.Thread(target=watch.look)
        watcher.start()
        try:
            sent, late = _send(stage.url, work, asked.rate)
            waits = _waits(watch, sent)
        finally:
            watch.over.set()
            watcher.join()
    _show({"rate": asked.rate, "messages": len(waits), "late_by_s": round(late, 2), **_spread(waits)})
    return 0


def _send(origin: str, work: list[tuple[Pair, list[Loop]]], rate: float) -> tuple[dict[str, float], float]:
    """Send everything by its timetable; give when each message was sent, and by how much the last was late."""
    sent: dict[str, float] = {}
    faults: list[str] = []
    late = [0.0]
    gate = threading.Barrier(len(work))

    def be(place: int, pair: Pair, loops: list[Loop]) -> None:
        try:
            caller = Caller(origin, pair.sender, Line(origin))
            for loop in loops[:WARM]:
                caller.call("submit", "POST", "/v1/referrals", body=loop.submission, expect=201)
            gate.wait()
            begin = time.perf_counter()
            for turn, loop in enumerate(loops[WARM:]):
                due = begin + (turn * len(work) + place) / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                late[0] = max(late[0], time.perf_counter() - due)
                sent[loop.message] = due
                caller.call("submit", "POST", "/v1/referrals", body=loop.submission, expect=201)
        except Exception as fault:  # noqa: BLE001 - voids the run below
            faults.append(repr(fault))
            gate.abort()

    threads = [threading.Thread(target=be, args=(place, *one)) for place, one in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(f"void: {faults[:3]}")
    return sent, late[0]


def _waits(watch: Watch, sent: dict[str, float]) -> list[float]:
    """Give how long each message waited, in seconds; wait for the last to be signed.

    *Raises* SystemExit: one is not in the log after a minute.
    """
    until = time.monotonic() + _PATIENCE
    with psycopg.connect(watch.address, autocommit=True) as connection:
        while True:
            places = {message: index for message, index in connection.execute(_PLACES) if message in sent}
            if len(places) == len(sent) and watch.seen[-1][1] > max(places.values()):
                return [watch.signed_at(places[message]) - at for message, at in sent.items()]
            if time.monotonic() > until:
                raise SystemExit(f"void: {len(sent) - len(places)} messages are not in the log")
            time.sleep(_LOOK_SECONDS)


def _spread(waits: list[float]) -> dict[str, float]:
    cuts = quantiles(waits, n=100, method="inclusive")
    return {
        **{f"p{cut}_ms": round(cuts[cut - 1] * 1e3, 1) for cut in (50, 95, 99)},
        "most_ms": round(max(waits) * 1e3, 1),
        "over_goal": sum(wait * 1e3 > GOAL_MS for wait in waits),
    }


def _show(row: dict[str, Any]) -> None:
    print(
        f"{row['messages']} messages at {row['rate']:g} a second (late by {row['late_by_s']} s at most): in a signed"
        f" checkpoint after p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms, p99 {row['p99_ms']} ms,"
        f" at most {row['most_ms']} ms; {row['over_goal']} over {GOAL_MS} ms"
    )
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    print(json.dumps({"bench": "inclusion", **machine, **row}))


if __name__ == "__main__":
    sys.exit(main())
