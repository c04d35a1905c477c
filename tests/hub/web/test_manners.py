# SPDX-License-Identifier: Apache-2.0
"""The manners of the API, and the HTT rows of the bad-input list, through the real app."""

import json
import time

import pytest
import sqlalchemy as sa

from tests.hub.conftest import ISSUER
from tests.hub.web.conftest import ran

A = "01890000-0000-7000-8000-00000000000a"
B = "01890000-0000-7000-8000-00000000000b"
ONE = "01890000-0000-7000-8000-000000000001"
NONE = "01890000-0000-7000-8000-000000000002"
GOOD = {"name": "a"}


@pytest.fixture
def by_a(client):
    return client.by(A)


def raw(client, data, content_type="application/json"):
    return client.post("/v1/things", data=data, headers={"Idempotency-Key": "k", "Content-Type": content_type})


def is_problem(answer, status, code):
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.json["type"] == f"urn:tsunagi:{code}"
    assert answer.json["status"] == status
    return True


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"null", b"[]", b"[{}]", b'"x"', b"{", b'{"name":"a","name":"b"}', b"\xff\xfe"]
)
def test_htt_01_a_body_that_is_no_json_object_is_malformed(by_a, data):
    assert is_problem(raw(by_a, data), 400, "malformed-json")


def test_htt_03_deep_nesting_is_malformed_and_never_a_failure(by_a):
    assert is_problem(raw(by_a, b'{"inner":' * 100_000 + b"1" + b"}" * 100_000), 400, "malformed-json")
    assert is_problem(raw(by_a, b"[" * 100_000), 400, "malformed-json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_htt_05_numbers_that_are_none_are_malformed(by_a, number):
    assert is_problem(raw(by_a, f'{{"name":"a","number":{number}}}'), 400, "malformed-json")


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00x", "\\u0000"])
def test_htt_06_text_that_cannot_be_kept_is_refused(by_a, text):
    assert is_problem(raw(by_a, f'{{"name":"{text}"}}'), 422, "bad-text")
    assert ran == []


def test_htt_08_an_unknown_member_is_refused_and_not_repeated(by_a):
    answer = by_a.say("/v1/things", {**GOOD, "xa3secret": 1})
    assert is_problem(answer, 422, "unknown-member")
    assert b"xa3secret" not in answer.data
    inner = by_a.say("/v1/things", {**GOOD, "inner": {"name": "b", "xa3secret": 1}})
    assert is_problem(inner, 422, "unknown-member")
    assert b"xa3secret" not in inner.data


@pytest.mark.parametrize("value", ['"1"', "1.0", "true", "null", "[]"])
def test_htt_10_nothing_is_coerced(by_a, value):
    answer = raw(by_a, f'{{"name":"a","number":{value}}}')
    assert is_problem(answer, 422, "wrong-type")
    assert answer.json["errors"][0]["pointer"] == "/number"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "",
        "application/json; charset=shift_jis",
        "application/x-www-form-urlencoded",
        "application/json; profile=x",
    ],
)
def test_htt_11_only_json_in_utf_8_is_taken(by_a, content_type):
    assert is_problem(raw(by_a, b'{"name":"a"}', content_type), 415, "unsupported-media-type")


def test_htt_11_the_charset_may_be_said(by_a):
    assert raw(by_a, b'{"name":"a"}', "application/json; charset=UTF-8").status_code == 201


def test_compressed_bodies_are_not_taken(by_a):
    answer = by_a.say("/v1/things", GOOD, **{"Content-Encoding": "gzip"})
    assert is_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize("host", ["other.example", "hub.example:8443", "hub.example.", "127.0.0.1", ""])
def test_htt_15_another_host_is_misdirected(by_a, host):
    assert is_problem(by_a.get("/v1/things", headers={"Host": host}), 421, "misdirected")


def test_htt_15_a_forwarded_host_must_be_ours_too(by_a):
    assert is_problem(by_a.get("/v1/things", headers={"X-Forwarded-Host": "other.example"}), 421, "misdirected")
    assert by_a.get("/v1/things", headers={"X-Forwarded-Host": "hub.example"}).status_code == 200


def test_htt_15_links_name_the_configured_origin(by_a):
    answer = by_a.get("/v1/things?limit=2", headers={"X-Forwarded-Proto": "http", "Forwarded": "host=other.example"})
    assert answer.headers["Link"].startswith(f"<{ISSUER}/v1/things?limit=2&cursor=")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/things/%2e%2e/admin",
        "//v1/things",
        "/v1//things",
        "/v1/things;x=1",
        f"/v1/things/{ONE};x=1",
        "/v1/things.",
        "/v1/things/",
        "/v1/things/..",
        "/V1/things",
    ],
)
def test_htt_16_tricks_with_paths_find_nothing(by_a, path):
    assert is_problem(by_a.get(path), 404, "not-found")


def test_htt_16_two_slashes_are_another_address_also_as_the_server_hands_them_over(by_a):
    assert is_problem(by_a.get("/v1/things", environ_overrides={"PATH_INFO": "//v1/things"}), 404, "not-found")


def test_htt_13_a_request_says_how_long_it_is_in_one_way(by_a):
    answer = by_a.say("/v1/things", GOOD, **{"Transfer-Encoding": "chunked"})
    assert is_problem(answer, 411, "length-required")
    assert ran == []


def test_htt_18_a_key_used_for_something_else_is_a_mismatch(by_a):
    first = by_a.say("/v1/things", GOOD, key="same")
    assert is_problem(by_a.say("/v1/things", {"name": "b"}, key="same"), 409, "idempotency-mismatch")
    again = by_a.say("/v1/things", GOOD, key="same")
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])


def test_htt_20_a_stale_if_match_changes_nothing(by_a):
    assert is_problem(by_a.say(f"/v1/things/{ONE}/change", if_match=6), 412, "stale")
    assert by_a.say(f"/v1/things/{ONE}/change", if_match=7).status_code == 200


@pytest.mark.parametrize("tag", ['W/"7"', "7", '"7", "8"', '""', "'7'"])
def test_an_if_match_that_can_match_nothing_is_stale(by_a, tag):
    answer = by_a.post(f"/v1/things/{ONE}/change", headers={"If-Match": tag, "Idempotency-Key": "k"})
    assert is_problem(answer, 412, "stale")
    assert ran == []


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
def test_a_change_of_state_needs_if_match(by_a, headers):
    answer = by_a.post(f"/v1/things/{ONE}/change", headers={"Idempotency-Key": "k", **headers})
    assert is_problem(answer, 428, "precondition-required")


@pytest.mark.parametrize(
    "header",
    [{"Accept-Language": ",".join(["e"] * 5000)}, {"X-Much": "x" * 65536}, {f"X-{n}": "x" * 1000 for n in range(40)}],
)
def test_htt_21_large_headers_are_refused_quickly(by_a, header):
    started = time.process_time()
    assert is_problem(by_a.get("/v1/things", headers=header), 431, "headers-too-large")
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("name", ["x", A.upper(), "%00" * 36, ONE[:-1], "{" + ONE[1:], "1" * 36, "urn:uuid:" + ONE])
def test_htt_22_an_id_of_another_form_is_not_found_like_any_other(by_a, name):
    answer = by_a.get(f"/v1/things/{name}")
    assert is_problem(answer, 404, "not-found")
    assert answer.data == by_a.get(f"/v1/things/{NONE}").data


def test_not_found_is_the_same_bytes_everywhere_but_for_the_request_id(by_a):
    answers = [by_a.get(f"/v1/things/{NONE}"), by_a.get("/v1/nothing"), by_a.get("/nothing")]
    bare = [(answer.data, {k: v for k, v in answer.headers if k != "X-Request-Id"}) for answer in answers]
    assert bare[0] == bare[1] == bare[2]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"])
def test_other_methods_are_problems_too(by_a, method):
    answer = by_a.open("/v1/things", method=method)
    assert is_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert "request_id" not in answer.json


def test_nobody_gets_in_without_a_token(client):
    answer = client.get("/v1/things")
    assert is_problem(answer, 401, "unauthorized")
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_a_token_without_the_scope_is_refused_and_told_which(client):
    answer = client.by(A, "referrals:read").say("/v1/things", GOOD)
    assert is_problem(answer, 403, "insufficient-scope")
    assert 'scope="cases:write"' in answer.headers["WWW-Authenticate"]


def test_a_large_body_is_refused(app, client, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1000)
    assert is_problem(raw(client.by(A), b'{"name":"' + b"a" * 1000 + b'"}'), 413, "too-large")


def test_a_post_needs_a_key(by_a):
    for key in (
        {},
        {"Idempotency-Key": ""},
        {"Idempotency-Key": "あ".encode().decode("latin-1")},
        {"Idempotency-Key": "x" * 256},
    ):
        assert is_problem(by_a.post("/v1/things", json=GOOD, headers=key), 400, "idempotency-key-required")
    assert ran == []


def test_the_same_request_is_done_once_and_answered_alike(by_a):
    first, second = (by_a.say("/v1/things", GOOD, key="k") for _ in range(2))
    assert (first.status_code, first.data) == (second.status_code, second.data) == (201, first.data)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert ran == ["a"]


def test_two_agencies_may_use_the_same_key(client):
    first, second = (client.by(agency).say("/v1/things", GOOD, key="k") for agency in (A, B))
    assert first.json["id"] != second.json["id"]


def test_a_refusal_leaves_the_key_free(by_a):
    for _ in range(2):
        answer = by_a.say("/v1/things", {"name": "refuse"}, key="k")
        assert is_problem(answer, 409, "conflict")
        assert answer.json["errors"] == [{"pointer": "/name", "code": "conflict", "detail": answer.json["detail"]}]
    assert ran == ["refuse", "refuse"]


def kept(database):
    with database.engine.connect() as connection:
        connection.exec_driver_sql("set role tsn_job")
        return connection.execute(sa.text("select count(*) from single_uses where space = 'kept'")).scalar_one()


def test_a_refusal_that_keeps_commits_and_is_remembered(by_a, jobs_database):
    first, second = (by_a.say("/v1/things", {"name": "keep"}, key="k") for _ in range(2))
    assert is_problem(first, 403, "consent-refused")
    assert first.json["decisions"] == [{"outcome": "refused"}]
    assert first.data == second.data
    assert (ran, kept(jobs_database)) == (["keep"], 1)


def test_a_refusal_that_does_not_keep_leaves_nothing(by_a, jobs_database):
    assert by_a.say("/v1/things", {"name": "keep-not"}).status_code == 403
    assert kept(jobs_database) == 0


def test_a_failure_says_nothing_of_its_cause(by_a):
    answer = by_a.say("/v1/things", {"name": "fail"})
    assert is_problem(answer, 500, "internal")
    assert "fail" not in answer.json["detail"]
    assert set(answer.json) == {"type", "title", "status", "detail", "code", "request_id"}


def test_pages_are_walked_by_cursor(by_a):
    seen, path = [], "/v1/things?limit=2"
    while path:
        answer = by_a.get(path)
        seen += [item["number"] for item in answer.json["items"]]
        path = answer.headers["Link"].split(">")[0][1 + len(ISSUER) :] if answer.json["next_cursor"] else None
    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "あ", "W3RydWVd", "x" * 600, "W1tb"])
def test_ten_03_a_cursor_that_is_none_of_ours_is_bad(by_a, cursor):
    assert is_problem(by_a.get(f"/v1/things?cursor={cursor}"), 400, "bad-cursor")


@pytest.mark.parametrize(
    "query",
    [
        "fields=secret",
        "agency_id=x",
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1&limit=2",
        "limit=１２",
        "above=-1",
        "limit=1e2",
    ],
)
def test_ten_05_parameters_we_do_not_know_are_refused(by_a, query):
    assert is_problem(by_a.get(f"/v1/things?{query}"), 400, "bad-query")


def test_parameters_where_none_belong_are_refused(by_a):
    assert is_problem(by_a.get(f"/v1/things/{ONE}?x=1"), 400, "bad-query")


def test_a_version_that_is_known_is_not_sent_again(by_a):
    first = by_a.get(f"/v1/things/{ONE}")
    assert first.headers["ETag"] == '"7"'
    again = by_a.get(f"/v1/things/{ONE}", headers={"If-None-Match": '"7"'})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "ja"),
        ("en", "en"),
        ("ja-JP, en;q=0.5", "ja"),
        ("en-GB;q=0.9, ja;q=0.1", "en"),
        ("fr", "ja"),
        ("en;q=x", "ja"),
        (",;q=1,en;", "en"),
        ("en;q=0", "ja"),
    ],
)
def test_refusals_speak_the_callers_language(by_a, header, language):
    answer = by_a.get("/v1/nothing", headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == language
    assert answer.json["title"] == {"ja": "見つかりません", "en": "Not found"}[language]


def test_a_request_id_is_taken_when_it_is_an_id_and_made_otherwise(by_a):
    assert by_a.get("/livez", headers={"X-Request-Id": ONE}).headers["X-Request-Id"] == ONE
    assert by_a.get("/livez", headers={"X-Request-Id": "x\tevil"}).headers["X-Request-Id"] != "x\tevil"


def test_every_answer_tells_browsers_and_caches_to_keep_out(by_a):
    for path in ("/v1/things", "/v1/nothing", "/livez", "/v1/docs"):
        headers = by_a.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_japanese_passes_through_unchanged(by_a):
    for name in ("架空田 一郎", "髙﨑", "𠮷野", "神"):
        assert by_a.say("/v1/things", {"name": name}).status_code == 201
    assert ran == ["架空田 一郎", "髙﨑", "𠮷野", "神"]


def test_problem_texts_hold_no_placeholders():
    from hub.web.problems import catalogue

    for text in catalogue().values():
        assert "{" not in json.dumps([*text.title.values(), *text.detail.values()])
