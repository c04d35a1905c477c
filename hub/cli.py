# SPDX-License-Identifier: Apache-2.0
"""`tsunagi-hub`: what an operator types. Every refusal is a sentence that says what to do, in the operator's
language.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.base import clock, logs
from hub.base.config import Settings
from hub.base.db import Database, Role, revision
from hub.base.errors import ConfigurationError, HubError
from hub.base.ids import is_id
from hub.base.schema import HEAD
from hub.base.sentences import sentence
from hub.embedded import site
from hub.embedded.accounts import choose_account, open_data_folder
from hub.embedded.postgres import LOGIN
from hub.migrations import run

if TYPE_CHECKING:
    from hub.station import Station

DATA: Final = click.option(
    "--data", type=click.Path(path_type=Path), default=None, help="Folder of a hub started with `up`."
)


ELSEWHERE: Final = {
    "agency": "hub.cli_agencies:agency",
    "audit": "hub.cli_audit:audit",
    "log": "hub.cli_log:log",
    "staff": "hub.cli_agencies:staff",
}
"""Groups that are loaded when they are asked for: `up` and `worker` start without what an operator types to others."""


class Sentences(click.Group):
    """A group whose commands end with a sentence when the machine is not as they need it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name what stands here and what is loaded when asked for."""
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command, loaded now if its group stands elsewhere."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say what to do where it refuses."""
        try:
            return super().invoke(ctx)
        except ConfigurationError as refused:
            raise click.ClickException(str(refused)) from None


@click.group(cls=Sentences)
@click.version_option(package_name="tsunagi")
def main() -> None:
    """Run and look after a Tsunagi hub."""


@main.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder for everything the hub keeps.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--issuer", default=None, help="Public origin, https://…; without it the hub is for this machine only.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=24, show_default=True, type=click.IntRange(1, 64))
@click.option("--metrics-port", default=None, type=click.IntRange(1, 65535), help="Private port for /metrics.")
@click.option("--play", is_flag=True, help="Rehearsal: the hub's time stands where the script puts it.")
def up(
    data: Path,
    host: str,
    port: int,
    issuer: str | None,
    workers: int,
    threads: int,
    metrics_port: int | None,
    play: bool,
) -> None:
    """Start everything on this machine: database, queue, web server, worker. Ctrl-C stops it."""
    stop = _stop_on_signals()
    data = open_data_folder(data, choose_account())
    figures = _fresh_folder(data / "metrics")
    web = site.Web(host=host, port=port, workers=workers, threads=threads, metrics=figures)
    with site.only_one(data):
        site.check_port(host, port)
        store = site.Store(data)
        click.echo(sentence("hub-starting", what="PostgreSQL, Valkey"), err=True)
        try:
            store.start()
            environ = store.settings(issuer or web.address, _environment_name(issuer, play=play))
            run.upgrade(environ["TSUNAGI_MIGRATION_URL"], login=LOGIN)
            if play:
                clock.create_play_clock(environ["TSUNAGI_MIGRATION_URL"])
            clock_check(Settings.from_environment(environ))
            _serve(web, environ, stop, store, metrics_port)
        finally:
            store.stop()
            click.echo(sentence("hub-stopped"), err=True)


def _serve(
    web: site.Web, environ: dict[str, str], stop: threading.Event, store: site.Store, metrics_port: int | None
) -> None:
    """Start web server and worker on a store that runs, watch all four, stop the two in good order."""
    data = store.postgres.data
    server = site.web_child(web, environ, data / "web.log")
    helper = site.worker_child(environ, data / "worker.log")
    ready = site.answers(web)
    try:
        server.start_until(ready, seconds=site.READY_SECONDS)
        helper.start()
        if metrics_port is not None:
            _serve_figures(metrics_port, web.metrics)
        click.echo(sentence("hub-listening", address=web.address))
        children: dict[Any, Callable[[], None]] = {
            store.postgres.child: store.postgres.restart,
            store.valkey.child: store.valkey.start,
            server: partial(server.start_until, ready, seconds=site.READY_SECONDS),
            helper: helper.start,
        }
        site.watch(
            children,
            stop.is_set,
            lambda child: click.echo(sentence("child-restarted", program=child.program), err=True),
        )
    finally:
        server.stop()
        helper.stop()


@main.command()
@DATA
@click.option("--play", is_flag=True, help="Also make the play clock of a rehearsal.")
@click.option("--login", default=None, help="Run-time login that may become tsn_hub, tsn_job, tsn_seq, tsn_dpo.")
def migrate(data: Path | None, play: bool, login: str | None) -> None:
    """Bring the database to this version."""
    settings = _settings(data)
    stands = run.upgrade(settings.migration_url, login=login or run.login_of(settings.database_url))
    if play:
        if settings.production:
            raise ConfigurationError("play-clock-in-production")
        clock.create_play_clock(settings.migration_url)
    click.echo(sentence("migrated", revision=stands))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=24, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the API on a PostgreSQL of your own (DATABASE_URL)."""
    stop = _stop_on_signals()
    settings = _settings(None)
    clock_check(settings)
    site.check_port(host, port)
    data = open_data_folder(settings.data, site.ourselves())
    web = site.Web(host=host, port=port, workers=workers, threads=threads, metrics=_fresh_folder(data / "metrics"))
    server = site.web_child(web, {}, data / "web.log")
    again = partial(server.start_until, site.answers(web), seconds=site.READY_SECONDS)
    try:
        again()
        if settings.metrics_port is not None:
            _serve_figures(settings.metrics_port, web.metrics)
        click.echo(sentence("hub-listening", address=web.address))
        site.watch(
            {server: again},
            stop.is_set,
            lambda child: click.echo(sentence("child-restarted", program=child.program), err=True),
        )
    finally:
        server.stop()


@main.command()
@DATA
def worker(data: Path | None) -> None:
    """Run the worker: outbox, timers, the log's sequencer."""
    logs.configure()
    settings = _settings(data)
    clock_check(settings)
    # late: the worker knows every slice; `up`, which starts it, needs none
    from hub import worker as worker_root

    worker_root.run(settings)


@main.command()
@DATA
def doctor(data: Path | None) -> None:
    """Look at the settings, the database and Redis, and say what needs attention."""
    from hub.base import queues  # late: rq is slow to load, and `up` has no queue of its own

    settings = _settings(data)
    database = Database(settings.database_url, Role.HUB)
    checks: dict[str, tuple[Callable[[], bool], str]] = {
        "PostgreSQL": (partial(_reachable, database), "database-away"),
        "migrations": (partial(_at_head, database), "database-behind"),
        "Redis": (queues.Wakes(settings.redis_url).alive, "redis-away"),
    }
    bad = 0
    for name, (check, remedy) in checks.items():
        good = check()
        bad += not good
        click.echo(
            sentence("check-good", what=name) if good else sentence("check-bad", what=name, remedy=sentence(remedy))
        )
    database.close()
    raise SystemExit(1 if bad else 0)


@main.group()
def outbox() -> None:
    """What the worker was asked to do and gave up."""


@outbox.command("dead")
@DATA
def dead(data: Path | None) -> None:
    """List the work that failed five times: ids and codes only."""
    with _station(data) as at:
        for letter in at.dead_letters():
            click.echo(f"{letter.id} {letter.topic} {letter.about} {letter.fault}")


@outbox.command("replay")
@DATA
@click.argument("work", nargs=-1, required=True)
def replay(data: Path | None, work: tuple[str, ...]) -> None:
    """Give dead work five new tries; the log says that it was done."""
    with _station(data) as at:
        for one in work:
            if not (is_id(one) and at.replay(one)):
                raise ConfigurationError("no-such-work", work=one)


@main.command()
@DATA
def checkpoint(data: Path | None) -> None:
    """Check the whole log as stored, then print the key it is signed with and its newest checkpoint."""
    with _station(data) as at:
        if not at.verify():
            raise ConfigurationError("log-damaged")
        click.echo(at.signer.verifier.text())
        found = at.checkpoint()
        if found is not None:
            click.echo(found.note, nl=False)


def clock_check(settings: Settings) -> None:
    """See that the database answers and that a production hub does not run on a rehearsal's clock.

    *Raises* ConfigurationError: with a sentence that says what to do.
    """
    database = Database(settings.database_url, Role.HUB)
    try:
        clock.refuse_play_in_production(database, settings)
    except HubError:
        raise ConfigurationError("database-away") from None
    finally:
        database.close()


def _station(data: Path | None) -> AbstractContextManager["Station"]:
    """Open what the worker stands on, for one command."""
    from hub.station import open_station  # late, as in `worker`

    return open_station(_settings(data))


def _serve_figures(port: int, folder: Path) -> None:
    """Serve /metrics on a port of its own."""
    from hub.web import metrics  # late: only who asks for the port pays for it

    metrics.serve(port, folder)


def _settings(data: Path | None) -> Settings:
    """Read the settings: the environment, and below it what the hub in `data` left for other commands."""
    return Settings.from_environment({**(site.environment(data) if data else {}), **os.environ})


def _environment_name(issuer: str | None, *, play: bool) -> str:
    if play:
        return "play"
    return os.environ.get("TSUNAGI_ENV") or (
        "production" if issuer and issuer.startswith("https://") else "development"
    )


def _reachable(database: Database) -> bool:
    try:
        revision(database)
    except HubError:
        return False
    return True


def _at_head(database: Database) -> bool:
    return _reachable(database) and revision(database) == HEAD


def _fresh_folder(path: Path) -> Path:
    """Empty the folder of figures: they belong to processes that are gone."""
    path.mkdir(exist_ok=True)
    for old in path.glob("*.db"):
        old.unlink()
    return path


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()
