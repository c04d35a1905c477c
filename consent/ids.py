# SPDX-License-Identifier: Apache-2.0
"""Names for new things: UUIDv7 (RFC 9562 §5.7) from a given time and given randomness.

No clock and no random source of its own.
"""

from datetime import UTC, datetime, timedelta

RANDOM_BYTES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62
_VERSION_FIELD = 0xF << 76
_VARIANT_FIELD = 0b11 << 62


def uuid7(at: datetime, randomness: bytes) -> str:
    """Make a lower-case canonical UUIDv7 of the millisecond of `at` and 10 random bytes.

    Raises:
        ValueError: `randomness` is not 10 bytes long, or `at` lies before 1970.
    """
    milliseconds = (at - _EPOCH) // _MILLISECOND
    if len(randomness) != RANDOM_BYTES or not 0 <= milliseconds < 1 << 48:
        message = "uuid7 needs 10 random bytes and a time from 1970 on"
        raise ValueError(message)
    number = milliseconds << 80 | int.from_bytes(randomness)
    number = number & ~(_VERSION_FIELD | _VARIANT_FIELD) | _VERSION_7 | _VARIANT_RFC
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
