# SPDX-License-Identifier: Apache-2.0
"""What a check of a bundle can find, and how grave it is."""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

KEPT: Final = 500
"""Findings of one code that are kept one by one; of more only the number."""


class Grade(IntEnum):
    """How grave a finding is; the number is the exit code of `tsunagi audit verify`."""

    TAMPERED = 1
    BREACH = 2
    INCOMPLETE = 3


class Code(StrEnum):
    """What was found; each has its sentence in the catalogue of the command line."""

    # the file and the tree
    BUNDLE_MALFORMED = "bundle-malformed"
    LOG_KEY_DIFFERS = "log-key-differs"
    LEAF_DIFFERS = "leaf-differs"
    OUT_OF_ORDER = "out-of-order"
    ROOT_DIFFERS = "root-differs"
    CHECKPOINT_BAD = "checkpoint-bad"
    KNOWN_DIFFERS = "known-differs"
    LOG_SHORTER = "log-shorter"
    # an entry and what was signed
    ENTRY_MALFORMED = "entry-malformed"
    DOCUMENT_DIFFERS = "document-differs"
    SIGNATURE_BAD = "signature-bad"
    UNKNOWN_MESSAGE = "unknown-message"
    # what the hub or an agency must not do
    KEY_NOT_VALID = "key-not-valid"
    KIND_DIFFERS = "kind-differs"
    DECISION_DIFFERS = "decision-differs"
    AFTER_WITHDRAWAL = "after-withdrawal"
    WITHOUT_CONSENT = "without-consent"
    NO_QUORUM = "no-quorum"
    # what is not there
    BUNDLE_TRUNCATED = "bundle-truncated"
    ENTRY_MISSING = "entry-missing"
    NOT_COVERED = "not-covered"
    DOCUMENT_MISSING = "document-missing"


_GRADES: Final = {
    **dict.fromkeys(Code, Grade.TAMPERED),
    **dict.fromkeys(
        (
            Code.KEY_NOT_VALID,
            Code.KIND_DIFFERS,
            Code.DECISION_DIFFERS,
            Code.AFTER_WITHDRAWAL,
            Code.WITHOUT_CONSENT,
            Code.NO_QUORUM,
        ),
        Grade.BREACH,
    ),
    **dict.fromkeys(
        (Code.BUNDLE_TRUNCATED, Code.ENTRY_MISSING, Code.NOT_COVERED, Code.DOCUMENT_MISSING), Grade.INCOMPLETE
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not hold, at `index`; with `last` it lies somewhere in `[index, last]`.

    `about`: the document, category or reason it is about, in codes.
    """

    code: Code
    index: int
    last: int | None = None
    about: str = ""

    @property
    def grade(self) -> Grade:
        """How grave it is."""
        return _GRADES[self.code]

    def names(self, index: int) -> bool:
        """Say whether it points at this index."""
        return self.index <= index <= (self.index if self.last is None else self.last)


class Findings:
    """What was found so far; of a flood only the first of each code are kept."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kept: list[Finding] = []
        self.counts: Counter[Code] = Counter()

    def add(self, code: Code, index: int, *, last: int | None = None, about: str = "") -> None:
        """Note a finding."""
        self.counts[code] += 1
        if self.counts[code] <= KEPT:
            self.kept.append(Finding(code=code, index=index, last=last, about=about))

    def join(self, other: "Findings") -> None:
        """Take in what another part of the work has found."""
        self.kept.extend(other.kept)
        self.counts += other.counts


def exit_code(counts: Counter[Code]) -> int:
    """Give 0 for sound, else the gravest: 1 tampered, 2 policy breach, 3 incomplete."""
    return min((_GRADES[code] for code in counts), default=0)
