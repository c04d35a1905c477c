# SPDX-License-Identifier: Apache-2.0
"""The play clock: a rehearsal's time, standing where the script says and moving one microsecond per transaction.

It is a sequence of microseconds since 1970 that exists only where `tsunagi-hub migrate --play` made it. A sequence
and not a row, because a row would be locked until commit: every transaction of the hub would wait for every other,
and two transactions of one request would wait for each other for ever. Real hubs have none and refuse to start on
one.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from hub.base.config import Settings
from hub.base.db import Database, now
from hub.base.errors import ConfigurationError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def create_play_clock(url: str, at: datetime = BEGINNING) -> None:
    """Give the database a play clock standing at `at`; one that has it keeps it. `url`: the migration login's.

    Pools that are already connected go on with real time: create the clock before the hub starts.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("set local role tsn_owner")
        connection.exec_driver_sql(f"create sequence if not exists play_clock as bigint start {_ticks(at)}")
        connection.exec_driver_sql("grant usage, select on sequence play_clock to tsn_hub, tsn_job, tsn_seq, tsn_dpo")
    engine.dispose()


class Hand:
    """The hand by which somebody moves one play clock; it keeps its connection. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Take the migration login's URL; nothing is connected yet."""
        self._engine = sa.create_engine(url, pool_size=1)

    def move(self, at: datetime) -> datetime:
        """Move the clock to `at`, never backwards, and tell where it stands."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("set local role tsn_owner")
            stands: int = connection.execute(
                sa.text("select setval('play_clock', greatest(last_value, :at)) from play_clock"), {"at": _ticks(at)}
            ).scalar_one()
        return EPOCH + stands * MICROSECOND

    def close(self) -> None:
        """Let go of the clock."""
        self._engine.dispose()


def set_play_clock(url: str, at: datetime) -> datetime:
    """Move the clock to `at` once, as `Hand.move`. `url`: the migration login's."""
    hand = Hand(url)
    try:
        return hand.move(at)
    finally:
        hand.close()


def refuse_play_in_production(database: Database, settings: Settings) -> None:
    """Stop a production hub from running on a rehearsal's clock.

    *Raises* ConfigurationError: it would. UnavailableError: the database is away, nobody can tell.
    """
    with database.transaction(None) as session:
        now(session)
    if settings.production and database.playing:
        raise ConfigurationError("play-clock-in-production")


def _ticks(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
