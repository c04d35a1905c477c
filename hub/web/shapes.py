# SPDX-License-Identifier: Apache-2.0
"""The bases of every request and response model: strict, frozen, no unknown members, nothing coerced."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A JSON object of the API, in or out. Members that may be absent have a default; no number becomes a time."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Query(BaseModel):
    """The parameters after the `?`, each at most once; they are text, so numbers are read from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
