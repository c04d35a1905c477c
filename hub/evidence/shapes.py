# SPDX-License-Identifier: Apache-2.0
"""What evidence looks like from outside: an entry as the log's own endpoints show it, and what was signed about it."""

from collections.abc import Mapping

from hub.audit.reads import LoggedEntry
from hub.audit.shapes import EntryShape
from hub.web.paging import Page, PageQuery


class EvidenceQuery(PageQuery):
    """`?limit=&cursor=`."""


class EvidenceShape(EntryShape):
    """An entry with the signed documents it speaks of, by what they are to it (docs/evidence.md), byte for byte."""

    documents: dict[str, str]

    @classmethod
    def about(cls, logged: LoggedEntry, documents: Mapping[str, str]) -> "EvidenceShape":
        """Show an entry and its documents."""
        return cls(**EntryShape.of(logged).model_dump(), documents=dict(documents))


class EvidencePage(Page[EvidenceShape]):
    """A page of the caller's own entries, in the order of the log."""
