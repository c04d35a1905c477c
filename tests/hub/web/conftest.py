# SPDX-License-Identifier: Apache-2.0
"""A throw-away namespace in a real app on a real database: the manners are tested without any slice."""

from typing import Annotated

import pytest
from flask import Flask
from flask_restx import Namespace, Resource
from pydantic import Field

from hub.app import create_app
from hub.base import replay
from hub.base.config import Settings
from hub.base.db import Database
from hub.base.errors import ConflictError, ForbiddenError, NotFoundError, StaleError
from hub.base.ids import new_id
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import Page, PageQuery, decode_cursor, encode_cursor
from hub.web.shapes import Shape
from tests.hub.conftest import HubClient, agency_by_header

things = Namespace("things")
ran: list[str] = []


class Thing(Shape):
    name: Annotated[str, Field(max_length=40)]
    number: int = 0
    inner: "Thing | None" = None


class Made(Shape):
    id: str
    number: int
    actions: tuple[str, ...] = ()


class Numbered(PageQuery):
    above: Annotated[int, Field(ge=0)] = 0


@things.route("/things")
class Things(Resource):
    @operation(permission="cases.write", body=Thing, out=Made, status=201, summary="docs.body")
    def post(self, call: Call, body: Thing) -> Reply:
        ran.append(body.name)
        if body.name == "refuse":
            raise ConflictError("conflict", pointer="/name")
        if body.name in {"keep", "keep-not"}:
            replay.seen_before(call.session, "kept", body.name, call.now)
            raise ForbiddenError(
                "consent-refused", keep=body.name == "keep", extra={"decisions": [{"outcome": "refused"}]}
            )
        if body.name == "fail":
            raise ValueError(body.name)
        return Reply(body=Made(id=new_id(call.now), number=body.number), etag=1)

    @operation(permission="cases.read", query=Numbered, out=Page[Made], summary="docs.body")
    def get(self, call: Call, query: Numbered) -> Page[Made]:
        last = decode_cursor(query.cursor, int)
        start = int(last[0]) + 1 if last else query.above
        numbers = range(start, min(start + query.limit, 5))
        following = encode_cursor(numbers[-1]) if numbers and numbers[-1] < 4 else None
        return Page[Made](items=tuple(Made(id="x", number=number) for number in numbers), next_cursor=following)


@things.route("/things/<string:thing>")
class One(Resource):
    @operation(permission="cases.read", out=Made, summary="docs.body")
    def get(self, call: Call, thing: str) -> Reply:
        if not thing.endswith("1"):
            raise NotFoundError
        return Reply(body=Made(id=thing, number=1), etag=7)


@things.route("/things/<string:thing>/change")
class Change(Resource):
    @operation(permission="cases.write", out=Made, conditional=True, summary="docs.body")
    def post(self, call: Call, thing: str) -> Made:
        ran.append("change")
        if call.if_match != "7":
            raise StaleError
        return Made(id=thing, number=8)


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    made = create_app(settings, database, validator=agency_by_header, namespaces=[things])
    made.test_client_class = HubClient
    return made


@pytest.fixture
def client(app: Flask) -> HubClient:
    ran.clear()
    return app.test_client()
