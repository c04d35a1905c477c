# SPDX-License-Identifier: Apache-2.0
"""The endpoints of tasks: what is to be done, and that it was done."""

from flask_restx import Namespace, Resource

from hub.base.ids import is_id
from hub.tasks import reads, service
from hub.tasks.shapes import TaskPage, TaskQuery, TaskShape
from hub.web.call import Call
from hub.web.operation import operation
from hub.web.paging import bad_cursor, decode_cursor, encode_cursor

namespace = Namespace("tasks")


@namespace.route("/tasks")
class Tasks(Resource):
    """What timers and people raised for the caller."""

    @operation(permission="tasks.read", query=TaskQuery, out=TaskPage, summary="tasks.list")
    def get(self, call: Call, query: TaskQuery) -> TaskPage:
        """List the caller's tasks in the order in which they were raised."""
        found = reads.tasks(
            call.session,
            call.caller.agency,
            after=_after(query.cursor),
            limit=query.limit + 1,
            with_done=query.done,
        )
        shown = tuple(TaskShape.of(task, language=call.language, now=call.now) for task in found[: query.limit])
        more = len(found) > query.limit
        return TaskPage(items=shown, next_cursor=encode_cursor(shown[-1].id) if more else None)


@namespace.route("/tasks/<string:task>/done")
class Done(Resource):
    """The end of a task."""

    @operation(permission="tasks.write", out=TaskShape, summary="tasks.done")
    def post(self, call: Call, task: str) -> TaskShape:
        """Mark the caller's own task done; doing so twice changes nothing more."""
        finished = service.done(call.session, agency=call.caller.agency, task=task, now=call.now)
        return TaskShape.of(finished, language=call.language, now=call.now)


def _after(cursor: str | None) -> str | None:
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    if not is_id(str(key[0])):
        raise bad_cursor()
    return str(key[0])
