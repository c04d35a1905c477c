# SPDX-License-Identifier: Apache-2.0
"""A bundle taken apart, so that one thing in it can be altered and everything that hangs on it made to fit, or not."""

from __future__ import annotations

import copy
import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from consent.jwk import PrivateKey
from consent.tlog import notes, tree


@dataclass(kw_only=True)
class Item:
    """An entry with its documents, in its place."""

    index: int
    body: bytes
    documents: dict[str, str]


@dataclass(kw_only=True)
class Parts:
    """A bundle: head, agencies, leaves, entries, checkpoints by size, end."""

    head: dict[str, Any]
    agencies: list[dict[str, Any]]
    leaves: list[bytes]
    items: list[Item]
    notes: dict[int, str]
    end: dict[str, Any] | None = field(default=None)

    def copy(self) -> Parts:
        items = [Item(index=one.index, body=one.body, documents=dict(one.documents)) for one in self.items]
        return Parts(
            head=copy.deepcopy(self.head),
            agencies=[dict(one) for one in self.agencies],
            leaves=list(self.leaves),
            items=items,
            notes=dict(self.notes),
        )

    def write(self) -> bytes:
        return gzip.compress(b"".join(line + b"\n" for line in self.lines()), compresslevel=0, mtime=0)

    def lines(self) -> Iterator[bytes]:
        yield dumped(self.head)
        yield from map(dumped, self.agencies)
        hashes = b64encode(b"".join(self.leaves)).decode()
        yield dumped({"t": "leaves", "first": 0, "hashes": hashes})
        written = set()
        for item in self.items:
            for size in sorted(size for size in self.notes if size <= item.index and size not in written):
                written.add(size)
                yield dumped({"t": "checkpoint", "note": self.notes[size]})
            yield b'{"t":"entry","index":%d}' % item.index
            yield item.body
            if item.documents:
                yield dumped({"t": "documents", "documents": item.documents})
        for size in sorted(set(self.notes) - written):
            yield dumped({"t": "checkpoint", "note": self.notes[size]})
        yield dumped(self.end or {"t": "end", "entries": len(self.items), "checkpoints": len(self.notes)})

    def refit(self) -> None:
        """Number the entries anew and make every leaf fit; the checkpoints stay as signed."""
        for index, item in enumerate(self.items):
            item.index = index
        self.leaves = [tree.leaf_hash(item.body) for item in self.items]
        self.head["size"] = len(self.items)

    def sign_again(self, key: PrivateKey, sizes: list[int]) -> None:
        """Sign the altered tree as the log's own key can."""
        origin = self.head["log"].split("+")[0]
        self.notes = {}
        for size in sizes:
            signed = notes.Checkpoint(origin=origin, size=size, root=tree.root(self.leaves[:size]))
            self.notes[size] = notes.sign_checkpoint(signed, key.native).write()


def dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def take_apart(bundle: bytes) -> Parts:
    lines = gzip.decompress(bundle).splitlines()
    made = Parts(head=json.loads(lines[0]), agencies=[], leaves=[], items=[], notes={})
    rest = iter(lines[1:])
    for line in rest:
        said = json.loads(line)
        match said["t"]:
            case "agency":
                made.agencies.append(said)
            case "leaves":
                raw = b64decode(said["hashes"])
                made.leaves += [raw[at : at + 32] for at in range(0, len(raw), 32)]
            case "entry":
                made.items.append(Item(index=said["index"], body=next(rest), documents={}))
            case "documents":
                made.items[-1].documents = said["documents"]
            case "checkpoint":
                made.notes[int(said["note"].split("\n")[1])] = said["note"]
    return made


def altered_values(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Give every leaf of a JSON value with something else of the same kind in its place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from altered_values(inner, (*place, name))
    elif isinstance(value, list):
        if value:
            yield place, value[:-1]
        for at, inner in enumerate(value):
            yield from altered_values(inner, (*place, at))
    elif isinstance(value, bool):
        yield place, not value
    elif isinstance(value, int):
        yield place, value + 1
    elif value is None:
        yield place, "00000000-0000-4000-8000-000000000000"
    else:
        yield place, flipped(value)


def flipped(text: str) -> str:
    """Change one character for another of its kind."""
    at = len(text) // 2
    there = text[at : at + 1]
    other = ("1" if there == "0" else "0") if there.isdigit() else ("b" if there == "a" else "a")
    return text[:at] + other + text[at + 1 :]


def with_value(body: bytes, place: tuple[Any, ...], value: Any) -> bytes:
    """Write an entry anew with one value replaced."""
    made = json.loads(body)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return json.dumps(made, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()
