# SPDX-License-Identifier: Apache-2.0
"""Entries are for their parties; hashes, checkpoints and proofs are for everyone."""

from hub.audit import jobs, proving, reads
from hub.audit.sequencer import Signer
from hub.base.db import Database

from .conftest import CASE, OURS, THEIRS, Append

OTHER_CASE = "00000000-0000-4000-8000-0000000000cb"


def test_an_agency_reads_the_entries_that_name_it_and_no_other(
    append: Append, database: Database, sequencer_database: Database, signer: Signer
) -> None:
    ours, shared, theirs = append(OURS), append(OURS, THEIRS), append(THEIRS)
    jobs.sequence(sequencer_database, signer)
    with database.transaction(OURS) as session:
        assert [one.id for one in reads.entries(session, OURS)] == [ours, shared]
        assert reads.entry(session, OURS, theirs) is None
        found = reads.entry(session, OURS, shared)
        assert found is not None
        assert found.index == 1


def test_the_database_itself_hides_entries_from_who_is_no_party(
    append: Append, database: Database, sequencer_database: Database, signer: Signer
) -> None:
    secret = append(THEIRS)
    jobs.sequence(sequencer_database, signer)
    with database.transaction(OURS) as session:
        assert reads.entries(session, THEIRS) == ()
        assert reads.entry(session, THEIRS, secret) is None
    with database.transaction(None) as session:
        assert reads.entries(session, THEIRS) == ()


def test_hashes_and_proofs_are_for_everyone(
    append: Append, database: Database, sequencer_database: Database, signer: Signer
) -> None:
    append(THEIRS)
    append(THEIRS)
    jobs.sequence(sequencer_database, signer)
    with database.transaction(OURS) as session:
        assert reads.tile(session, level=0, number=0, width=2) is not None
        assert proving.inclusion(session, 1) is not None


def test_entries_come_in_pages_and_by_case(
    append: Append, database: Database, sequencer_database: Database, signer: Signer
) -> None:
    ids = [append(OURS, case=(CASE, OTHER_CASE)[number % 2]) for number in range(5)]
    jobs.sequence(sequencer_database, signer)
    with database.transaction(OURS) as session:
        first = reads.entries(session, OURS, limit=2)
        rest = reads.entries(session, OURS, after=first[-1].index, limit=9)
        assert [one.id for one in first + rest] == ids
        assert [one.id for one in reads.entries(session, OURS, case=OTHER_CASE)] == ids[1::2]


def test_before_the_first_pass_there_is_nothing_to_show(database: Database) -> None:
    with database.transaction(OURS) as session:
        assert reads.checkpoint(session) is None
        assert proving.inclusion(session, 0) is None
        assert proving.consistency(session, 0) is None
        assert reads.tile(session, level=0, number=0, width=1) is None
