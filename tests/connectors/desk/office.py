# SPDX-License-Identifier: Apache-2.0
"""An office: one agency's desk with staff who have signed in, and a browser that checks every page it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import pyotp
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connectors.desk.app import build_desk, furnish
from connectors.desk.staff import service as staff
from connectors.desk.staff.pages import SESSION_TOKEN
from connectors.desk.web.courier import Direct
from connectors.desk.web.site import Site
from connectors.desk.web.visits import Role
from connectors.sync.connector import Connector
from tests.connectors.desk import markup

PASSWORD = "架空の職員のとても長い合言葉"
EVERY_ROLE = frozenset(Role)


@dataclass
class Page:
    """An answer, and the page in it."""

    answer: TestResponse
    is_page: bool = False

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def to(self) -> str:
        """Give where a redirect leads."""
        return self.answer.headers["Location"]

    @cached_property
    def html(self) -> BeautifulSoup:
        assert self.is_page, self.answer.headers
        return markup.read(self.answer.get_data(as_text=True))

    @property
    def words(self) -> str:
        """Give what a person reads in the main part, on one line."""
        main = self.html.main
        assert main is not None
        return " ".join(main.get_text(" ").split())

    @property
    def faults(self) -> list[str]:
        """Give the fields that are blamed, in the order of the summary."""
        return [str(one["href"]).removeprefix("#f-") for one in self.html.select("#faults a")]


@dataclass
class Browser:
    """A browser without scripts, in which somebody has signed in; it fills the guard of forms in by itself."""

    client: FlaskClient
    language: str = "ja"
    token: str = field(default="", init=False)

    def get(self, path: str, *, follow: bool = True) -> Page:
        return self._page(self.client.get(path, follow_redirects=follow, headers=self._headers()))

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | Sequence[tuple[str, Any]] = (),
        *,
        follow: bool = True,
        guard: bool = True,
    ) -> Page:
        if guard and not self.token:
            self.get("/signin" if path.startswith("/signin") else path.split("?", maxsplit=1)[0])
        fields: dict[str, Any] = {}
        for name, value in data.items() if isinstance(data, Mapping) else data:
            fields.setdefault(name, []).append(value) if not isinstance(value, list) else fields.update({name: value})
        if guard:
            fields["csrf_token"] = self.token
        answer = self.client.post(path, data=fields, follow_redirects=follow, headers=self._headers())
        return self._page(answer)

    def send(
        self, page: Page, data: Mapping[str, Any] | None = None, *, form: str = "main form", follow: bool = True
    ) -> Page:
        """Send a form of a page as a browser would: with what is in it, changed by `data`."""
        found = page.html.select_one(form)
        assert found is not None, form
        fields: dict[str, Any] = {}
        for one in found.select("input, select, textarea"):
            name = one.get("name")
            if not name or one.has_attr("disabled"):
                continue
            if one.name == "select" and one.has_attr("multiple"):
                fields.setdefault(str(name), []).extend(str(each["value"]) for each in one.select("option[selected]"))
            elif one.name == "select":
                chosen = one.select_one("option[selected]") or one.select_one("option")
                fields.setdefault(str(name), []).append(str(chosen["value"]) if chosen else "")
            elif one.get("type") in {"checkbox", "radio"}:
                if one.has_attr("checked"):
                    fields.setdefault(str(name), []).append(str(one.get("value", "on")))
            elif one.get("type") not in {"file", "submit"}:
                fields.setdefault(str(name), []).append(
                    _as_sent(one.get_text()) if one.name == "textarea" else str(one.get("value", ""))
                )
        fields |= dict(data or {})
        path = str(found.get("action") or page.answer.request.full_path.rstrip("?"))
        if str(found.get("method", "get")).lower() == "get":
            answer = self.client.get(path, query_string=fields, follow_redirects=follow, headers=self._headers())
            return self._page(answer)
        return self.post(path, fields, follow=follow)

    def _headers(self) -> dict[str, str]:
        return {"Accept-Language": self.language}

    def _page(self, answer: TestResponse) -> Page:
        answer.get_data()
        answer.close()
        is_page = answer.mimetype == "text/html" and not 300 <= answer.status_code < 400
        if is_page:
            self.token = markup.check(answer.get_data(as_text=True)) or self.token
        return Page(answer, is_page)


def _as_sent(text: str) -> str:
    """Write a text as browsers send it: every line ends with CR LF (HTML, constructing the entry list)."""
    return "\r\n".join(text.splitlines()) if "\n" in text else text


@dataclass
class Apps:
    """The desks' pages, made once in a process: a test's first office has the first, its second the second."""

    built: list[Flask] = field(default_factory=list)
    taken: int = 0

    def take(self) -> Flask:
        if self.taken == len(self.built):
            self.built.append(build_desk())
        self.taken += 1
        return self.built[self.taken - 1]

    def forget(self) -> None:
        """Let the next test begin with the first again."""
        self.taken = 0


_apps = Apps()
begin_anew = _apps.forget


@dataclass
class Office:
    """One agency's desk."""

    connector: Connector
    apart: bool = False
    """Whether this office's pages are its own, for a test that changes them."""
    app: Flask = field(init=False)
    _numbers: Iterator[int] = field(default_factory=count, init=False)

    def __post_init__(self) -> None:
        site = Site(connector=self.connector, courier=Direct(connector=self.connector), sample=True)
        self.app = build_desk() if self.apart else _apps.take()
        self.app.testing = True
        furnish(self.app, site)

    def hire(self, name: str = "仮名 恵", *, roles: frozenset[Role] = EVERY_ROLE, team: str = "") -> str:
        """Take somebody into the staff who could sign in with `PASSWORD`; give their id."""
        now = self.connector.now()
        with self.connector.casebook.transaction() as connection:
            login = f"staff{next(self._numbers)}"
            member, _ = staff.enrol(connection, login=login, name=name, team=team, roles=roles, by="test", now=now)
        return member

    def browser(self, member: str | None = None, *, language: str = "ja") -> Browser:
        """Give a browser in which a member has signed in, or nobody."""
        client = self.app.test_client()
        if member is not None:
            with self.connector.casebook.transaction() as connection:
                begun = staff.begin(connection, member, now=self.connector.now())
            with client.session_transaction() as session:
                session[SESSION_TOKEN] = begun.token
        return Browser(client, language)


def code_now(secret: str, connector: Connector) -> str:
    """Give the one-time code that a device would show."""
    return pyotp.TOTP(secret).at(int(connector.now().timestamp()))
