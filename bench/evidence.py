# SPDX-License-Identifier: Apache-2.0
"""How long a whole log takes to verify offline, and how much memory: `python -m bench evidence --sizes 10000 1000000`.

The log is made by `bench.lives` with real keys and signatures; making it is no part of the figure. The verifying
processes are children, so that their memory is theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.lives import write
from consent.evidence.verify import Trusted, verify
from consent.tlog import notes


def measure(size: int, processes: int, renewals: int, folder: Path) -> dict[str, Any]:
    """Make a bundle and verify it in a process of its own, so that its memory is its own."""
    path = folder / f"{size}.gz"
    began = time.perf_counter()
    log = write(path, size, renewals=renewals)
    made = time.perf_counter() - began
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.write(writing, json.dumps(_verify(path, log, processes)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        figures: dict[str, Any] = json.loads(told.read())
    os.waitpid(child, 0)
    return {
        "entries": size,
        "processes": processes,
        "made_s": round(made, 1),
        "MB": path.stat().st_size >> 20,
        **figures,
    }


def _verify(path: Path, log: notes.Verifier, processes: int) -> dict[str, Any]:
    began = time.perf_counter()
    report = verify(path, Trusted(log=log), processes=processes)
    wall = time.perf_counter() - began
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(one.ru_utime + one.ru_stime for one in (own, children))
    # the largest of each kind: the parent's own, and that of its largest child, once for each child
    peak = (own.ru_maxrss + children.ru_maxrss * (processes - 1)) >> 10
    return {
        "seconds": round(wall, 1),
        "processor_s": round(cpu, 1),
        "peak_MB": peak,
        "verdict": int(report.exit_code),
        "documents": report.counts.documents,
        "decisions": report.counts.decisions,
        "checkpoints": report.checkpoints,
    }


def main() -> None:
    """Print a table and a JSON line."""
    parser = argparse.ArgumentParser(prog="bench evidence")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--renewals", type=int, default=180, help="of consents, for each case")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="tsn-bench-") as folder:
        for size in asked.sizes:
            rows.append(measure(size, asked.processes, asked.renewals, Path(folder)))
            print("  ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    print(json.dumps({"python": platform.python_version(), "load": os.getloadavg()[0], "rows": rows}))


if __name__ == "__main__":
    main()
    sys.exit(0)
