# SPDX-License-Identifier: Apache-2.0
"""What one agency itself holds of the messages it sent and opened, in a file for the other side: JSON lines in gzip.

It is the agency's own record of disclosures, beside the hub's log: signed words alone, never content.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import Field

from consent import wire
from consent.errors import BundleRefusedError, TsunagiError

MAX_LINE: Final = 1 << 20
_COMPRESSION: Final = 5
_MOST_RECEIPTS: Final = 8


@wire.document
class Holder:
    """Whose records these are, as of when."""

    t: Literal["records"] = "records"
    v: wire.Version = 1
    agency: wire.Id
    made_at: wire.Moment


@wire.document
class Held:
    """One message as its sender or its recipient holds it.

    `manifest`: the sender's signed manifest; `accepted`: the hub's receipt, where the hub took it; `receipts`: what the
    recipient signed; `entry` and `proof`: the entry of the log and its tlog-proof as they were shown.
    """

    t: Literal["message"] = "message"
    message: wire.Id
    sender: wire.Id
    recipient: wire.Id
    case: wire.Id
    manifest: str
    accepted: str | None
    receipts: Annotated[tuple[str, ...], Field(max_length=_MOST_RECEIPTS)]
    entry: str | None
    proof: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Everything that one agency holds."""

    holder: Holder
    held: tuple[Held, ...]


def write(out: BinaryIO, holder: Holder, held: Iterable[Held]) -> int:
    """Write records and return how many; the stream below stays open."""
    count = 0
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION, mtime=0) as lines:
        lines.write(wire.compact(holder) + b"\n")
        for one in held:
            lines.write(wire.compact(one) + b"\n")
            count += 1
    return count


def read(stream: BinaryIO) -> Records:
    """Read an agency's records; nothing in them is verified.

    *Raises* BundleRefusedError: `malformed-bundle`, `truncated-bundle`.
    """
    lines = _lines(stream)
    try:
        holder = wire.read(Holder, next(lines, b""))
        held = tuple(wire.read(Held, line, limit=MAX_LINE) for line in lines)
    except BundleRefusedError:
        raise
    except TsunagiError:
        raise BundleRefusedError("malformed-bundle") from None
    return Records(holder=holder, held=held)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=stream, mode="rb") as opened:
            while line := opened.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    raise BundleRefusedError("malformed-bundle")
                yield line
    except EOFError:
        raise BundleRefusedError("truncated-bundle") from None
    except (OSError, zlib.error):
        raise BundleRefusedError("malformed-bundle") from None
