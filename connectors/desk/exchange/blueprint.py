# SPDX-License-Identifier: Apache-2.0
"""The slice's blueprint; `pages`, `importing` and `giving` put their routes on it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

blueprint: Final = Blueprint("exchange", __name__)
