# SPDX-License-Identifier: Apache-2.0
"""Prove from the stored log: that an entry is in it, and that an older log is its beginning.

A proof names the subtrees that it needs beforehand, so that all of them come by one query, however many entries are
proved together.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from consent.tlog import proofs, tree
from hub.audit import reads, tables
from hub.audit.reads import TILE_HEIGHT, Checkpoint, LogDamagedError, LoggedEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The hashes that lead from the entry at `index` to the root of `checkpoint`."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint


def inclusion(session: Session, index: int) -> Inclusion | None:
    """Prove that the entry at *index* is in the newest checkpoint's tree (RFC 6962 §2.1.1); None if it is
    not.
    """
    return inclusions(session, (index,)).get(index)


def inclusions(session: Session, indexes: Collection[int]) -> Mapping[int, Inclusion]:
    """Prove by two queries that entries are in the newest checkpoint's tree; those that are not are left out.

    Raises:
        LogDamagedError: a hash is missing.
    """
    newest = reads.checkpoint(session)
    if newest is None:
        return {}
    inside = [index for index in indexes if 0 <= index < newest.size]
    places = {place for index in inside for place in proofs.inclusion_places(index, newest.size)}
    nodes = _subtrees(session, places)
    return {
        index: Inclusion(index=index, path=proofs.inclusion(index, newest.size, nodes), checkpoint=newest)
        for index in inside
    }


def proved(session: Session, agency: str, ids: Collection[str]) -> Mapping[str, tuple[LoggedEntry, Inclusion]]:
    """Give those entries that name *agency* as a party and are in the newest checkpoint's tree, each with its proof, by
    its id: three queries.

    Raises:
        LogDamagedError: a hash is missing.
    """
    entries = reads.entries_by_id(session, agency, ids)
    included = inclusions(session, [entry.index for entry in entries])
    return {entry.id: (entry, included[entry.index]) for entry in entries if entry.index in included}


def consistency(session: Session, old: int) -> tuple[bytes, ...] | None:
    """Prove that the tree of size *old* is a prefix of the newest checkpoint's (RFC 6962 §2.1.2); None if
    it cannot be.
    """
    newest = reads.checkpoint(session)
    if newest is None or not 0 <= old <= newest.size:
        return None
    return consistency_to(session, old, newest.size)


def consistency_to(session: Session, old: int, new: int) -> tuple[bytes, ...]:
    """Prove that the tree of size *old* is a prefix of that of size *new*.

    Raises:
        ValueError: *old* is larger than *new*. LogDamagedError: a hash is missing.
    """
    return proofs.consistency(old, new, _subtrees(session, proofs.consistency_places(old, new)))


def frontier(session: Session, size: int) -> tree.Frontier:
    """Return the edge of the tree over the first *size* leaves, as stored.

    Raises:
        LogDamagedError: a hash is missing.
    """
    places = tree.peaks_of(size)
    nodes = _subtrees(session, places)
    return tree.Frontier(size, tuple(nodes(level, index) for level, index in places))


def _subtrees(session: Session, places: Collection[proofs.Place]) -> proofs.NodeSource:
    """Fetch the roots of full subtrees at once, each from the hashes of the tile level below it."""
    wanted = {place: _stretch(*place) for place in places}
    stretches = list(wanted.values())
    asked = {name: [one[at] for one in stretches] for at, name in enumerate(("levels", "firsts", "ends"))}
    found = {(row.level, row.place): row.hash for row in session.execute(_HASHES, asked)}
    roots = {place: _root(found, *stretch) for place, stretch in wanted.items()}
    return lambda level, index: roots[level, index]


def _stretch(level: int, index: int) -> tuple[int, int, int]:
    """Say where the hashes below a subtree are stored: tile level, first place, and the place after the last."""
    tile_level, height = divmod(level, TILE_HEIGHT)
    return tile_level, index << height, (index + 1) << height


def _root(found: Mapping[tuple[int, int], bytes], level: int, first: int, end: int) -> bytes:
    hashes = [found[level, place] for place in range(first, end) if (level, place) in found]
    if len(hashes) != end - first:
        raise LogDamagedError("hash-missing", first)
    return tree.root(hashes)


def _hashes() -> sa.Select[tuple[int, int, bytes]]:
    """Make the query for the hashes in several stretches: one statement, however many they are."""
    table = tables.log_hashes.c

    def given(name: str) -> sa.Cast[Any]:
        return sa.cast(sa.bindparam(name), postgresql.ARRAY(sa.BigInteger))

    stretches = (
        sa.func.unnest(given("levels"), given("firsts"), given("ends"))
        .table_valued("level", "first", "end", name="stretches")
        .render_derived()
        .c
    )
    inside = sa.and_(table.level == stretches.level, table.index >= stretches.first, table.index < stretches.end)
    return sa.select(table.level, table.index.label("place"), table.hash).where(inside).distinct()


_HASHES = _hashes()
