# SPDX-License-Identifier: Apache-2.0
"""The sequencer: dense indexes, one tree, checkpoints that extend each other, and two of them that do not
fork.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from consent.tlog import notes, proofs, tree
from hub.audit import jobs, proving, reads, sequencer, tables
from hub.audit.sequencer import Signer
from hub.base.db import Database, now

from .conftest import OURS, Append


def entries(database: Database) -> list[reads.LoggedEntry]:
    with database.transaction(None) as session:
        rows = session.execute(sa.select(tables.log_entries).order_by(tables.log_entries.c.index)).mappings()
        return [
            reads.LoggedEntry(index=row["index"], id=row["id"], body=row["body"], logged_at=row["logged_at"])
            for row in rows
        ]


def newest(database: Database) -> reads.Checkpoint:
    with database.transaction(None) as session:
        found = reads.checkpoint(session)
    assert found is not None
    return found


def test_the_first_pass_signs_the_empty_tree(sequencer_database: Database, signer: Signer) -> None:
    assert jobs.sequence(sequencer_database, signer) == 0
    found = newest(sequencer_database)
    assert (found.size, found.root) == (0, tree.EMPTY_ROOT)
    assert notes.open_checkpoint(found.note, signer.verifier).size == 0


def test_indexes_are_dense_in_the_order_of_arrival_and_the_root_is_over_the_stored_bytes(
    append: Append, sequencer_database: Database, signer: Signer
) -> None:
    ids = []
    for batch in (1, 2, 5):
        ids += [append() for _ in range(batch)]
        assert jobs.sequence(sequencer_database, signer) == batch
    found = entries(sequencer_database)
    assert [one.index for one in found] == list(range(8))
    assert [one.id for one in found] == ids
    signed = notes.open_checkpoint(newest(sequencer_database).note, signer.verifier)
    assert signed == notes.Checkpoint(
        origin="hub.example/v1/audit", size=8, root=tree.root([tree.leaf_hash(one.body) for one in found])
    )


def test_an_empty_pass_signs_nothing_new(append: Append, sequencer_database: Database, signer: Signer) -> None:
    append()
    jobs.sequence(sequencer_database, signer)
    before = newest(sequencer_database)
    jobs.sequence(sequencer_database, signer)
    assert newest(sequencer_database) == before


def test_a_late_commit_with_an_early_number_is_taken_when_it_is_there(
    database: Database, append: Append, sequencer_database: Database, signer: Signer
) -> None:
    from hub.audit import service
    from hub.audit.rules import AuditKind, Entry

    with database.transaction(OURS) as slow:
        late = service.append(slow, Entry(kind=AuditKind.CASE_NOTED, actor=OURS, parties=(OURS,)), now=now(slow))
        quick = append()
        assert jobs.sequence(sequencer_database, signer) == 1
    assert jobs.sequence(sequencer_database, signer) == 1
    assert [one.id for one in entries(sequencer_database)] == [quick, late]


def test_every_checkpoint_extends_the_one_before(append: Append, sequencer_database: Database, signer: Signer) -> None:
    for batch in (3, 1, 4, 300):
        for _ in range(batch):
            append()
        jobs.sequence(sequencer_database, signer)
    with sequencer_database.transaction(None) as session:
        signed = list(reads.roots(session))
        *older, (size, root) = signed
        assert [one[0] for one in signed] == [3, 4, 8, 308]
        for old, old_root in older:
            proof = proving.consistency(session, old)
            assert proof is not None
            proofs.verify_consistency(old=old, old_root=old_root, new=size, new_root=root, proof=proof)
        assert proving.consistency(session, size + 1) is None


def test_inclusion_of_every_entry_is_proved_to_a_stranger(
    append: Append, sequencer_database: Database, signer: Signer
) -> None:
    for _ in range(262):
        append()
    jobs.sequence(sequencer_database, signer)
    found = entries(sequencer_database)
    with sequencer_database.transaction(None) as session:
        for one in found[:3] + found[250:]:
            proof = proving.inclusion(session, one.index)
            assert proof is not None
            signed = notes.open_checkpoint(proof.checkpoint.note, signer.verifier)
            proofs.verify_inclusion(
                tree.leaf_hash(one.body), index=one.index, size=signed.size, proof=proof.path, root=signed.root
            )
        assert proving.inclusion(session, 262) is None
        assert proving.inclusion(session, -1) is None


def test_many_entries_are_proved_by_as_many_questions_as_one(
    append: Append, sequencer_database: Database, signer: Signer
) -> None:
    ids = [append() for _ in range(9)]
    jobs.sequence(sequencer_database, signer)
    asked: list[str] = []

    def hear(*said: object) -> None:
        asked.append(str(said[2]))

    sa.event.listen(sequencer_database.engine, "before_cursor_execute", hear)
    with sequencer_database.transaction(None) as session:
        asked.clear()
        assert list(proving.proved(session, OURS, ids[:1])) == ids[:1]
        one = len(asked)
        assert set(proving.proved(session, OURS, ids)) == set(ids)
        assert (one, len(asked)) == (3, 6)
        assert proving.proved(session, "00000000-0000-4000-8000-000000000000", ids) == {}
    sa.event.remove(sequencer_database.engine, "before_cursor_execute", hear)


def test_tiles_hold_what_is_signed_and_no_more(append: Append, sequencer_database: Database, signer: Signer) -> None:
    for _ in range(260):
        append()
    jobs.sequence(sequencer_database, signer)
    leaves = [tree.leaf_hash(one.body) for one in entries(sequencer_database)]
    with sequencer_database.transaction(None) as session:
        full = reads.tile(session, level=0, number=0, width=256)
        assert full == b"".join(leaves[:256])
        assert reads.tile(session, level=1, number=0, width=1) == tree.root(leaves[:256])
        assert reads.tile(session, level=0, number=1, width=4) == b"".join(leaves[256:])
        assert reads.tile(session, level=0, number=1, width=5) is None
        assert reads.tile(session, level=1, number=0, width=2) is None


def test_times_do_not_go_back_when_the_clock_does(append: Append, sequencer_database: Database, signer: Signer) -> None:
    append()
    jobs.sequence(sequencer_database, signer)
    append()
    with sequencer_database.transaction(None) as session:
        sequencer.sequence(session, signer, now=now(session) - timedelta(hours=1))
    first, second = entries(sequencer_database)
    assert second.logged_at == first.logged_at
    assert newest(sequencer_database).made_at == first.logged_at


def test_a_second_sequencer_stands_by_while_the_first_is_at_it(
    append: Append, sequencer_database: Database, signer: Signer
) -> None:
    append()
    with sequencer_database.transaction(None) as first:
        assert sequencer.sequence(first, signer, now=now(first)) == 1
        with sequencer_database.transaction(None) as second:
            assert sequencer.sequence(second, signer, now=now(second)) is None


def test_two_sequencers_at_once_do_not_fork(append: Append, sequencer_database: Database, signer: Signer) -> None:
    ids: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        sequencing = [pool.submit(_sequence_until, sequencer_database, signer, 120) for _ in range(2)]
        ids += list(pool.map(lambda _: append(), range(60)))
        ids += list(pool.map(lambda _: append(), range(60)))
        for future in sequencing:
            future.result()
    found = entries(sequencer_database)
    assert [one.index for one in found] == list(range(120))
    assert {one.id for one in found} == set(ids)
    assert jobs.verify(sequencer_database, signer) == 120


def _sequence_until(database: Database, signer: Signer, size: int) -> None:
    for _ in range(10_000):
        jobs.sequence(database, signer)
        with database.transaction(None) as session:
            if reads.logged(session) >= size:
                return
