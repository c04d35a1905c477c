# SPDX-License-Identifier: Apache-2.0
"""LOG-01 and LOG-03: one JSON line per event, nothing invisible in it, nothing of anybody's input."""

import io
import json
import logging
import sys

import pytest
import structlog

from hub.app import create_app
from hub.base import logs
from tests.hub.conftest import ISSUER

CANARIES = ("架空田 一郎", "090-0000-0000", "髙﨑𠮷", "kakuuda@example.jp")


@pytest.fixture
def lines():
    """Configure logging into a buffer; give a function that reads it as JSON lines."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().split("\n") if line]
    root.handlers[:], root.level = before


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nb",
        "a\x1b[31mb",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\ufeffb",
        "a\ud800b",
        "%s %d",
        "${jndi:ldap://x}",
        "\x00",
    ],
)
def test_log_01_whatever_is_logged_stays_one_line_and_visible(lines, capsys, text):
    structlog.get_logger("t").warning("thing:happened", value=text)
    raw = logging.getLogger().handlers[0].stream.getvalue()
    assert raw.count("\n") == 1
    assert [sign for sign in raw[:-1] if not sign.isprintable()] == []
    assert lines()[0]["value"] == text


def test_japanese_stays_readable(lines):
    structlog.get_logger("t").info("thing:happened", value="受付")
    assert "受付" in logging.getLogger().handlers[0].stream.getvalue()


def test_log_03_an_exception_is_its_type_and_its_places(lines):
    try:
        int(CANARIES[0])
    except ValueError:
        structlog.get_logger("t").exception("thing:failed")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["places"][-1].endswith("test_log_03_an_exception_is_its_type_and_its_places")
    assert CANARIES[0] not in json.dumps(line, ensure_ascii=False)


def test_log_03_records_of_libraries_lose_their_values(lines):
    logging.getLogger("library").warning("cannot read %s", CANARIES[1])
    logging.getLogger("library").warning(f"cannot read {CANARIES[1]}")  # noqa: G004 - what careless libraries do
    first, second = lines()
    assert first["event"] == "cannot read %s"
    assert second["event"] == "library:message"
    assert all(CANARIES[1] not in json.dumps(line) for line in (first, second))


def test_objects_are_logged_by_their_type(lines):
    structlog.get_logger("t").info("thing:happened", value=object())
    assert lines()[0]["value"] == "object"


def test_the_request_id_goes_with_every_line(lines):
    with structlog.contextvars.bound_contextvars(request_id="r"):
        structlog.get_logger("t").info("thing:happened")
        logging.getLogger("library").warning("x")
    assert [line["request_id"] for line in lines()] == ["r", "r"]


def test_log_03_nothing_that_is_sent_reaches_the_log(lines, client):
    agency = client.by("01890000-0000-7000-8000-00000000000a")
    for canary in CANARIES:
        headers = {"User-Agent": canary.encode().decode("latin-1"), "X-Request-Id": canary.encode().decode("latin-1")}
        agency.say("/v1/cases", {"case": canary, canary: canary})
        agency.say(f"/v1/cases/{canary}/notes", {"kind": canary})
        agency.get(f"/v1/cases?cursor={canary}&{canary}=1", headers=headers)
        agency.post("/v1/consents", data=canary, headers=headers | {"Content-Type": "application/json"})
        agency.get(f"/{canary}", headers=headers)
        agency.say("/v1/consents", {"record": canary})
    assert len(lines()) >= 6 * len(CANARIES)
    raw = logging.getLogger().handlers[0].stream.getvalue()
    assert [canary for canary in CANARIES if canary in raw or json.dumps(canary)[1:-1] in raw] == []


def test_a_failing_request_is_logged_without_what_failed(lines, settings, database):
    app = create_app(settings, database)

    def fail():
        raise RuntimeError(CANARIES[0])

    fail.permission = "open"
    app.add_url_rule("/fail", view_func=fail)
    assert app.test_client().get("/fail", base_url=ISSUER).status_code == 500
    failed, answered = lines()
    assert (failed["event"], failed["error"], answered["status"]) == ("request:failed", "RuntimeError", 500)
    assert failed["request_id"] == answered["request_id"]
    assert CANARIES[0] not in logging.getLogger().handlers[0].stream.getvalue()


def test_standard_error_is_where_logs_go_by_default():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure()
    assert root.handlers[0].stream is sys.stderr
    root.handlers[:], root.level = before
