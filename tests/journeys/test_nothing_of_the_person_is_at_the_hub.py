# SPDX-License-Identifier: Apache-2.0
"""After a story nothing of the person is found at the hub; and the search finds what does lie there."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from deploy.demo.__main__ import needles
from deploy.demo.search import search
from deploy.play.stage import Stage
from tests.journeys.theatre import OURS, Theatre, read

NEEDLE = "架空野 探一郎のことば"
LONGER = "よくあるまえがき" * 40

FIRST = OURS[0]
"""The story with which a stage begins: rare characters in the name, names among the staff, words in every event."""

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(theatre: Theatre) -> Stage:
    if theatre.stage is None:
        theatre.play(read(FIRST))
    assert theatre.stage is not None
    return theatre.stage


def places(stage: Stage, folders: Sequence[Path] = ()) -> set[str]:
    """Say where the needle is found: in database and Redis, and below the folders."""
    return {found.place for found in search(stage.settings, [NEEDLE], folders).found}


def test_nothing_of_the_person_is_found_after_a_story(theatre: Theatre) -> None:
    told = read(FIRST)
    played = theatre.play(told)
    assert all(one.agrees for one in played)
    stage, company = theatre.stage, theatre.company
    assert stage is not None
    assert company is not None
    wanted = needles(told)
    assert told.person.split(" (")[0] in wanted
    assert {event.text for event in told.events} <= set(wanted)
    stage.settle()
    report = search(stage.settings, wanted, stage.traces)
    assert report.found == ()
    assert report.needles == len(wanted)
    assert min(report.tables, report.rows, report.files) > 30
    # what must be there is found by the same search: the handle of the case
    assert {"table cases", "table parts"} & {found.place for found in search(stage.settings, [company.case], ()).found}


@pytest.fixture
def planted(stage: Stage) -> Iterator[sa.Connection]:
    engine = sa.create_engine(stage.settings.migration_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
        connection.exec_driver_sql("drop table if exists planted")
    engine.dispose()


WAYS: dict[str, Callable[[str], str]] = {
    "as it stands": str,
    "inside something longer": lambda text: LONGER + text + LONGER,
    "in JSON": lambda text: json.dumps({"note": LONGER + text}),
    "in JSON beside quotes": lambda text: json.dumps({"note": '"' + text + "\\"}, ensure_ascii=False),
    "in base64": lambda text: base64.b64encode(("x" + text).encode()).decode(),
    "in a token": lambda text: base64.urlsafe_b64encode(("xy" + text).encode()).decode(),
    "in hexadecimal": lambda text: text.encode().hex(),
    "in an address": quote,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_search_sees_text_in_a_table(stage: Stage, planted: sa.Connection, way: str) -> None:
    planted.exec_driver_sql("create table planted (note text)")
    planted.execute(sa.text("insert into planted values (:note)"), {"note": WAYS[way](NEEDLE)})
    assert "table planted" in places(stage)


@pytest.mark.parametrize("kind", [JSON, JSONB, ARRAY(sa.Text)])
def test_the_search_sees_what_a_document_or_a_list_holds(stage: Stage, planted: sa.Connection, kind: Any) -> None:
    table = sa.Table("planted", sa.MetaData(), sa.Column("note", kind))
    table.create(planted)
    note = [NEEDLE, LONGER] if isinstance(kind, ARRAY) else {"notes": [{"of": NEEDLE}]}
    planted.execute(table.insert().values(note=note))
    assert "table planted" in places(stage)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp932", "euc_jp"])
def test_the_search_sees_bytes_in_a_table(stage: Stage, planted: sa.Connection, encoding: str) -> None:
    planted.exec_driver_sql("create table planted (note bytea)")
    planted.execute(sa.text("insert into planted values (:note)"), {"note": b"x" + NEEDLE.encode(encoding)})
    assert "table planted" in places(stage)


KEPT: dict[str, Callable[[redis.Redis, bytes], object]] = {
    "a value": lambda client, text: client.set("planted", text),
    "a packed job": lambda client, text: client.hset("planted", mapping={"data": zlib.compress(text)}),
    "a hash": lambda client, text: client.hset("planted", mapping={"note": text}),
    "a list": lambda client, text: client.rpush("planted", b"x", text),
    "a set": lambda client, text: client.sadd("planted", text),
    "a sorted set": lambda client, text: client.zadd("planted", {text: 1}),
    "a stream": lambda client, text: client.xadd("planted", {"note": text}),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_search_sees_what_redis_holds(stage: Stage, kind: str) -> None:
    client = redis.Redis.from_url(str(stage.settings.redis_url))
    try:
        KEPT[kind](client, (LONGER + NEEDLE + LONGER).encode())
        assert "redis" in places(stage)
    finally:
        client.delete("planted")
        client.close()


def test_the_search_sees_a_key_of_redis(stage: Stage) -> None:
    client = redis.Redis.from_url(str(stage.settings.redis_url))
    try:
        client.set(f"planted:{NEEDLE}", "x")
        assert "redis" in places(stage)
    finally:
        client.delete(f"planted:{NEEDLE}")
        client.close()


def test_the_search_sees_a_file_and_the_log_beside_the_folder(stage: Stage) -> None:
    file, log = stage.folder / "hub" / "planted.txt", stage.folder / "hub.log"
    before = log.read_bytes()
    try:
        file.write_text(LONGER + NEEDLE, "utf-8")
        with log.open("a", encoding="utf-8") as open_log:
            open_log.write(NEEDLE)
        assert {"file hub/planted.txt", "file hub.log"} <= places(stage, stage.traces)
    finally:
        file.unlink()
        log.write_bytes(before)
