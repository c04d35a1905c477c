# SPDX-License-Identifier: Apache-2.0
"""The administrator's pages of who works here: invite, change, end sessions, let go, take back; what is refused."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from connectors.base.errors import ConnectorError
from connectors.casebook import access, files, people, tables
from connectors.desk.staff import reads, roster, rules, service
from connectors.desk.staff.tables import members
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import EVERY_ROLE, PASSWORD, Browser, Office, Page, code_now
from tests.connectors.story import Network, open_case

ADMIN = frozenset({Role.ADMINISTRATOR})
CASEWORK = frozenset({Role.CASEWORKER})
_STRETCHED: list[str] = []
"""What is kept of `PASSWORD`, made once: stretching it is slow on purpose."""


def settle(office: Office, member: str) -> str:
    """Have somebody set a password and an authenticator, as an invitation would."""
    with office.connector.casebook.transaction() as connection:
        now = office.connector.now()
        assert service.set_totp(connection, member, "A" * 32, code_now("A" * 32, office.connector), now=now)
        own = members.c.id == member
        if not _STRETCHED:
            service.set_password(connection, member, PASSWORD, now=now)
            _STRETCHED.append(connection.execute(sa.select(members.c.password).where(own)).scalar_one())
        connection.execute(sa.update(members).where(own).values(password=_STRETCHED[0], invitation=None))
    return member


@pytest.fixture
def chief(office: Office) -> str:
    return settle(office, office.hire("架空 管理"))


@pytest.fixture
def desk(office: Office, chief: str) -> Browser:
    return office.browser(chief)


def account(office: Office, member: str) -> reads.Account:
    with office.connector.casebook.transaction() as connection:
        found = reads.account(connection, member)
    assert found is not None
    return found


def code_of(page: Page) -> str:
    return str(page.html.select_one(".code-once").get_text())  # type: ignore[union-attr]


def logged(office: Office) -> list[tuple[str, str, str]]:
    with office.connector.casebook.transaction() as connection:
        rows = connection.execute(tables.access_log.select().order_by(tables.access_log.c.position))
        return [(row.staff, row.action, row.about) for row in rows]


def invite(desk: Browser, name: str = "仮名 太郎", login: str = "taro", **more: object) -> Page:
    said = {"name": name, "login": login, "team": "訪問", "roles": ["caseworker"]} | more
    return desk.send(desk.get("/office/staff/new"), said)


def test_an_invited_colleague_sets_up_and_works(office: Office, desk: Browser, chief: str) -> None:
    page = invite(desk)
    assert page.status == 200
    code = code_of(page)
    assert re.fullmatch(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}", code)
    theirs = office.browser()
    joining = theirs.send(theirs.get("/join"), {"invitation": code.lower()})
    secret = joining.html.select_one("[translate=no]").get_text()  # type: ignore[union-attr]
    said = {"password": PASSWORD, "again": PASSWORD, "code": code_now(secret, office.connector)}
    assert theirs.send(joining, said).status == 200
    assert theirs.get("/cases").status == 200
    assert theirs.get("/office/staff").status == 403
    row = next(one for one in desk.get("/office/staff").html.select("tbody tr") if "仮名 太郎" in one.get_text())
    assert {"taro", "相談員", "訪問", "利用中", "認証アプリ"} <= set(row.get_text("|").split("|"))
    member = next(about for staff, action, about in logged(office) if (staff, action) == (chief, "staff:enrolled"))
    assert account(office, member).member.roles == CASEWORK


def test_the_code_is_on_no_later_page_and_is_kept_as_a_hash_alone(office: Office, desk: Browser) -> None:
    code = code_of(invite(desk))
    people_page = desk.get("/office/staff")
    assert code not in people_page.words
    assert "設定待ち" in people_page.words
    with office.connector.casebook.transaction() as connection:
        dump = "\n".join(str(row) for row in connection.exec_driver_sql("select * from staff_members"))
    assert code not in dump
    assert service.plain_code(code) not in dump


def test_a_code_that_has_expired_opens_nothing_and_the_list_says_so(
    office: Office, desk: Browser, network: Network, chief: str
) -> None:
    code = code_of(invite(desk))
    network.clock.on(seconds=rules.INVITED_FOR.total_seconds())
    theirs = office.browser()
    assert theirs.send(theirs.get("/join"), {"invitation": code}).status == 422
    assert "設定コードの期限切れ" in office.browser(chief).get("/office/staff").words


def test_two_people_of_one_name_and_role_have_ids_of_their_own_and_a_taken_id_is_refused(
    office: Office, desk: Browser
) -> None:
    assert invite(desk).status == 200
    page = invite(desk, login="ＴＡＲＯ")  # width and case do not make another id
    assert (page.status, page.faults) == (422, ["login"])
    assert page.html.select_one("#f-name")["value"] == "仮名 太郎"  # type: ignore[index]
    assert invite(desk, login="taro2").status == 200
    assert office.hire("仮名 同姓同名") != office.hire("仮名 同姓同名")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"name": " "}, "name"),
        ({"name": "改\n行"}, "name"),
        ({"login": ""}, "login"),
        ({"login": "x" * 61}, "login"),
        ({"team": "x" * 61}, "team"),
        ({"roles": []}, "roles"),
        ({"roles": ["owner"]}, "roles"),
        ({"name": "\x00"}, "name"),
    ],
)
def test_what_cannot_be_taken_is_named_and_nobody_is_invited(
    office: Office, desk: Browser, said: dict[str, object], fault: str
) -> None:
    before = logged(office)
    page = invite(desk, **said)
    assert (page.status, page.faults) == (422, [fault])
    assert logged(office) == before


def test_roles_and_team_change_and_count_from_the_next_page_on(office: Office, desk: Browser, chief: str) -> None:
    member = office.hire("仮名 花", roles=CASEWORK)
    theirs = office.browser(member)
    assert theirs.get("/office/staff").status == 403
    page = desk.send(desk.get(f"/office/staff/{member}"), {"team": "家計", "roles": ["administrator"]})
    assert page.answer.request.path == "/office/staff"
    assert "仮名 花 さんの登録を変えました" in page.words
    assert theirs.get("/office/staff").status == 200
    assert theirs.get("/cases").status == 403
    assert (account(office, member).member.team, (chief, "staff:changed", member) in logged(office)) == ("家計", True)


def test_the_last_administrator_who_can_sign_in_stays_one(office: Office, desk: Browser, chief: str) -> None:
    office.hire("架空 招待中", roles=ADMIN)  # was invited and never set up: lets nobody in
    page = desk.send(desk.get(f"/office/staff/{chief}"), {"roles": ["caseworker"]})
    assert (page.status, page.faults) == (422, ["roles"])
    page = desk.send(desk.get(f"/office/staff/{chief}/leave"))
    assert (page.status, page.faults) == (422, ["leave"])
    assert account(office, chief).can_sign_in
    settle(office, office.hire("架空 第二", roles=ADMIN))
    assert desk.send(desk.get(f"/office/staff/{chief}"), {"roles": ["caseworker"]}, follow=False).status == 303
    assert account(office, chief).member.roles == CASEWORK


def test_of_two_administrators_one_stays_whatever_the_order(office: Office, chief: str) -> None:
    other = settle(office, office.hire("架空 第二", roles=ADMIN))
    now = office.connector.now()
    with office.connector.casebook.transaction() as connection:
        roster.deactivate(connection, other, by=chief, now=now)
        with pytest.raises(ConnectorError, match="last-administrator"):
            roster.deactivate(connection, chief, by=other, now=now)


def test_ended_sessions_are_out_at_once_and_ones_own_stays(office: Office, desk: Browser, chief: str) -> None:
    member = office.hire("仮名 花", roles=CASEWORK)
    theirs, telephone = office.browser(member), office.browser(chief)
    page = desk.send(desk.get(f"/office/staff/{member}"), form="form[action$='/sessions/end']")
    assert "（1件）" in page.words
    assert theirs.get("/", follow=False).to.startswith("/signin")
    desk.send(desk.get(f"/office/staff/{chief}"), form="form[action$='/sessions/end']")
    assert telephone.get("/", follow=False).to.startswith("/signin")
    assert desk.get("/office").status == 200
    assert (chief, "sessions:ended", member) in logged(office)


def test_a_new_set_up_code_ends_what_was_before(office: Office, desk: Browser) -> None:
    member = settle(office, office.hire("仮名 花", roles=CASEWORK))
    theirs = office.browser(member)
    page = desk.send(desk.get(f"/office/staff/{member}"), form="form[action$='/invite']")
    assert code_of(page)
    assert theirs.get("/", follow=False).to.startswith("/signin")
    assert not account(office, member).has_totp


def test_nobody_resets_themselves_out_of_the_desk(office: Office, desk: Browser, chief: str) -> None:
    assert desk.get(f"/office/staff/{chief}").html.select("form[action$='/invite']") == []
    page = desk.post(f"/office/staff/{chief}/invite")
    assert page.answer.request.path == "/office/me"
    assert account(office, chief).can_sign_in


def test_who_leaves_is_out_and_their_open_cases_go_to_an_heir_in_the_log(
    office: Office, desk: Browser, chief: str
) -> None:
    member, heir = office.hire("仮名 花", roles=CASEWORK), office.hire("仮名 継", roles=CASEWORK, team="就労")
    case, closed = open_case(office.connector), open_case(office.connector)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen(member)
        for one in (case, closed):
            files.open_file(connection, pen, case=one, on=pen.now.date(), worker=member)
        people.keep_case(connection, handle=closed, owner=office.connector.agency, closed_at=pen.now, now=pen.now)
    theirs = office.browser(member)
    page = desk.get(f"/office/staff/{member}/leave")
    assert "進行中のケース 1 件" in page.words
    assert desk.send(page).faults == ["heir"]
    page = desk.send(page, {"heir": heir})
    assert "退職" in page.words
    assert theirs.get("/", follow=False).to.startswith("/signin")
    with office.connector.casebook.transaction() as connection:
        known = files.files_of(connection, [case, closed])
        lines = [(one.staff, one.action, one.about) for one in access.history(connection, case)]
    assert (known[case].worker, known[case].team, known[closed].worker) == (heir, "就労", member)
    assert lines[-1] == (chief, "case:assigned", heir)
    assert {(chief, "staff:left", member), (chief, "cases:handed-over", member)} <= set(logged(office))


def test_whoever_left_can_be_taken_back_with_a_new_code(office: Office, desk: Browser) -> None:
    member = settle(office, office.hire("仮名 花", roles=CASEWORK))
    desk.send(desk.get(f"/office/staff/{member}/leave"))
    assert not account(office, member).is_active
    page = desk.get(f"/office/staff/{member}")
    assert page.html.select("input[name=roles]") == []
    assert code_of(desk.send(page))
    assert account(office, member).is_active
    assert not account(office, member).can_sign_in
    assert desk.post(f"/office/staff/{member}/return").status == 404


def test_a_form_about_somebody_who_left_changes_nothing(office: Office, desk: Browser, chief: str) -> None:
    member = settle(office, office.hire("仮名 花", roles=CASEWORK))
    settle(office, office.hire("架空 第二", roles=ADMIN))
    form = desk.get(f"/office/staff/{member}")
    desk.send(desk.get(f"/office/staff/{member}/leave"))
    desk.send(form, {"roles": ["administrator"]})
    assert account(office, member).member.roles == CASEWORK
    for path in ("invite", "leave"):
        assert desk.post(f"/office/staff/{member}/{path}").status == 404


@pytest.mark.parametrize("path", ["", "/leave"])
def test_nobody_of_that_id_is_a_page_that_is_not_there(desk: Browser, path: str) -> None:
    assert desk.get(f"/office/staff/st-nobody{path}").status == 404


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.SUPERVISOR])
def test_only_administrators_change_the_staff(office: Office, chief: str, role: Role) -> None:
    browser = office.browser(office.hire(roles=frozenset({role})))
    browser.get("/office")
    before = account(office, chief)
    for path in ("", "/leave"):
        assert browser.get(f"/office/staff/{chief}{path}").status == 403
    for path in ("new", chief, f"{chief}/invite", f"{chief}/sessions/end", f"{chief}/leave", f"{chief}/return"):
        assert browser.post(f"/office/staff/{path}", {"name": "x", "roles": ["caseworker"]}).status == 403
    assert account(office, chief) == before


def test_too_few_supervisors_for_an_emergency_are_said(office: Office, desk: Browser) -> None:
    assert "スーパーバイザーが1人です" in desk.get("/office/staff").words
    office.hire("仮名 二", roles=EVERY_ROLE)
    assert "スーパーバイザーが" not in desk.get("/office/staff").words


def test_somebody_who_is_barred_is_shown_so_until_it_ends(office: Office, desk: Browser, network: Network) -> None:
    member = settle(office, office.hire("仮名 花", roles=CASEWORK))
    with office.connector.casebook.transaction() as connection:
        for _ in range(rules.FREE_FAILURES):
            service.failed(connection, member, now=office.connector.now())
    assert "間違いが続いて停止中" in desk.get("/office/staff").words
    network.clock.on(seconds=timedelta(minutes=2).total_seconds())
    assert "間違いが続いて停止中" not in desk.get("/office/staff").words


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_of_the_staff_is_whole_in_both_languages(office: Office, chief: str, language: str) -> None:
    browser, member = office.browser(chief, language=language), office.hire("仮名 花")
    for path in (
        "/office",
        "/office/staff",
        "/office/staff/new",
        f"/office/staff/{member}",
        f"/office/staff/{member}/leave",
    ):
        page = browser.get(path)
        assert (page.status, page.html.html["lang"]) == (200, language)  # type: ignore[index]
