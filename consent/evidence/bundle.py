# SPDX-License-Identifier: Apache-2.0
"""The file that an offline reader is given (docs/evidence.md): JSON lines in gzip, in the order of the log.

bundle → agency* → (leaves → (entry → its bytes → documents?)* → checkpoint*)* → end

An entry's bytes are a line of their own, so that they are hashed as they stand. Whoever writes or reads needs one line
at a time and never the file.
"""

import base64
import binascii
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import Field

from consent import wire
from consent.errors import BundleRefusedError, TsunagiError
from consent.tlog.tree import HASH_BYTES

EVERYTHING: Final = "*"
"""The holder who may read every entry: the officer, the operator."""
WIDTH: Final = 256
"""Leaf hashes on one line, as many as in a tile."""
MAX_LINE: Final = 1 << 20
_COMPRESSION: Final = 5
_BUFFER: Final = 1 << 18
_ENTRY: Final = re.compile(rb'\{"t":"entry","index":(0|[1-9][0-9]{0,17})\}\n')
_DOCUMENTS: Final = b'{"t":"documents",'
_LINE: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False)


@wire.document
class Head:
    """Who may read these entries (`holder`: an agency's id, or "*"), the hub's public keys, and how far it goes.

    The keys come from whoever made the bundle: compare them with what was told on paper.
    """

    t: Literal["bundle"] = "bundle"
    v: wire.Version = 1
    holder: Annotated[str, Field(pattern=r"^(\*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$")]
    log: Annotated[str, Field(max_length=400)]
    receipt: dict[str, str]
    size: Annotated[int, Field(ge=0, le=2**53 - 1)]
    made_at: wire.Moment


@wire.document
class Told:
    """An agency as the holder knows it: its kind, and the public half of its offline root key."""

    t: Literal["agency"] = "agency"
    id: wire.Id
    kind: wire.Opaque
    root: dict[str, str]


@wire.document
class End:
    """How much there was, so that a file that was cut off is known as such."""

    t: Literal["end"] = "end"
    entries: Annotated[int, Field(ge=0)]
    checkpoints: Annotated[int, Field(ge=0)]


@wire.document
class _Leaves:
    t: Literal["leaves"] = "leaves"
    first: Annotated[int, Field(ge=0, le=2**53 - 1)]
    hashes: str


@wire.document
class _Note:
    t: Literal["checkpoint"] = "checkpoint"
    note: str


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaf hashes from index `first` on, 32 bytes each."""

    first: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry that the holder may read: its bytes as hashed, and the line of the signed documents it speaks of."""

    index: int
    body: bytes
    documents: bytes

    def read_documents(self) -> dict[str, str]:
        """Give the documents by what they are to the entry.

        *Raises* BundleRefusedError: `malformed-bundle`.
        """
        if not self.documents:
            return {}
        made = _parse(self.documents)
        found = made.get("documents")
        if made.keys() != {"t", "documents"} or not isinstance(found, dict):
            raise BundleRefusedError("malformed-bundle")
        if not all(isinstance(token, str) for token in found.values()):
            raise BundleRefusedError("malformed-bundle")
        return found


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint as it was signed."""

    text: str


Line = Head | Told | Leaves | Logged | Note | End


class Writer:
    """Write a bundle to a binary stream, line by line."""

    def __init__(self, out: BinaryIO, head: Head) -> None:
        """Begin with the head; `end` must come last."""
        self._out = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION, mtime=0)
        self._entries = 0
        self._checkpoints = 0
        self._put(wire.compact(head))

    def agency(self, told: Told) -> None:
        """Say who an agency is."""
        self._put(wire.compact(told))

    def leaves(self, first: int, hashes: bytes) -> None:
        """Give up to `WIDTH` leaf hashes; the entries among them follow."""
        text = base64.b64encode(hashes).decode("ascii")
        self._put(wire.compact(_Leaves(first=first, hashes=text)))

    def entry(self, index: int, body: bytes, documents: Mapping[str, str] | None = None) -> None:
        """Give an entry's bytes, and the signed documents that it speaks of."""
        self._put(b'{"t":"entry","index":%d}' % index)
        self._put(body)
        if documents:
            self._put(_LINE.encode({"t": "documents", "documents": documents}).encode("ascii"))
        self._entries += 1

    def checkpoint(self, note: str) -> None:
        """Give a checkpoint, after the last entry that it covers."""
        self._put(wire.compact(_Note(note=note)))
        self._checkpoints += 1

    def end(self) -> None:
        """Say that this was all; the stream below stays open."""
        self._put(wire.compact(End(entries=self._entries, checkpoints=self._checkpoints)))
        self._out.close()

    def _put(self, line: bytes) -> None:
        self._out.write(line)
        self._out.write(b"\n")


def read(stream: BinaryIO) -> Iterator[Line]:
    """Read a bundle line by line; nothing is verified here but the form.

    *Raises* BundleRefusedError: `malformed-bundle`; `truncated-bundle`, it stops before its end.
    """
    lines = _lines(stream)
    first = next(lines, b"")
    yield _head(first)
    ahead = next(lines, None)
    while ahead is not None:
        found = _ENTRY.fullmatch(ahead)
        if found is None:
            line = _read(ahead)
            yield line
            if isinstance(line, End):
                if next(lines, None) is not None:
                    raise BundleRefusedError("malformed-bundle")
                return
            ahead = next(lines, None)
            continue
        body = next(lines, None)
        if body is None:
            break
        ahead = next(lines, None)
        documents = b""
        if ahead is not None and ahead.startswith(_DOCUMENTS):
            documents, ahead = ahead, next(lines, None)
        yield Logged(int(found[1]), body[:-1], documents)
    raise BundleRefusedError("truncated-bundle")


def head_of(stream: BinaryIO) -> Head:
    """Read no more than the head.

    *Raises* BundleRefusedError.
    """
    return _head(next(_lines(stream), b""))


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    try:
        # lines of GzipFile itself are cut in Python, and there are millions
        with io.BufferedReader(gzip.GzipFile(fileobj=stream, mode="rb"), _BUFFER) as opened:
            while line := opened.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    raise BundleRefusedError("malformed-bundle" if len(line) == MAX_LINE else "truncated-bundle")
                yield line
    except EOFError:
        raise BundleRefusedError("truncated-bundle") from None
    except (OSError, zlib.error):
        # gzip's own sum does not agree, or it is no gzip at all
        raise BundleRefusedError("malformed-bundle") from None


def _head(line: bytes) -> Head:
    try:
        return wire.read(Head, line)
    except TsunagiError:
        raise BundleRefusedError("malformed-bundle") from None


def _read(line: bytes) -> Line:
    kind = _parse(line).get("t")
    try:
        if kind == "leaves":
            leaves = wire.read(_Leaves, line)
            return Leaves(leaves.first, _hashes(leaves.hashes))
        if kind == "checkpoint":
            return Note(wire.read(_Note, line).note)
        if kind == "agency":
            return wire.read(Told, line)
        if kind == "end":
            return wire.read(End, line)
    except TsunagiError:
        raise BundleRefusedError("malformed-bundle") from None
    raise BundleRefusedError("malformed-bundle")


def _parse(line: bytes) -> dict[str, object]:
    try:
        return wire.parse(line, limit=MAX_LINE)
    except TsunagiError:
        raise BundleRefusedError("malformed-bundle") from None


def _hashes(text: str) -> bytes:
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise BundleRefusedError("malformed-bundle") from None
    if not raw or len(raw) % HASH_BYTES or len(raw) > WIDTH * HASH_BYTES:
        raise BundleRefusedError("malformed-bundle")
    return raw
