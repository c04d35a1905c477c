# SPDX-License-Identifier: Apache-2.0
"""The description of the API, OpenAPI 3.1, made from what the routes declare; nothing in it is written twice."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import CoreSchema

from hub.web.operation import JSON, Operation
from hub.web.permissions import PERMISSIONS, SCOPES

VERSION: Final = "3.1.0"
REFERENCE: Final = "#/components/schemas/{model}"
ARGUMENT: Final = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
    },
}
SENT_HEADERS: Final = {"Idempotency-Key": r"^[\x21-\x7e]{1,255}$", "If-Match": r'^"[^"]+"$'}


class TextForCodes(GenerateJsonSchema):
    """Describes what a validator of ours reads (codes, moments, signed text) as the text it is in JSON."""

    def handle_invalid_for_json_schema(self, schema: CoreSchema, error_info: str) -> JsonSchemaValue:  # noqa: ARG002 - pydantic's
        """Say text where pydantic cannot tell."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation where it lives."""

    method: str
    path: str
    name: str
    arguments: tuple[tuple[str, str], ...]
    operation: Operation


@cache
def summaries() -> Mapping[str, Mapping[str, str]]:
    """Read what each operation does, in a sentence: key → language → text."""
    found: dict[str, dict[str, str]] = orjson.loads(files("hub.web").joinpath("summaries.json").read_bytes())
    return found


def summary(key: str, language: str) -> str:
    """Say what an operation does; the key itself where the catalogue lacks it (a test sees to it that none is)."""
    return summaries().get(key, {}).get(language, key)


def routes(app: Flask) -> Iterator[Route]:
    """Give the API's operations, sorted by path."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        resource = getattr(app.view_functions[rule.endpoint], "view_class", None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            declared = getattr(getattr(resource, method.lower(), None), "operation", None)
            if declared is not None:
                arguments = tuple((found["name"], found["kind"] or "string") for found in ARGUMENT.finditer(rule.rule))
                path = ARGUMENT.sub(r"{\g<name>}", rule.rule)
                name = f"{method.lower()}_{rule.endpoint}"
                yield Route(method=method.lower(), path=path, name=name, arguments=arguments, operation=declared)


def describe(app: Flask, issuer: str, language: str) -> dict[str, Any]:
    """Make the OpenAPI document in one language."""
    found = list(routes(app))
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for route in found:
        for model in (route.operation.body, route.operation.query):
            if model is not None:
                models[model, "validation"] = None
        if route.operation.out is not None:
            models[route.operation.out, "serialization"] = None
    places, definitions = models_json_schema(list(models), ref_template=REFERENCE, schema_generator=TextForCodes)
    schemas = definitions.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method] = _described(route, places, schemas, language)
    return {
        "openapi": VERSION,
        "info": {"title": summary("title", language), "version": "1", "description": summary("about", language)},
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "securitySchemes": {
                "agency": {
                    "type": "oauth2",
                    "description": summary("security", language),
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": f"{issuer}/oauth/token",
                            "scopes": {scope: summary(f"scope.{scope}", language) for scope in sorted(SCOPES)},
                        }
                    },
                }
            },
        },
    }


def _described(route: Route, places: Mapping[Any, Any], schemas: Mapping[str, Any], language: str) -> dict[str, Any]:
    op = route.operation
    rule = PERMISSIONS[op.permission]
    problem = {"content": {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}}
    good: dict[str, Any] = {"description": summary("answer", language)}
    if op.out is not None:
        good["content"] = {"application/json": {"schema": places[op.out, "serialization"]}}
    elif op.media != JSON:
        good["content"] = {op.media: {}}
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": summary(op.summary, language),
        "tags": [op.permission.partition(".")[0]],
        # any one of the scopes suffices
        "security": [{"agency": [scope]} for scope in sorted(rule.scopes)],
        "parameters": list(_parameters(route, places, schemas)),
        "responses": {
            str(op.status): good,
            "default": {"description": summary("problem", language), **problem},
        },
    }
    if op.body is not None:
        schema = places[op.body, "validation"]
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _parameters(route: Route, places: Mapping[Any, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, kind in route.arguments:
        schema: dict[str, Any] = {"type": "integer"} if kind == "int" else {"type": "string"}
        if kind != "int" and name not in route.operation.plain:
            schema["format"] = "uuid"
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if route.operation.query is not None:
        schema = schemas[places[route.operation.query, "validation"]["$ref"].rpartition("/")[2]]
        required = set(schema.get("required", ()))
        for name, part in schema["properties"].items():
            yield {"name": name, "in": "query", "required": name in required, "schema": part}
    for name, needed in (("Idempotency-Key", route.operation.once), ("If-Match", route.operation.conditional)):
        if needed:
            schema = {"type": "string", "pattern": SENT_HEADERS[name]}
            yield {"name": name, "in": "header", "required": True, "schema": schema}
