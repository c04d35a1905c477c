# SPDX-License-Identifier: Apache-2.0
"""A log that was edited, cut off or put back is refused: nothing more is signed, and the place is named."""

from collections.abc import Callable

import psycopg
import pytest

from consent.jwk import KeyUse, generate
from hub.audit import jobs
from hub.audit.reads import LogDamagedError
from hub.audit.sequencer import Signer
from hub.base.db import Database

from .conftest import Append

SIZE = 300
FIRST = 100
"""How many of them the first checkpoint holds."""
ADDED = """insert into log_entries select 300, gen_random_uuid(), kind, parties, case_handle, body, logged_at
    from log_entries where index = 0"""
# what was done to the stored log · what the full check says · where
HANDS = [
    ("update log_entries set body = body || ' ' where index = 7", "entry-changed", 7),
    ("update log_entries set body = set_byte(body, 40, 33) where index = 299", "entry-changed", 299),
    ("delete from log_entries where index = 5", "entry-missing", 5),
    ("update log_hashes set hash = sha256('x') where level = 0 and index = 12", "entry-changed", 12),
    ("update log_hashes set hash = sha256('x') where level = 0 and index = 299", "root-differs", SIZE),
    ("update log_hashes set hash = sha256('x') where level = 1 and index = 0", "root-differs", SIZE),
    ("delete from log_hashes where level = 1", "hash-missing", 0),
    ("delete from log_entries where index >= 200", "size-differs", SIZE),
    (ADDED, "size-differs", SIZE),
    ("delete from log_checkpoints where size = 300", "size-differs", 100),
    ("update log_checkpoints set root = sha256('x') where size = 300", "root-differs", SIZE),
    ("update log_checkpoints set root = sha256('x') where size = 100", "root-differs", 100),
    ("update log_checkpoints set note = (select note from log_checkpoints where size = 100) where size = 300",
     "note-differs", SIZE),
    ("update log_checkpoints set note = 'gone' where size = 300", "note-not-ours", SIZE),
    ("update log_entries set body = (select body from log_entries where index = 4) where index = 3",
     "entry-changed", 3),
]  # fmt: skip
# those that change the edge of the tree or the newest checkpoint are seen by every single pass
SEEN_AT_ONCE = [hand for hand in HANDS if hand[1] not in {"entry-changed", "entry-missing"} and hand[2] != 100]


@pytest.fixture
def log(append_many: Callable[[int], None], sequencer_database: Database, signer: Signer) -> Database:
    for number in (FIRST, SIZE - FIRST):
        append_many(number)
        jobs.sequence(sequencer_database, signer)
    assert jobs.verify(sequencer_database, signer) == SIZE
    return sequencer_database


def change_row(owner: psycopg.Connection, statement: str) -> None:
    assert owner.execute(statement).rowcount > 0


@pytest.mark.parametrize(("statement", "code", "place"), HANDS, ids=[hand[0] for hand in HANDS])
def test_the_full_check_finds_every_hand_on_the_log_and_names_the_place(
    log: Database, signer: Signer, owner: psycopg.Connection, statement: str, code: str, place: int
) -> None:
    change_row(owner, statement)
    with pytest.raises(LogDamagedError) as refused:
        jobs.verify(log, signer)
    assert (refused.value.code, refused.value.place) == (code, place)


@pytest.mark.parametrize("statement", [hand[0] for hand in SEEN_AT_ONCE])
def test_a_pass_refuses_to_sign_what_does_not_extend_the_last_checkpoint(
    log: Database, signer: Signer, owner: psycopg.Connection, append: Append, statement: str
) -> None:
    change_row(owner, statement)
    append()
    before = owner.execute("select max(size), count(*) from log_checkpoints").fetchone()
    with pytest.raises(LogDamagedError):
        jobs.sequence(log, signer)
    assert owner.execute("select max(size), count(*) from log_checkpoints").fetchone() == before
    assert owner.execute("select count(*) from audit_pending").fetchone() == (1,), "the entry is kept for later"


def test_a_log_signed_by_another_key_is_not_continued(log: Database, signer: Signer, append: Append) -> None:
    append()
    other = Signer(origin=signer.origin, key=generate(KeyUse.WITNESS))
    with pytest.raises(LogDamagedError, match="note-not-ours"):
        jobs.sequence(log, other)


def test_a_log_under_another_name_is_not_continued(log: Database, signer: Signer, append: Append) -> None:
    append()
    with pytest.raises(LogDamagedError, match="note-not-ours"):
        jobs.sequence(log, Signer(origin="elsewhere.example/v1/audit", key=signer.key))
