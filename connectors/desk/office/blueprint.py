# SPDX-License-Identifier: Apache-2.0
"""The blueprint that all pages of the office hang on."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

blueprint: Final = Blueprint("office", __name__)
