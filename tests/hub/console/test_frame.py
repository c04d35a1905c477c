# SPDX-License-Identifier: Apache-2.0
"""What every page of the console has: its frame in both languages, its policy, its guard, its entry in the log; and who
may open which.
"""

import json
import re
from dataclasses import replace
from importlib.resources import files

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from hub.audit.rules import AuditKind
from hub.base.db import Database
from hub.base.db import Role as DatabaseRole
from hub.console import wording
from hub.console.visits import ROLES
from hub.staff.rules import Role
from hub.web.permissions import PERMISSIONS, declared
from hub.web.work import EXTENSION
from tests.hub.builders import active_agency
from tests.hub.console.conftest import SESSION
from tests.hub.console.shown import EXAMPLES, PAGES, READING

JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@pytest.fixture
def agency(database) -> str:
    """An agency whose officer signs in."""
    return active_agency(database).id


def of_console(whole):
    return [(method, path, name) for method, path, name in declared(whole) if path.startswith("/console")]


def concrete(path: str) -> str:
    for template, example in EXAMPLES.items():
        path = path.replace(template, example)
    assert "<" not in path, f"{path} needs an example in shown.py"
    return path


def test_every_route_of_the_console_is_looked_at_here(whole):
    gets = {path for method, path, _ in of_console(whole) if method == "GET"}
    assert gets == set(PAGES) | {
        "/console/", "/console/<path:rest>", "/console/language/<chosen>", "/console/static/<name>", *READING,
    }  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_every_route_opens_to_the_roles_of_its_row_and_to_no_other(signed_in, whole, agency, role):
    looking = signed_in(role, agency=agency if role is Role.AGENCY_OFFICER else None)
    for method, path, name in of_console(whole):
        rule = PERMISSIONS[name]
        if rule.open:
            continue
        fields = {"csrf_token": looking.guard()} if method == "POST" else None
        answer = looking.client.open(concrete(path), method=method, data=fields)
        if ROLES[role] in rule.roles:
            assert answer.status_code not in {401, 403, 500}, (method, path, answer.status_code)
        else:
            assert answer.status_code == 403, (method, path)


def test_no_guarded_route_answers_nobody(visitor, whole):
    for method, path, name in of_console(whole):
        if PERMISSIONS[name].open:
            continue
        answer = visitor.client.open(concrete(path), method=method)
        assert (answer.status_code, answer.location.split("?")[0]) == (303, "/console/signin"), (method, path)


def test_no_form_is_taken_without_its_guard(signed_in, whole):
    looking = signed_in()
    for method, path, _ in of_console(whole):
        if method == "POST":
            assert looking.client.post(concrete(path)).status_code in {403, 404}, path


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_both_languages(signed_in, visitor, path, language):
    looking = visitor if path == "/console/signin" else signed_in()
    answer = looking.get(concrete(path), headers={"Accept-Language": language})
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "html.parser")
    assert page.html["lang"] == language
    assert wording.text(language, "frame.no-content") in page.main.get_text()
    assert len(page.find_all("h1")) == 1
    assert page.title.get_text().endswith(wording.text(language, "frame.title-end"))
    if language == "en":
        for other in page.find_all(lang="ja"):
            other.decompose()
        assert not JAPANESE.search(page.get_text())
    check_markup(page)


def check_markup(page: BeautifulSoup) -> None:
    """Hold what axe-core cannot see without a browser, and the policy would stop."""
    assert page.find_all(style=True) == []
    assert [one for one in page.find_all("script") if not one.get("src") or one.get_text(strip=True)] == []
    assert [name for one in page.find_all(True) for name in one.attrs if name.startswith("on")] == []
    ids = [one["id"] for one in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for one in page.find_all(["input", "select", "textarea"]):
        if one.get("type") not in {"hidden", "submit"}:
            assert one.get("aria-label") or page.find("label", attrs={"for": one["id"]}), one
    for form in page.find_all("form", method="post"):
        assert form.find("input", attrs={"name": "csrf_token"}), form
    levels = [int(one.name[1]) for one in page.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    for one in page.find_all("table"):
        assert one.find("caption") or one.find_parent(attrs={"aria-label": True}), one
        assert all(th.get("scope") for th in one.find_all("th"))
    for one in page.find_all("svg"):
        assert one.get("aria-hidden") == "true" or one.get("role") == "img"
    for one in page.find_all(["a", "use"], href=True):
        if one["href"].startswith("#"):
            assert one["href"][1:] in ids, one


@pytest.mark.parametrize("path", [*PAGES, "/console/nothing", "/console/static/console.css"])
def test_every_answer_carries_the_policy(signed_in, path):
    answer = signed_in().get(concrete(path))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if "static" not in path:
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [path for path in PAGES if path not in {"/console/signin", "/console/me"}])
def test_every_reading_is_in_the_log_before_the_page_is_shown(signed_in, sequence, hub_database, path):
    looking = signed_in()
    page = looking.get(concrete(path)).text
    sequence()
    engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("select id, body from log_entries where kind = 'dpo:read'")).all()
    (row,) = rows
    entry = json.loads(row.body)
    assert entry["actor"] == looking.staff_id
    assert entry["facts"]["role"] == "officer"
    assert entry["facts"]["page"]
    assert str(row.id) in page


def test_the_language_is_kept_for_the_browser(signed_in):
    looking = signed_in()
    assert looking.get("/console/language/en?next=/console/me").location == "/console/me"
    assert looking.soup("/console/me").html["lang"] == "en"
    assert looking.get("/console/language/xx").status_code == 303
    assert looking.soup("/console/me").html["lang"] == "en"


def test_a_page_that_is_not_there_says_so_in_the_frame(signed_in):
    answer = signed_in().get("/console/no/such/page", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "no/such/page" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(signed_in, method):
    assert signed_in().client.open("/console/me", method=method).status_code == 405


def test_a_database_that_is_away_is_said(console, settings):
    hub = console.extensions[EXTENSION]
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", DatabaseRole.HUB)
    console.extensions[EXTENSION] = replace(hub, database=away)
    client = console.test_client()
    client.set_cookie(SESSION, "x" * 43, domain="hub.example")
    answer = client.get("/console/me")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    away.close()


@pytest.mark.parametrize("cookie", ["x", "鍵", "x" * 5000, "\udcff", "", "a;b"])
def test_a_session_that_nobody_gave_opens_nothing(console, cookie):
    client = console.test_client()
    answer = client.get(
        "/console/me",
        headers={
            "Cookie": f"__Host-tsunagi-console-session={cookie}".encode("utf-8", "surrogatepass").decode("latin-1")
        },
    )
    assert answer.status_code == 303


def test_every_text_is_there_in_both_languages_and_with_the_same_places():
    folder = files("hub.console").joinpath("words")
    for file in folder.iterdir():
        for key, said in json.loads(file.read_text(encoding="utf-8")).items():
            places = [set(re.findall(r"{(\w+)}", said[language])) for language in ("ja", "en")]
            assert places[0] == places[1], (file.name, key)


def test_no_template_says_a_text_of_its_own():
    folder = files("hub.console").joinpath("templates", "console")
    for file in folder.iterdir():
        assert not JAPANESE.search(file.read_text(encoding="utf-8")), file.name


def test_no_text_is_left_over_and_none_is_missing():
    sources = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in (files("hub.console"), files("hub.console").joinpath("templates", "console"))
        for file in folder.iterdir()
        if file.is_file() and file.name.endswith((".py", ".html"))
    )
    assert set(wording.catalogue("kinds")) == set(AuditKind)
    for file in files("hub.console").joinpath("words").iterdir():
        if file.name == "kinds.json":
            continue
        group = file.name.removesuffix(".json")
        for key in json.loads(file.read_text(encoding="utf-8")):
            name = f"{group}.{key}"
            parts = [f"{group}.{key[:cut]}" for cut in range(len(key)) if key[:cut].endswith("-")]
            assert name in sources or any(f"{part}'" in sources or f"{part}{{" in sources for part in parts), name
    for group, key in set(re.findall(r"t\('(\w+)\.([\w-]+)'[,)]", sources)):
        assert wording.is_text(f"{group}.{key}"), (group, key)
