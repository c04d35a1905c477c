# SPDX-License-Identifier: Apache-2.0
"""Every route of the real app says who may call it, and the gate holds to it."""

import re
from pathlib import Path

import pytest
from flask import Flask, Request
from flask_restx import Namespace, Resource

from hub.app import NAMESPACES, create_app
from hub.base import hubkeys
from hub.base.errors import ForbiddenError, UnauthorizedError
from hub.web.call import Call
from hub.web.gate import Caller, Gate
from hub.web.openapi import routes
from hub.web.operation import operation
from hub.web.permissions import OPEN, PERMISSIONS, SCOPES, declared, declares, undeclared
from tests.hub.conftest import HubClient, agency_by_header

A = "01890000-0000-7000-8000-00000000000a"
API = Path(__file__).resolve().parents[3] / "hub"


@pytest.fixture
def whole(settings, database):
    """The app as the server runs it, with the test's way of signing in."""
    made = create_app(settings, database, validator=agency_by_header, keys=hubkeys.load(settings.data))
    made.test_client_class = HubClient
    return made


def test_every_route_declares_its_permission(whole):
    assert undeclared(whole) == []
    assert len(list(declared(whole))) > len(PERMISSIONS)


def test_the_open_routes_are_these(whole):
    assert {path for _, path, name in declared(whole) if PERMISSIONS[name].open} == {
        "/livez",
        "/readyz",
        "/v1/openapi.json",
        "/v1/docs",
        "/v1/docs.css",
        "/c/<consent>/<check>",
        "/C/<consent>/<check>",
        "/c/copy.css",
        "/.well-known/oauth-authorization-server",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
        "/oauth/jwks.json",
        "/console/signin",
        "/console/passkey/options",
        "/console/passkey",
        "/console/signout",
        "/console/language/<chosen>",
        "/console/static/<name>",
        "/console/",
        "/console/<path:rest>",
    }


def test_every_slice_with_endpoints_is_registered():
    with_api = {path.parent.name for path in API.glob("*/api.py")} - {"oauth"}
    modules = {
        re.match(r"hub\.(\w+)", resource.resource.__module__)[1] for ns in NAMESPACES for resource in ns.resources
    }
    assert modules == with_api


def test_a_route_that_declares_nothing_stops_the_app(settings, database):
    bare = Namespace("bare")

    @bare.route("/bare")
    class Bare(Resource):
        def get(self):
            return {}

    with pytest.raises(RuntimeError, match="undeclared-routes"):
        create_app(settings, database, namespaces=[bare])


def test_a_plain_view_that_declares_nothing_is_found():
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/bare", view_func=lambda: "")
    assert undeclared(app) == ["GET /bare"]


def test_a_permission_must_be_in_the_table():
    with pytest.raises(KeyError):
        declares("no.such")
    with pytest.raises(KeyError):
        operation(permission="no.such", summary="docs.body")


def concrete(path: str) -> str:
    return re.sub(r"<int:\w+>", "1", re.sub(r"<(?:string:)?\w+>", A, re.sub(r"<path:\w+>", "0/0", path)))


def test_no_guarded_route_answers_without_a_token(whole):
    client = whole.test_client()
    for method, path, name in declared(whole):
        if PERMISSIONS[name].scopes:
            assert client.open(concrete(path), method=method).status_code == 401, (method, path)


def test_no_guarded_route_answers_without_its_scope(whole):
    for method, path, name in declared(whole):
        rule = PERMISSIONS[name]
        if not rule.scopes:
            continue
        others = " ".join(sorted(SCOPES - rule.scopes))
        answer = whole.test_client().by(A, others).open(concrete(path), method=method)
        assert (answer.status_code, answer.json["code"]) == (403, "insufficient-scope"), (method, path)


def test_every_post_needs_an_idempotency_key(whole):
    for route in routes(whole):
        if route.method == "post":
            path = route.path
            for name, kind in route.arguments:
                path = path.replace(f"{{{name}}}", "1" if kind == "int" else A)
            headers = {"If-Match": '"1"'}
            answer = whole.test_client().by(A).post(path, json={}, headers=headers)
            assert answer.json["code"] == "idempotency-key-required", path


def test_every_permission_is_used_or_waits_for_its_slice(whole):
    used = {name for _, _, name in declared(whole)}
    assert set(PERMISSIONS) - used <= {"oversight.write"}


def test_scopes_are_those_of_the_api():
    named = (
        "directory:read consents:read consents:write referrals:read referrals:send referrals:receive cases:write"
        " meetings:write keys:write audit:read oversight:write"
    )
    assert " ".join(sorted(SCOPES)) == " ".join(sorted(named.split(" ")))


def gate(caller: Caller) -> Gate:
    return Gate(lambda _request: caller)


def caller(*scopes: str, role: str = "CON") -> Caller:
    return Caller(agency=A, client="c", scopes=frozenset(scopes), role=role)


REQUEST = Request(
    {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "SERVER_NAME": "hub.example", "SERVER_PORT": "443"}
)


CARRIED = sorted(name for name, rule in PERMISSIONS.items() if rule.scopes)
CONSOLE = sorted(name for name, rule in PERMISSIONS.items() if not rule.scopes and not rule.open)


@pytest.mark.parametrize("name", CONSOLE)
def test_no_token_opens_the_console(name):
    assert name.startswith("console.")
    with pytest.raises(ForbiddenError) as refused:
        gate(caller(*SCOPES)).admit(name, REQUEST)
    assert refused.value.code == "forbidden"


@pytest.mark.parametrize("name", CARRIED)
def test_each_scope_of_a_rule_opens_and_no_other_does(name):
    for scope in SCOPES:
        if scope in PERMISSIONS[name].scopes:
            assert gate(caller(scope)).admit(name, REQUEST).agency == A
        else:
            with pytest.raises(ForbiddenError) as refused:
                gate(caller(scope)).admit(name, REQUEST)
            assert refused.value.code == "insufficient-scope"


def test_another_role_does_not_come_in_with_the_right_scope():
    with pytest.raises(ForbiddenError) as refused:
        gate(caller("cases:write", role="OP")).admit("cases.write", REQUEST)
    assert refused.value.code == "forbidden"


def test_without_a_validator_only_open_doors_open():
    assert Gate().admit(OPEN, REQUEST).agency == ""
    with pytest.raises(UnauthorizedError) as refused:
        Gate().admit("cases.read", REQUEST)
    assert refused.value.headers["WWW-Authenticate"].startswith("DPoP")


def test_an_open_operation_needs_no_caller_and_no_key(settings, database):
    open_one = Namespace("open")
    seen = []

    @open_one.route("/open")
    class Open(Resource):
        @operation(permission=OPEN, summary="docs.body")
        def post(self, call: Call) -> None:
            seen.append(call.caller.agency)

    app = create_app(settings, database, namespaces=[open_one])
    app.test_client_class = HubClient
    assert app.test_client().post("/v1/open").status_code == 204
    assert seen == [""]
