# SPDX-License-Identifier: Apache-2.0
"""What all pages share: who may open them, what they tell the browser, what an error says, two whole languages."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from flask import Blueprint

from connectors.desk.web import texts
from connectors.desk.web.gate import page
from connectors.desk.web.headers import POLICY
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Role, Visit
from tests.connectors.desk.markup import JAPANESE
from tests.connectors.desk.office import Browser, Office

DESK = Path(str(files("connectors.desk")))
TEMPLATES = sorted((DESK / "templates").rglob("*.html"))
SLICES = sorted(path.parent.name for path in DESK.glob("*/texts.json"))
KEY = re.compile(r"""["']([a-z]+\.[a-z0-9-]+)["']""")
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def test_every_route_says_who_may_open_it(office: Office) -> None:
    silent = [
        rule.rule
        for rule in office.app.url_map.iter_rules()
        if rule.endpoint != "static"
        and not isinstance(getattr(office.app.view_functions[rule.endpoint], "access", None), Access)
    ]
    assert silent == []


def test_pages_without_sign_in_are_these_and_no_others(office: Office) -> None:
    open_to_all = {
        rule.endpoint
        for rule in office.app.url_map.iter_rules()
        if getattr(office.app.view_functions[rule.endpoint], "access", None) is Access.EVERYBODY
    }
    assert open_to_all <= {
        "staff.sign_in", "staff.set_up", "staff.join", "staff.locked", "staff.sign_out", "staff.language",
        "staff.enter", "staff.passkey_options", "staff.passkey_sign_in", "staff.recover", "office.accessibility",
        "office.keys", "followups.calendar_feed", "finding.tell", "finding.told", "finding.thanks",
    }  # fmt: skip


def test_what_waits_half_written_and_what_is_urgent_have_a_line_in_the_menu(office: Office) -> None:
    for language, words in (
        ("ja", ("書きかけのつなぎ", "緊急提供")),
        ("en", ("Referral drafts", "Emergency disclosures")),
    ):
        page = office.browser(office.hire(f"仮名 {language}"), language=language).get("/")
        lines = {str(one["href"]): one.get_text(strip=True) for one in page.html.select("nav.side a")}
        assert (lines["/referrals/drafts"], lines["/emergencies"]) == words


def test_a_place_of_a_text_may_have_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"tried": {"ja": "{key}と{language}と{said}", "en": "{key}"}}
    monkeypatch.setattr(texts, "catalogue", lambda _: words)
    assert texts.text("web.tried", "ja", key="鍵", language="言葉", said="声") == "鍵と言葉と声"


def test_a_page_that_would_be_rendered_while_its_visit_holds_the_casebook_is_found_at_once(office: Office) -> None:
    made = Blueprint("tried", __name__)

    @page(made, "/tried", who=Access.STAFF)
    def tried(visit: Visit) -> tuple[str, int]:
        with visit.book():
            return render("board/refused.html", board=None)

    @page(made, "/tried/twice", who=Access.STAFF)
    def twice(visit: Visit) -> str:
        with visit.book(), visit.book():
            return "never"

    office = Office(office.connector, apart=True)
    office.app.register_blueprint(made)
    browser = office.browser(office.hire())
    with pytest.raises(RuntimeError, match="holds the casebook"):
        browser.get("/tried")
    with pytest.raises(RuntimeError, match="holds the casebook already"):
        browser.get("/tried/twice")
    assert browser.get("/").status == 200  # and the thread has let go of it


@pytest.mark.parametrize("access", [one for one in Access if one is not Access.EVERYBODY])
def test_a_page_opens_for_its_roles_and_for_no_other(office: Office, access: Access) -> None:
    from connectors.desk.web.visits import ALLOWED

    for role in Role:
        browser = office.browser(office.hire(f"仮名 {role.value}", roles=frozenset({role})))
        for rule in office.app.url_map.iter_rules():
            view = office.app.view_functions[rule.endpoint]
            if getattr(view, "access", None) is not access or rule.arguments or "GET" not in (rule.methods or ()):
                continue
            status = browser.get(rule.rule).status
            assert (status == 403) == (role not in ALLOWED[access]), (rule.rule, role, status)


def test_every_answer_tells_the_browser_to_take_nothing_from_elsewhere(browser: Browser) -> None:
    for path in ("/", "/nothing-here", "/static/desk.js"):
        headers = browser.get(path).answer.headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get("/").answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_page_that_is_not_there_says_what_to_do_and_repeats_nothing(office: Office, language: str) -> None:
    page = office.browser(office.hire(), language=language).get("/nothing/here-canary")
    assert page.status == 404
    assert "canary" not in page.words
    assert page.html.html is not None
    assert page.html.html["lang"] == language


def test_a_wrong_method_and_a_form_too_large_get_pages_too(office: Office) -> None:
    office = Office(office.connector, apart=True)
    browser = office.browser(office.hire())
    assert browser.post("/").status == 405
    office.app.config["MAX_CONTENT_LENGTH"] = 10
    assert browser.post("/signout", {"x": "y" * 100}).status == 413


def test_the_language_that_was_chosen_stays(office: Office) -> None:
    browser = office.browser(office.hire())
    assert browser.get("/language/en?next=/").html.html["lang"] == "en"  # type: ignore[index]
    assert browser.get("/").html.html["lang"] == "en"  # type: ignore[index]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(DESK)))
def test_a_template_holds_no_text_of_its_own(path: Path) -> None:
    said = COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert JAPANESE.findall(said) == []
    assert re.findall(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)", said) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(DESK)))
def test_every_text_that_a_template_names_is_there(path: Path) -> None:
    named = set(re.findall(r"""\bt\(\s*["']([a-z]+\.[a-z0-9-]+)["']\s*[,)]""", path.read_text(encoding="utf-8")))
    assert [key for key in sorted(named) if not texts.is_text(key)] == []


def test_every_text_is_used_somewhere() -> None:
    sources = [*TEMPLATES, *DESK.rglob("*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    starts = set(re.findall(r"""["'f]([a-z]+\.[a-z0-9-]*-)["'{]""", said))  # t('web.fault-title-' ~ key)
    unused = [
        f"{name}.{key}"
        for name in SLICES
        for key in texts.catalogue(name)
        if f"{name}.{key}" not in said
        and not any(f"{name}.{key}".startswith(start) for start in starts)
        and not key.endswith("-short")
    ]
    assert unused == []


@pytest.mark.parametrize("name", SLICES)
def test_both_languages_fill_the_same_places(name: str) -> None:
    for key, said in texts.catalogue(name).items():
        assert set(re.findall(r"\{(\w+)\}", said["ja"])) == set(re.findall(r"\{(\w+)\}", said["en"])), key


def test_furigana_becomes_ruby_and_nothing_else_does() -> None:
    made = texts.ruby("[同意|どうい]します <b>")
    assert made == "<ruby>同意<rp>（</rp><rt>どうい</rt><rp>）</rp></ruby>します &lt;b&gt;"
    assert texts.ruby("[同意|どうい]します", furigana=False) == "同意します"
