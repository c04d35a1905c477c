# SPDX-License-Identifier: Apache-2.0
"""Logs: one JSON object a line, codes and ids only, control characters written out (bad-input LOG-01, LOG-03).

What a caller sent is never logged: no bodies, query strings, user agents or texts of exceptions. Of an exception
the log tells its type and the places in our code; of other libraries' records the template without its values.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

# JSON escapes C0 alone; DEL, C1, bidi controls and the line separators would still move a terminal's cursor
UNSEEN: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

Event = MutableMapping[str, Any]


def configure(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's records, as JSON lines, to `stream` (standard error by default)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        name_the_error,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    # the formatter sees records without their values: whether there were any must be noted before
    handler.addFilter(note_the_template)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[keep_the_template, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("sqlalchemy", "alembic", "werkzeug", "rq", "_granian", "granian.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def note_the_template(record: logging.LogRecord) -> bool:
    """Note the message of a record as the library wrote it; one without values may be made of somebody's words."""
    record.template = str(record.msg) if record.args else "library:message"
    return True


def keep_the_template(_logger: Any, _method: str, event: Event) -> Event:
    """Keep another library's message without the values put into it: they may be somebody's."""
    record: Any = event["_record"]
    return {
        "_record": record,
        "_from_structlog": False,
        "event": record.template,
        "logger": record.name,
        "exc_info": record.exc_info,
    }


def name_the_error(_logger: Any, _method: str, event: Event) -> Event:
    """Put the type of the exception and the places it came through in place of its text."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = info if isinstance(info, BaseException) else (info[1] if isinstance(info, tuple) else sys.exception())
    if error is not None:
        event["error"] = type(error).__name__
        event["sqlstate"] = getattr(getattr(error, "orig", error), "sqlstate", None)
        event["places"] = [
            f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__, limit=-12)
        ]
    return event


def render(_logger: Any, _method: str, event: Event) -> str:
    """Write one line of JSON in which nothing invisible is left."""
    line = json.dumps(event, ensure_ascii=False, default=lambda value: type(value).__name__)
    return UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", line)
