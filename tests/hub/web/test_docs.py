# SPDX-License-Identifier: Apache-2.0
"""The description of the API says what the routes declare, in both languages, and the page needs no script."""

import ast
import re
from pathlib import Path

import pytest

from hub.app import create_app
from hub.base import errors, hubkeys
from hub.web import openapi, problems
from hub.web.permissions import PERMISSIONS, declared
from tests.hub.conftest import ISSUER, HubClient, agency_by_header

HUB = Path(__file__).resolve().parents[3] / "hub"


@pytest.fixture
def app(settings, database):
    made = create_app(settings, database, validator=agency_by_header, keys=hubkeys.load(settings.data))
    made.test_client_class = HubClient
    return made


def test_the_document_lists_every_operation(app):
    document = app.test_client().get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": ISSUER}]
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    routed = {
        (method, openapi.ARGUMENT.sub(r"{\g<name>}", path))
        for method, path, name in declared(app)
        if path.startswith("/v1/") and not PERMISSIONS[name].open
    }
    assert listed == routed


def test_every_reference_leads_somewhere(app):
    document = app.test_client().get("/v1/openapi.json")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', document.text))
    assert names <= set(document.json["components"]["schemas"])
    assert "#/$defs/" not in document.text


def test_every_operation_says_its_scopes_and_its_headers(app):
    for methods in app.test_client().get("/v1/openapi.json").json["paths"].values():
        for method, described in methods.items():
            assert described["security"]
            headers = {parameter["name"] for parameter in described["parameters"] if parameter["in"] == "header"}
            assert ("Idempotency-Key" in headers) == (method == "post")


def test_every_operation_is_named_once(app):
    names = [route.name for route in openapi.routes(app)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_operation_and_scope_is_explained(app, language):
    keys = {route.operation.summary for route in openapi.routes(app)}
    keys |= {f"scope.{scope}" for rule in PERMISSIONS.values() for scope in rule.scopes}
    assert {key for key in keys if not openapi.summaries().get(key, {}).get(language)} == set()


def test_no_explanation_is_left_over(app):
    used = {route.operation.summary for route in openapi.routes(app)}
    source = "".join(path.read_text("utf-8") for path in [*HUB.rglob("*.py"), HUB / "web" / "templates" / "docs.html"])
    left = {key for key in openapi.summaries() if not key.startswith("scope.")} - used
    assert {key for key in left if f'"{key}"' not in source and f"'{key}'" not in source} == set()


@pytest.mark.parametrize(
    ("path", "language"), [("/v1/docs", "ja"), ("/v1/docs?lang=en", "en"), ("/v1/docs?lang=xx", "ja")]
)
def test_the_page_is_plain_and_in_the_readers_language(app, path, language):
    answer = app.test_client().get(path)
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert re.findall(r"<script|\bon\w+=|style=|<style", answer.text) == []
    assert re.findall(r'(?:href|src)="(?!/v1/|#)', answer.text) == []
    for route in openapi.routes(app):
        assert f'id="{route.name}"' in answer.text


def test_links_inside_the_page_lead_somewhere(app):
    text = app.test_client().get("/v1/docs").text
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))


def test_the_style_is_served_from_here(app):
    assert app.test_client().get("/v1/docs.css").content_type == "text/css; charset=utf-8"


STATUSES = {
    name: made.status
    for module in (errors, __import__("hub.web.manners", fromlist=["x"]), __import__("hub.web.reading", fromlist=["x"]))
    for name, made in vars(module).items()
    if isinstance(made, type) and issubclass(made, errors.HubError)
}


def raised():
    """Give every HubError raised with a literal code: (file:line, class, code)."""
    for path in sorted(HUB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in STATUSES
                and node.args
            ):
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield f"{path.relative_to(HUB)}:{node.lineno}", node.func.id, code.value


def test_every_code_that_is_raised_has_its_text():
    assert {(place, code) for place, _, code in raised() if code not in problems.catalogue()} == set()


def test_every_code_is_raised_with_the_status_of_its_text():
    wrong = {
        (place, code, STATUSES[name], problems.catalogue()[code].status)
        for place, name, code in raised()
        if code in problems.catalogue() and problems.catalogue()[code].status != STATUSES[name]
    }
    assert wrong == set()


def test_every_default_and_every_status_has_its_text():
    catalogue = problems.catalogue()
    for made in vars(errors).values():
        if isinstance(made, type) and issubclass(made, errors.HubError):
            assert catalogue[made.default].status == made.status
    for status, code in problems.BY_STATUS.items():
        assert catalogue[code].status == status
