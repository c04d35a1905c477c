# SPDX-License-Identifier: Apache-2.0
"""Look for a person in everything a hub holds: every cell of its database, every key of Redis, every file.

A needle is looked for as it stands and as it would look in UTF-16, cp932, base64 (at each of three offsets),
hexadecimal, JSON escapes and percent encoding, so that nothing is missed by being written differently.
"""

from __future__ import annotations

import base64
import contextlib
import json
import mmap
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import redis
import sqlalchemy as sa
from ahocorasick_rs import BytesAhoCorasick

from hub.base.config import Settings

_SHORTEST: Final = 6
"""Bytes; anything shorter is found by chance in random data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One place where a needle was found; which one is said by its number, so that a report repeats nothing."""

    place: str
    needle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How much was searched, for how many needles, and what was found."""

    needles: int
    forms: int
    tables: int
    rows: int
    keys: int
    files: int
    bytes: int
    found: tuple[Found, ...]


def forms_of(needle: str) -> frozenset[bytes]:
    """Write a needle in every form in which it might lie about."""
    raw = needle.encode("utf-8")
    made = {raw, needle.encode("utf-16-le"), needle.encode("utf-16-be"), raw.hex().encode(), raw.hex().upper().encode()}
    made |= {json.dumps(needle)[1:-1].encode(), quote(needle).encode(), quote(needle).lower().encode()}
    made |= {_base64_core(raw, offset, sign) for offset in range(3) for sign in (b"+/", b"-_")}
    for encoding in ("cp932", "euc_jp"):
        try:
            made.add(needle.encode(encoding))
        except UnicodeEncodeError:
            continue
    return frozenset(form for form in made if len(form) >= _SHORTEST)


def _base64_core(raw: bytes, offset: int, signs: bytes) -> bytes:
    """Encode as it would stand at an offset inside a longer text: only the letters that depend on nothing around."""
    encoded = base64.b64encode(b"\0" * offset + raw, altchars=signs)
    start = (offset * 8 + 5) // 6
    end = (offset + len(raw)) * 8 // 6
    return encoded[start:end]


def search(settings: Settings, needles: Sequence[str], folders: Iterable[Path]) -> Report:
    """Search a running hub's database and Redis, and every file at or below the folders, for all needles."""
    forms = _Forms.of(needles)
    tables, rows, in_database = _search_database(settings, forms)
    keys, in_redis = _search_redis(settings, forms)
    files, size, in_files = _search_files(folders, forms)
    return Report(
        needles=len(needles),
        forms=len(forms.needles),
        tables=tables,
        rows=rows,
        keys=keys,
        files=files,
        bytes=size,
        found=(*in_database, *in_redis, *in_files),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forms:
    """All forms of all needles, looked for in one pass over a content however many they are."""

    needles: tuple[int, ...]
    """Of each form the needle it is a form of."""
    seeker: BytesAhoCorasick

    @classmethod
    def of(cls, needles: Sequence[str]) -> _Forms:
        made = [(number, form) for number, needle in enumerate(needles) for form in sorted(forms_of(needle))]
        return cls(needles=tuple(number for number, _ in made), seeker=BytesAhoCorasick([form for _, form in made]))


def _hits(place: str, content: bytes | mmap.mmap, forms: _Forms) -> Iterator[Found]:
    hits = forms.seeker.find_matches_as_indexes(content, overlapping=True)
    for number in sorted({forms.needles[form] for form, _, _ in hits}):
        yield Found(place=place, needle=number)


def _search_database(settings: Settings, forms: _Forms) -> tuple[int, int, list[Found]]:
    """Read every cell of every table as what it holds; as the text of a row it would be quoted and escaped."""
    engine = sa.create_engine(settings.migration_url)
    rows, found = 0, list[Found]()
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        for name in names:
            quoted = engine.dialect.identifier_preparer.quote(name)
            for row in connection.execute(sa.text(f"select * from {quoted}")):  # noqa: S608 - from the catalogue
                rows += 1
                found += _hits(f"table {name}", b"\n".join(_flat(tuple(row))), forms)
    engine.dispose()
    return len(names), rows, found


def _search_redis(settings: Settings, forms: _Forms) -> tuple[int, list[Found]]:
    if settings.redis_url is None:
        return 0, []
    client = redis.Redis.from_url(settings.redis_url)
    keys, found = 0, list[Found]()
    for key in client.scan_iter():
        keys += 1
        for value in (bytes(key), *_values(client, key)):
            found += _hits("redis", value, forms)
            found += _hits("redis", _unpacked(value), forms)
    client.close()
    return keys, found


def _values(client: redis.Redis, key: bytes) -> Iterator[bytes]:
    """Read what stands under a key, whatever its type. Not by DUMP, which packs longer texts."""
    kind = client.type(key)
    if kind == b"string":
        yield from _flat(client.get(key))
    elif kind == b"hash":
        yield from _flat(client.hgetall(key))
    elif kind == b"list":
        yield from _flat(client.lrange(key, 0, -1))
    elif kind == b"set":
        yield from _flat(client.smembers(key))
    elif kind == b"zset":
        yield from _flat(client.zrange(key, 0, -1))
    elif kind == b"stream":
        yield from _flat(client.xrange(key))


def _flat(value: Any) -> Iterator[bytes]:
    """Give everything that a cell or a value holds, documents and lists taken apart."""
    if isinstance(value, bytes | memoryview):
        yield bytes(value)
    elif isinstance(value, dict):
        yield from _flat([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from _flat(inner)
    elif value is not None:
        yield str(value).encode("utf-8")


def _unpacked(value: bytes) -> bytes:
    """Give what a job of RQ holds, which packs its jobs; nothing for everything else."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def _search_files(folders: Iterable[Path], forms: _Forms) -> tuple[int, int, list[Found]]:
    files, size, found = 0, 0, list[Found]()
    for folder in folders:
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if not path.is_file() or path.stat().st_size == 0:
                continue
            with (
                contextlib.suppress(FileNotFoundError),  # a running database removes files of its own
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                files, size = files + 1, size + len(content)
                found += _hits(f"file {path.relative_to(folder.parent)}", content, forms)
    return files, size, found
