# SPDX-License-Identifier: Apache-2.0
"""The files of the project, as the house tests read them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSES = ("consent", "hub", "connectors")


@cache
def tracked(*suffixes: str) -> tuple[Path, ...]:
    """Give the tracked files that end so, or every file of the houses where there is no repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    paths = [ROOT / name for name in names] or [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return tuple(path for path in paths if path.is_file() and path.name.endswith(suffixes))


def ours() -> tuple[Path, ...]:
    """Give the Python files of the three houses."""
    return tuple(path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in HOUSES)


def short(path: Path) -> str:
    """Name a file from the root."""
    return str(path.relative_to(ROOT))
