# SPDX-License-Identifier: Apache-2.0
"""The hub alone: loops per second of submit → poll → collect → acknowledge → three moves → status.

Real hub processes (granian), PostgreSQL and Valkey on this machine; the callers are processes of their own whose
messages and receipts were sealed and signed beforehand. Callers, hub and database share the cores: trust ratios.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench import limit
from bench.caller import Caller, Line, run
from bench.pair import Loop, Pair, found_pair, prepare
from deploy.play.stage import Stage, open_stage

WARM = 2
_PROC = Path("/proc")


def main() -> int:
    """Measure at each number of clients and print a table and a JSON line."""
    parser = argparse.ArgumentParser(prog="python -m bench hub")
    parser.add_argument("--loops", type=int, default=240, help="loops at each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="processes of callers")
    asked = parser.parse_args()
    rows = []
    with open_stage(play=False, workers=asked.workers) as stage:
        people = (stage.admission.operator, stage.admission.officer)
        pairs = [found_pair(stage.database, people) for _ in range(max(asked.clients))]
        for clients in asked.clients:
            rows.append(_measure(stage, pairs[:clients], asked.loops, asked.processes))
            _show(rows[-1])
        bound = limit.measure(stage.settings.migration_url)
    print(limit.shown(bound))
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    print(json.dumps({"bench": "hub", **machine, "workers": asked.workers, "rows": rows, "limit": bound}))
    return 0


def _measure(stage: Stage, pairs: list[Pair], loops: int, processes: int) -> dict[str, Any]:
    """Run `loops` loops over the pairs, one client each."""
    each = max(1, loops // len(pairs)) + WARM
    work = [(pair, prepare(stage.database, pair, each)) for pair in pairs]
    stage.settle()
    count = min(processes, len(pairs))
    fork = multiprocessing.get_context("fork")
    told: Queue[Any] = fork.Queue()
    gate = fork.Barrier(count + 1)
    children = [fork.Process(target=_callers, args=(stage.url, work[n::count], gate, told)) for n in range(count)]
    for child in children:
        child.start()
    gate.wait()  # everybody is warm
    began, idle = time.perf_counter(), _idle_seconds()
    results = [told.get() for _ in children]
    seconds = time.perf_counter() - began
    for child in children:
        child.join()
    faults = [fault for result in results for fault in result["faults"]]
    if faults:
        raise SystemExit(f"void: {faults[:3]}")
    idle = _idle_seconds() - idle
    took = [one for result in results for one in result["took"].pop("loop")]
    named: dict[str, list[float]] = {}
    for result in results:
        for name, values in result["took"].items():
            named.setdefault(name, []).extend(values)
    return {
        "clients": len(pairs),
        "loops": len(took),
        "loops_per_second": round(len(took) / seconds, 1),
        **_spread(took),
        "requests": {name: _spread(values) for name, values in named.items()},
        "workers_mb": _memory(stage),
        "idle_share": round(idle / seconds / (os.cpu_count() or 1), 2),
    }


@dataclass(slots=True)
class _Clients:
    """The clients of one process: what their loops and requests took, and what went wrong."""

    origin: str
    gate: threading.Barrier
    took: dict[str, list[float]] = field(default_factory=lambda: {"loop": []})
    faults: list[str] = field(default_factory=list)

    def be(self, pair: Pair, loops: list[Loop]) -> None:
        """Be one client: warm up, wait for the others, run the loops."""
        line = Line(self.origin)
        callers = Caller(self.origin, pair.sender, line), Caller(self.origin, pair.receiver, line)
        self._run(callers, loops[:WARM])
        self.took["loop"].clear()
        for caller in callers:
            caller.took.clear()
        self.gate.wait()
        self._run(callers, loops[WARM:])
        for name, values in [item for caller in callers for item in caller.took.items()]:
            self.took.setdefault(name, []).extend(values)

    def _run(self, callers: tuple[Caller, Caller], loops: list[Loop]) -> None:
        try:
            for loop in loops:
                began = time.perf_counter()
                run(*callers, loop)
                self.took["loop"].append(time.perf_counter() - began)
        except Exception as fault:  # noqa: BLE001 - told to the parent, which voids the run
            self.faults.append(repr(fault))


def _callers(origin: str, work: list[tuple[Pair, list[Loop]]], gate: Any, told: Queue[Any]) -> None:
    """Be a process of callers: a thread for each pair."""
    clients = _Clients(origin, threading.Barrier(len(work) + 1))
    threads = [threading.Thread(target=clients.be, args=one) for one in work]
    for thread in threads:
        thread.start()
    while clients.gate.n_waiting < len(work):
        time.sleep(0.01)
    gate.wait()
    clients.gate.wait()
    for thread in threads:
        thread.join()
    told.put({"took": clients.took, "faults": clients.faults})


def _spread(values: list[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
    return {f"p{cut}_ms": round(cuts[cut - 1] * 1e3, 2) for cut in (50, 95, 99)}


def _memory(stage: Stage) -> float:
    """Give the proportional memory of the web server's processes in MB."""
    web = [one for one in _family(stage.pid) if b"granian" in (_PROC / str(one) / "cmdline").read_bytes()]
    rollups = [(_PROC / str(one) / "smaps_rollup").read_text() for one in web]
    kilobytes = [int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss:")]
    return round(sum(kilobytes) / 1e3, 1)


def _family(pid: int) -> list[int]:
    """Give a process and all that descend from it."""
    family = [pid]
    for one in family:
        family += map(int, (_PROC / str(one) / "task" / str(one) / "children").read_text().split())
    return family


def _idle_seconds() -> float:
    """Give the seconds that the machine's cores have idled."""
    return int((_PROC / "stat").read_text().split()[4]) / os.sysconf("SC_CLK_TCK")


def _show(row: dict[str, Any]) -> None:
    print(
        f"{row['clients']:>3} clients {row['loops_per_second']:>7} loops/s   p50 {row['p50_ms']:>7} ms"
        f"   p95 {row['p95_ms']:>7} ms   p99 {row['p99_ms']:>7} ms   workers {row['workers_mb']} MB"
    )
    for name, one in row["requests"].items():
        print(f"      {name:<8} p50 {one['p50_ms']:>7} ms   p95 {one['p95_ms']:>7} ms   p99 {one['p99_ms']:>7} ms")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
