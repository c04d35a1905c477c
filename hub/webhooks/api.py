# SPDX-License-Identifier: Apache-2.0
"""The endpoints of webhooks: register, look, test, a new secret, let go on, send again, remove."""

from flask import current_app
from flask_restx import Namespace, Resource

from hub.base.errors import NotFoundError
from hub.base.ids import is_id
from hub.web.call import Call, Reply
from hub.web.operation import operation
from hub.web.paging import PageQuery, bad_cursor, decode_cursor, encode_cursor
from hub.web.work import EXTENSION, Hub
from hub.webhooks import reads, service
from hub.webhooks.rules import Reach
from hub.webhooks.sending import reach_of
from hub.webhooks.service import Told
from hub.webhooks.shapes import (
    DeliveryPage,
    DeliveryShape,
    From,
    NewWebhook,
    WebhookPage,
    WebhookShape,
    WebhookWithSecret,
)

namespace = Namespace("webhooks")
ACCEPTED = 202


@namespace.route("/webhooks")
class Webhooks(Resource):
    """The addresses that the caller's events are sent to."""

    @operation(permission="webhooks.read", query=PageQuery, out=WebhookPage, summary="webhooks.list")
    def get(self, call: Call, query: PageQuery) -> WebhookPage:
        """List them in the order in which they were registered."""
        found = reads.page(call.session, call.caller.agency, after=_place(query.cursor), limit=query.limit + 1)
        page = found[: query.limit]
        cursor = encode_cursor(page[-1].id) if len(found) > query.limit else None
        return WebhookPage(items=tuple(WebhookShape.of(one) for one in page), next_cursor=cursor)

    @operation(
        permission="webhooks.write", body=NewWebhook, out=WebhookWithSecret, status=201, summary="webhooks.register"
    )
    def post(self, call: Call, body: NewWebhook) -> Reply:
        """Register an address; the answer tells the secret, once."""
        told = service.register(call.session, body.url, agency=call.caller.agency, reach=_reach(), now=call.now)
        return _once(told)


@namespace.route("/webhooks/<string:webhook>")
class OneWebhook(Resource):
    """One webhook."""

    @operation(permission="webhooks.read", out=WebhookShape, summary="webhooks.read")
    def get(self, call: Call, webhook: str) -> WebhookShape:
        """Show a webhook and how it goes."""
        return WebhookShape.of(_own(call, webhook))

    @operation(permission="webhooks.write", status=204, summary="webhooks.remove")
    def delete(self, call: Call, webhook: str) -> None:
        """Remove a webhook and its secrets."""
        service.remove(call.session, webhook, agency=call.caller.agency, now=call.now)


@namespace.route("/webhooks/<string:webhook>/test")
class Tests(Resource):
    """Trying a webhook out."""

    @operation(permission="webhooks.write", out=WebhookShape, status=ACCEPTED, summary="webhooks.test")
    def post(self, call: Call, webhook: str) -> WebhookShape:
        """Send a test event."""
        return WebhookShape.of(service.test(call.session, webhook, agency=call.caller.agency, now=call.now))


@namespace.route("/webhooks/<string:webhook>/rotate")
class Rotations(Resource):
    """New secrets."""

    @operation(permission="webhooks.write", out=WebhookWithSecret, summary="webhooks.rotate")
    def post(self, call: Call, webhook: str) -> Reply:
        """Make a new secret; the answer tells it, once."""
        return _once(service.rotate(call.session, webhook, agency=call.caller.agency, now=call.now))


@namespace.route("/webhooks/<string:webhook>/enable")
class Enabling(Resource):
    """Going on."""

    @operation(permission="webhooks.write", out=WebhookShape, summary="webhooks.enable")
    def post(self, call: Call, webhook: str) -> WebhookShape:
        """Go on where it stopped."""
        return WebhookShape.of(service.enable(call.session, webhook, agency=call.caller.agency, now=call.now))


@namespace.route("/webhooks/<string:webhook>/replay")
class Replays(Resource):
    """Sending again."""

    @operation(permission="webhooks.write", body=From, out=WebhookShape, status=ACCEPTED, summary="webhooks.replay")
    def post(self, call: Call, body: From, webhook: str) -> WebhookShape:
        """Send again from an event on."""
        agency = call.caller.agency
        return WebhookShape.of(service.replay(call.session, webhook, body.event, agency=agency, now=call.now))


@namespace.route("/webhooks/<string:webhook>/deliveries")
class Deliveries(Resource):
    """How it went."""

    @operation(permission="webhooks.read", query=PageQuery, out=DeliveryPage, summary="webhooks.deliveries")
    def get(self, call: Call, query: PageQuery, webhook: str) -> DeliveryPage:
        """List what was tried, newest first."""
        own = _own(call, webhook)
        found = reads.deliveries(call.session, own.id, before=_place(query.cursor), limit=query.limit + 1)
        page = found[: query.limit]
        cursor = encode_cursor(page[-1].id) if len(found) > query.limit else None
        return DeliveryPage(items=tuple(DeliveryShape.of(one) for one in page), next_cursor=cursor)


def _own(call: Call, webhook: str) -> reads.Webhook:
    found = reads.webhook(call.session, webhook, agency=call.caller.agency)
    if found is None:
        raise NotFoundError
    return found


def _once(told: Told) -> Reply:
    return Reply(body=WebhookWithSecret.telling(told), kept=WebhookWithSecret.withholding(told))


def _reach() -> Reach:
    hub: Hub = current_app.extensions[EXTENSION]
    return reach_of(hub.settings)


def _place(cursor: str | None) -> str | None:
    key = decode_cursor(cursor, str)
    if key is None:
        return None
    if not is_id(str(key[0])):
        raise bad_cursor()
    return str(key[0])
