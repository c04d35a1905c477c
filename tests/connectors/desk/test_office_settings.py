# SPDX-License-Identifier: Apache-2.0
"""What the agency sets for itself, its entry in the directory, and the scope templates of its municipality."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.casebook import house as houses
from connectors.casebook import templates
from connectors.desk.app import create_desk
from connectors.desk.office import template_rules
from connectors.desk.web.site import EXTENSION
from connectors.desk.web.visits import Role
from consent.errors import TsunagiError
from consent.forms import read_template
from consent.vocabulary.codes import scope_template
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.test_office_staff import logged
from tests.connectors.story import Network


@pytest.fixture
def desk(office: Office) -> Browser:
    return office.browser(office.hire("架空 管理", roles=frozenset({Role.ADMINISTRATOR})))


def house(office: Office) -> houses.House:
    with office.connector.casebook.transaction() as connection:
        return houses.house(connection)


def test_the_notice_stands_on_the_sign_in_page_as_it_was_written(office: Office, desk: Browser) -> None:
    desk.send(desk.get("/office/settings"), {"notice": "架空の<b>お知らせ</b>\n2行目"})
    page = office.browser().get("/signin")
    assert "架空の<b>お知らせ</b> 2行目" in page.words
    assert page.html.select("main b") == []
    assert "架空の<b>お知らせ</b>" in office.browser().post("/signin", {"login": "x"}).words


def test_closed_days_are_read_however_they_are_written_and_count_at_once_and_after_a_restart(
    office: Office, desk: Browser
) -> None:
    page = desk.send(desk.get("/office/settings"), {"closed": "令和8年4月7日\n2026-04-08\n\nR8.4.7"})
    assert page.status == 200
    assert house(office).closed == (date(2026, 4, 7), date(2026, 4, 8))
    site = office.app.extensions[EXTENSION]
    assert not site.calendar.is_business_day(date(2026, 4, 7))
    again = create_desk(site).extensions[EXTENSION]
    assert not again.calendar.is_business_day(date(2026, 4, 8))
    assert again.calendar.is_business_day(date(2026, 4, 9))
    desk.send(desk.get("/office/settings"), {"closed": ""})
    assert office.app.extensions[EXTENSION].calendar.is_business_day(date(2026, 4, 7))


@pytest.mark.parametrize(
    ("said", "fault", "words"),
    [
        ({"closed": "2026-04-07\nいつか"}, "closed", "2行目"),
        ({"closed": "\n".join(str(date(2026, 4, 1) + timedelta(days=n)) for n in range(201))}, "closed", "200日まで"),
        ({"notice": "x" * 2001}, "notice", "2000"),
        ({"contact": "\x00"}, "contact", "制御文字"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_changes_nothing_and_is_shown_again(
    office: Office, desk: Browser, said: dict[str, str], fault: str, words: str
) -> None:
    before = logged(office)
    page = desk.send(desk.get("/office/settings"), {"retention": "架空の規程"} | said)
    assert (page.status, page.faults) == (422, [fault])
    assert words in page.words
    assert "架空の規程" in str(page.html)
    assert (house(office), logged(office)) == (houses.House(), before)


def test_the_contact_stands_on_the_accessibility_page(office: Office, desk: Browser) -> None:
    assert "この機関の管理者にお知らせください" in office.browser().get("/accessibility").words
    desk.send(desk.get("/office/settings"), {"contact": "架空の窓口"})
    assert "架空の窓口" in office.browser().get("/accessibility").words


def test_our_entry_is_shown_as_partners_read_it_and_where_it_can_be_changed(
    office: Office, desk: Browser, network: Network
) -> None:
    assert "ハブと一度つながると" in desk.get("/office/settings").words
    office.connector.sync()
    words = desk.get("/office/settings").words
    assert office.connector.settings.name_ja in words
    assert "ハブの運用者に頼んでください" in words
    assert "自動では何も消しません" in words


# ── scope templates ──


def municipal(**changes: Any) -> dict[str, Any]:
    own = {"id": "kakuu", "version": "2026-04", "ja": "架空市", "en": "Kakuu city"}
    return {**scope_template("generic"), **own, **changes}


def bring(desk: Browser, data: Any) -> Page:
    raw = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    desk.get("/office/templates")
    return desk.post("/office/templates", {"template": (io.BytesIO(raw), "t.json")})


def names(office: Office) -> list[str]:
    with office.connector.casebook.transaction() as connection:
        return [one.template.name for one in templates.templates(connection)]


def test_a_municipal_template_is_taken_listed_with_who_brought_it_and_can_be_saved(
    office: Office, desk: Browser
) -> None:
    page = bring(desk, municipal())
    assert "kakuu-2026-04 を申込票で選べるようにしました" in page.words
    assert "架空 管理 さんが登録" in page.words
    assert names(office)[0] == "kakuu-2026-04"
    saved = desk.client.get("/office/templates/kakuu-2026-04.json")
    assert saved.get_json() == municipal()
    assert saved.headers["Content-Disposition"].startswith("attachment")
    general = desk.client.get(f"/office/templates/{names(office)[1]}.json")
    assert general.get_json() == scope_template("generic")
    assert desk.get("/office/templates/nothing.json").status == 404


def test_every_place_that_is_wrong_is_named_at_once_and_nothing_is_taken(office: Office, desk: Browser) -> None:
    wrong = municipal(
        id="架空", ja="", purposes={"follow_up": ["shakyo", "nobody"], "canary": []},
        usual={"shakyo": ["identity", "health"], "kakei": "identity"}, extra=1,
    )  # fmt: skip
    page = bring(desk, wrong)
    assert (page.status, page.faults) == (422, ["template"])
    places = [one.get_text() for one in page.html.select("tbody th.mono")]
    assert places == [
        "/id", "/ja", "/#8", "/purposes/follow_up/1", "/purposes/#2", "/usual/shakyo/1", "/usual/kakei"
    ]  # fmt: skip
    assert "canary" not in str(page.html)
    assert len(names(office)) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "ファイルを選んでください"),
        (b"not json", "JSONとして読めない"),
        (b"\xff\xfe", "JSONとして読めない"),
        (b"[1]", "JSONとして読めない"),
        (b"[" * 100_000, "JSONとして読めない"),
        (b" " * 200_001, "大きすぎます"),
        (b"{}", "直すところが 7 か所"),
    ],
    ids=["empty", "text", "bytes", "list", "deep", "large", "nothing-in-it"],
)
def test_a_file_that_is_no_template_is_refused_in_words(office: Office, desk: Browser, raw: bytes, words: str) -> None:
    page = bring(desk, raw)
    assert (page.status, page.faults) == (422, ["template"])
    assert words in page.words
    assert len(names(office)) == 1


def test_a_version_keeps_its_content(office: Office, desk: Browser) -> None:
    bring(desk, municipal())
    page = bring(desk, municipal(purposes={"follow_up": ["shakyo"]}))
    assert (page.status, "版の名前を変えてください" in page.words) == (422, True)
    assert bring(desk, municipal(version="2026-05", purposes={"follow_up": ["shakyo"]})).status == 200
    assert len(names(office)) == 3


anything = st.recursive(
    st.none() | st.integers() | st.sampled_from(["shakyo", "identity", "health", "follow_up", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["shakyo", "follow_up", "kakei", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["id", "version", "ja", "en", "purposes", "usual", "ticked", "x"]), anything))
def test_what_has_no_fault_is_what_the_consent_library_takes(changes: dict[str, Any]) -> None:
    data = municipal(**changes)
    if not template_rules.faults(data):
        read_template(data)
        return
    try:
        read_template(data)
    except (TsunagiError, TypeError, KeyError, AttributeError, ValueError):
        return
    assert all(one.key in {"office.wrong-text", "office.wrong-id", "office.wrong-member", "office.wrong-matrix",
                           "office.wrong-row"} for one in template_rules.faults(data))  # fmt: skip


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.SUPERVISOR])
def test_settings_and_templates_are_the_administrators_alone(office: Office, role: Role) -> None:
    browser = office.browser(office.hire(roles=frozenset({role})))
    browser.get("/office")
    for path in ("/office/settings", "/office/templates", f"/office/templates/{names(office)[0]}.json"):
        assert browser.get(path).status == 403
    assert browser.post("/office/settings", {"notice": "x"}).status == 403
    assert browser.post("/office/templates", {"template": (io.BytesIO(b"{}"), "t.json")}).status == 403
    assert house(office) == houses.House()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_settings_and_templates_are_whole_in_both_languages(office: Office, desk: Browser, language: str) -> None:
    desk.language = language
    bring(desk, municipal(ja=""))
    for path in ("/office/settings", "/office/templates"):
        assert desk.get(path).html.html["lang"] == language  # type: ignore[index]
