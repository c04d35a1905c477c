# SPDX-License-Identifier: Apache-2.0
"""The composition root of the web side: builds the app, registers the slices, gives oauth's validator to the gate."""

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from flask import Flask
from flask_restx import Namespace

from hub.agencies import api as agencies_api
from hub.audit import api as audit_api
from hub.audit import reads as audit_reads
from hub.base import clock, db, hubkeys, logs, queues
from hub.base.config import Settings
from hub.base.db import Database, Role
from hub.base.errors import HubError, UnavailableError
from hub.base.schema import HEAD
from hub.cases import api as cases_api
from hub.console import site as console
from hub.evidence import api as evidence_api
from hub.intakes import api as intakes_api
from hub.meetings import api as meetings_api
from hub.messages import api as messages_api
from hub.oauth import api as oauth_api
from hub.oauth.validator import TokenValidator
from hub.outbox import api as events_api
from hub.oversight import api as oversight_api
from hub.oversight import pages as copy_pages
from hub.referrals import api as referrals_api
from hub.referrals import network
from hub.tasks import api as tasks_api
from hub.web import docs, health, manners, permissions, problems
from hub.web.gate import Gate, Validator
from hub.web.thin import ThinApi
from hub.web.work import EXTENSION, Hub
from hub.webhooks import api as webhooks_api

NAMESPACES: Final[Sequence[Namespace]] = (
    audit_api.namespace,
    evidence_api.namespace,
    events_api.namespace,
    tasks_api.namespace,
    agencies_api.namespace,
    cases_api.namespace,
    intakes_api.namespace,
    meetings_api.namespace,
    messages_api.namespace,
    referrals_api.namespace,
    webhooks_api.namespace,
    oversight_api.namespace,
)
"""Every slice's endpoints; paths are relative to /v1."""
OVERSEERS: Final = 2
"""Connections of the console's own role: few people look at it at once."""


def create_app(
    settings: Settings,
    database: Database,
    *,
    validator: Validator | None = None,
    namespaces: Sequence[Namespace] = NAMESPACES,
    wakes: queues.Wakes | None = None,
    keys: hubkeys.HubKeys | None = None,
    oversight: Database | None = None,
) -> Flask:
    """Build the app on a database of requests (tsn_hub); `oversight` is the same one for the console (tsn_dpo).

    With the hub's `keys` it is a whole hub: receipts are signed, tokens are given out, and the gate checks them. Tests
    that need none of it leave them out and may bring a `validator` of their own.

    *Raises* RuntimeError: a route names no permission.
    """
    app = Flask("hub", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["MAX_CONTENT_LENGTH"] = settings.request_limit
    # `//v1` is another address than `/v1`, and no redirect says otherwise (bad-input HTT-16)
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    wakes = wakes or queues.Wakes(None)
    if keys is not None:
        database.givens[hubkeys.RECEIPTS] = hubkeys.Receipts(hub=settings.issuer, key=keys.receipt)
        database.givens[hubkeys.LOG_KEY] = keys.log.public
        database.givens[hubkeys.WEBHOOKS] = keys.webhooks
        validator = validator or TokenValidator(database, settings.issuer)
    oversight = oversight or Database(settings.database_url, Role.DPO, pool_size=OVERSEERS)
    oversight.givens.update(database.givens)
    app.extensions[EXTENSION] = Hub(
        settings=settings, database=database, gate=Gate(validator), wakes=wakes, oversight=oversight
    )
    manners.register(app)
    problems.register(app)
    docs.register(app)
    health.register(
        app,
        needed={"database": partial(_migrated, database)},
        useful={"queue": wakes.alive, "log": partial(_logs, database)},
    )
    console.register(app)
    copy_pages.register(app)
    if keys is not None:
        oauth_api.register(app, keys.token.public)
    api = ThinApi(app, prefix="/v1")
    for namespace in namespaces:
        api.add_namespace(namespace)
    bare = permissions.undeclared(app)
    if bare:
        raise RuntimeError("undeclared-routes", bare)
    return app


def from_environment() -> Flask:
    """Build the whole hub of one server process (`granian --factory hub.app:from_environment`).

    *Raises* ConfigurationError: with a sentence that says what to do.
    """
    logs.configure()
    settings = Settings.from_environment(os.environ)
    network.use_folder(settings.data)
    wakes = queues.Wakes(settings.redis_url)
    database = Database(
        settings.database_url,
        Role.HUB,
        wake=wakes.wake,
        pool_size=settings.pool_size,
        prepare_threshold=settings.prepare_threshold,
        real_time=settings.production,
    )
    oversight = Database(
        settings.database_url,
        Role.DPO,
        wake=wakes.wake,
        pool_size=OVERSEERS,
        prepare_threshold=settings.prepare_threshold,
        real_time=settings.production,
    )
    # a database that is away is no reason not to start: /readyz says so, and every connection is checked again
    with suppress(UnavailableError):
        clock.refuse_play_in_production(database, settings)
    keys = hubkeys.load(settings.data)
    return create_app(settings, database, wakes=wakes, keys=keys, oversight=oversight)


def _logs(database: Database) -> bool:
    """Tell whether the log is written on: not while it is being recovered."""
    try:
        with database.transaction(None) as session:
            return audit_reads.recovery(session) is None
    except HubError:
        return False


def _migrated(database: Database) -> bool:
    """Tell whether the database answers and its schema is the one this program knows."""
    try:
        return db.revision(database) == HEAD
    except HubError:
        return False
