# SPDX-License-Identifier: Apache-2.0
"""Erasure by two people: bytes go, and the tree, the proofs and the check stay whole."""

from __future__ import annotations

import io
from pathlib import Path

import psycopg
import pytest

from consent.evidence.findings import Code
from consent.evidence.verify import Trusted, verify_stream
from consent.jwk import KeyUse, generate
from hub.audit import erasing, jobs, proving, reads
from hub.audit.keeping import Keeper
from hub.audit.rules import AuditKind
from hub.audit.sequencer import Signer
from hub.base.db import Database, now
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.evidence import reads as evidence
from hub.evidence.reads import Keys

from .conftest import OURS, Append
from .town import grow, kinds, newest

FIRST, SECOND = "00000000-0000-4000-8000-0000000000f1", "00000000-0000-4000-8000-0000000000f2"


def erase(keeper: Keeper, indexes: list[int]) -> str:
    with keeper.jobs.transaction(None) as session:
        made = erasing.order(session, indexes, ground=erasing.Ground.RETENTION_ENDED, by=FIRST, now=now(session))
    with keeper.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=SECOND, now=now(session))
    return made


@pytest.fixture
def alone(sequencer_database: Database, jobs_database: Database, signer: Signer) -> Keeper:
    return Keeper(seq=sequencer_database, jobs=jobs_database, signer=signer)


def test_erased_bytes_go_and_the_tree_the_proofs_and_the_check_stay_whole(
    append: Append, alone: Keeper, database: Database, owner: psycopg.Connection, tmp_path: Path
) -> None:
    ids = grow(append, alone, 8)
    jobs.mirror(alone.seq, alone.jobs, tmp_path, alone.signer)
    before = newest(alone.seq)
    erase(alone, [2, 5])
    assert alone.erase() == 0, "not before the tombstone is in the tree"
    alone.sequence()
    assert alone.erase() == 2
    assert alone.erase() == 0
    assert owner.execute("select index from log_entries where body is null order by index").fetchall() == [(2,), (5,)]
    assert owner.execute(
        "select count(*) from log_entries where case_handle is null and index in (2, 5)"
    ).fetchone() == (2,)
    assert jobs.verify(alone.seq, alone.signer) == 9
    with database.transaction(OURS) as session:
        assert [one.id for one in reads.entries(session, OURS)] == [one for n, one in enumerate(ids) if n not in {2, 5}]
        assert reads.entry(session, OURS, ids[2]) is None
        proof = proving.inclusion(session, 2)
        assert proof is not None
        assert reads.tile(session, level=0, number=0, width=9) is not None
    assert kinds(alone.seq)[8] == AuditKind.LOG_ERASED
    with alone.seq.transaction(None) as session:
        assert proving.frontier(session, 8).root() == before.root
    jobs.mirror(alone.seq, alone.jobs, tmp_path, alone.signer)
    bundle = (tmp_path / "tile" / "entries" / "000.p" / "9").read_bytes()
    assert ids[2].encode() not in bundle
    assert ids[3].encode() in bundle


def test_an_entry_without_bytes_and_without_tombstone_is_a_hand_on_the_log(
    append: Append, alone: Keeper, owner: psycopg.Connection
) -> None:
    grow(append, alone, 4)
    erase(alone, [1])
    alone.sequence()
    alone.erase()
    owner.execute("update log_entries set body = null where index = 2")
    with pytest.raises(reads.LogDamagedError, match="entry-missing at 2"):
        jobs.verify(alone.seq, alone.signer)


def findings(keeper: Keeper) -> list[tuple[Code, int]]:
    """Check the log offline, as whoever has a bundle of it does."""
    out = io.BytesIO()
    keys = Keys(log=keeper.signer.verifier, receipt=generate(KeyUse.SIG).public.jwk())
    with keeper.jobs.transaction(None) as session:
        evidence.write(session, out, keys, now=now(session))
    report = verify_stream(io.BytesIO(out.getvalue()), Trusted(log=keeper.signer.verifier))
    return [(one.code, one.index) for one in report.findings]


def test_a_check_without_the_hub_knows_what_was_erased_by_its_tombstone(
    append: Append, alone: Keeper, owner: psycopg.Connection
) -> None:
    grow(append, alone, 300)
    assert findings(alone) == []
    erase(alone, [0, 1, 7, 255, 256, 299])
    alone.sequence()
    alone.erase()
    assert findings(alone) == []
    owner.execute("update log_entries set body = null where index in (8, 257)")
    assert findings(alone) == [(Code.ENTRY_MISSING, 8), (Code.ENTRY_MISSING, 257)]


def test_one_person_alone_erases_nothing(append: Append, alone: Keeper) -> None:
    grow(append, alone, 4)
    with alone.jobs.transaction(None) as session:
        made = erasing.order(session, [0], ground=erasing.Ground.COURT_ORDER, by=FIRST, now=now(session))
    with pytest.raises(ConflictError, match="same-person"), alone.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=FIRST, now=now(session))
    alone.sequence()
    assert alone.erase() == 0
    with alone.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=SECOND, now=now(session))
    with pytest.raises(ConflictError, match="erasure-confirmed"), alone.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=SECOND, now=now(session))
    with pytest.raises(NotFoundError), alone.jobs.transaction(None) as session:
        erasing.confirm(session, OURS, by=SECOND, now=now(session))


@pytest.mark.parametrize(
    ("indexes", "code"),
    [([], "erasure-empty"), ([9], "erasure-not-there"), ([-1], "erasure-not-there"), ([3], "erasure-kept"),
     (list(range(10_001)), "erasure-too-large"), ([0, 3], "erasure-kept")],
)  # fmt: skip
def test_what_may_not_be_erased_is_refused(append: Append, alone: Keeper, indexes: list[int], code: str) -> None:
    for _ in range(3):
        append()
    append(kind=AuditKind.KEY_PUBLISHED)
    alone.sequence()
    with pytest.raises(InvalidError, match=code), alone.jobs.transaction(None) as session:
        erasing.order(session, indexes, ground=erasing.Ground.PERSON_ASKED, by=FIRST, now=now(session))


@pytest.mark.parametrize(
    "statement",
    [
        "update log_entries set body = null where index = 1",
        "update log_entries set body = 'x', case_handle = null where index = 0",
        "update log_entries set body = null where index = 99",
    ],
)
def test_no_role_of_ours_takes_other_bytes_away(append: Append, alone: Keeper, hub_database, statement: str) -> None:
    grow(append, alone, 3)
    erase(alone, [0])
    alone.sequence()
    for word in ("no", "yes" if "99" not in statement else "no"):
        with psycopg.connect(hub_database.url.replace("+psycopg", "")) as connection:
            connection.execute("set role tsn_seq")
            connection.execute("select set_config('tsn.erasing', %s, false)", [word])
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                connection.execute(statement)
    alone.erase()
    assert jobs.verify(alone.seq, alone.signer) == 4
