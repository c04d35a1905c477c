# SPDX-License-Identifier: Apache-2.0
"""How every command behaves: help from the catalogue, the options that all share, sentences and exit codes.

verb(noun, "name", parameters…) above a function (Desk, **values) -> Said
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from sqlalchemy.exc import DBAPIError
from typing_extensions import override

from connectors.base.errors import EXIT_FAILED, ConnectorError
from connectors.cli import errors, saying
from connectors.cli.desk import Desk, Surroundings
from connectors.cli.kinds import CODE, Code, Staff
from connectors.cli.saying import Said
from connectors.cli.texts import LANGUAGE, help_of, language_of_the_shell, text
from consent.errors import TsunagiError
from consent.vocabulary.codes import Language

Answering = Callable[..., Said]
_LANGUAGES: Final[Mapping[str, Language]] = {"ja": "ja", "en": "en"}


def language_of(ctx: click.Context) -> Language:
    """Tell the language of a command: asked for, else the shell's."""
    asked: Language | None = ctx.meta.get(LANGUAGE)
    return asked or language_of_the_shell()


def words_of(ctx: click.Context) -> str:
    """Give the words that name a command, without the program's own."""
    words: list[str] = []
    step: click.Context | None = ctx
    while step is not None and step.parent is not None:
        words.insert(0, step.info_name or "")
        step = step.parent
    return " ".join(words)


class Option(click.Option):
    """An option whose help is in the catalogue, under its longest name."""

    @override
    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.help = _described(self, max(self.opts, key=len), ctx)
        return super().get_help_record(ctx)

    @override
    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        return {}  # said by the catalogue instead


class Argument(click.Argument):
    """An argument whose help is in the catalogue, under its name in capitals."""

    @override
    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        return self.make_metavar(ctx), _described(self, (self.name or "").upper(), ctx)


class _Helpful:
    """What nouns and verbs share: their help is in the catalogue, under the words that one types."""

    def described(self, ctx: click.Context) -> str:
        return help_of(words_of(ctx) or "tsunagi", "", language_of(ctx))

    def parameters(self, ctx: click.Context, formatter: click.HelpFormatter, params: Sequence[click.Parameter]) -> None:
        for one in params:
            if isinstance(one, click.Option) and not isinstance(one, Option):
                one.help = _described(one, max(one.opts, key=len), ctx)  # --help, which is the library's
        for key, kind in (("help-arguments", Argument), ("help-options", click.Option)):
            rows = [one.get_help_record(ctx) for one in params if isinstance(one, kind)]
            found = [row for row in rows if row]
            if found:
                with formatter.section(text(key, language_of(ctx))):
                    formatter.write_dl(found)


class Verb(_Helpful, click.Command):
    """One command."""

    @override
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _usage(self, ctx, formatter)

    @override
    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _paragraph(formatter, self.described(ctx))

    @override
    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        return

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.parameters(ctx, formatter, self.get_params(ctx))


class Noun(_Helpful, click.Group):
    """The commands about one thing."""

    def __init__(self, name: str, *params: click.Parameter) -> None:
        """Take the noun."""
        super().__init__(name=name, params=[_lang(), *params], no_args_is_help=False, invoke_without_command=True)
        self.callback = self._alone

    def _alone(self) -> None:
        ctx = click.get_current_context()
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())

    @override
    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _usage(self, ctx, formatter)

    @override
    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _paragraph(formatter, self.described(ctx))

    @override
    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        return

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.parameters(ctx, formatter, self.get_params(ctx))
        path = words_of(ctx)
        rows = [
            (name, help_of(f"{path} {name}".strip(), "", language_of(ctx)).partition("\n")[0])
            for name in self.list_commands(ctx)
        ]
        with formatter.section(text("help-commands", language_of(ctx))):
            formatter.write_dl(rows)


class Root(Noun):
    """The whole command line: turns every failure into a sentence and an exit code."""

    @override
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        name = prog_name or self.name
        if not standalone_mode:
            return super().main(args, name, complete_var, standalone_mode=False, **extra)
        given = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(args, self.name, complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            _fail(error, _asked_language(error.ctx, given), as_json="--json" in given)
        except click.Abort as error:
            _fail(error, _asked_language(None, given), as_json="--json" in given)
        sys.exit(code if isinstance(code, int) else 0)


def argument(
    name: str, type_: click.ParamType[Any, Any] | None = None, *, many: bool = False, required: bool = True
) -> Argument:
    """Make an argument; where there may be many, there are as many as follow."""
    return Argument([name], type=type_, nargs=-1 if many else 1, required=required, metavar=name.upper())


def option(
    name: str,
    type_: click.ParamType[Any, Any] | None = None,
    *,
    many: bool = False,
    required: bool = False,
    default: Any = None,
) -> Option:
    """Make an option that takes a value, or several where it may be given again."""
    metavar = CODE if isinstance(type_, Code) else None
    extra = {} if default is None else {"default": default, "show_default": True}
    return Option([name], type=type_, multiple=many, required=required, metavar=metavar, **extra)


def flag(name: str) -> Option:
    """Make an option without a value."""
    return Option([name], is_flag=True)


LATER: Final = flag("--later")


def version_flag() -> Option:
    """Make the flag that says which version this is."""
    return Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_say_version)


def verb(noun: click.Group, name: str, *params: click.Parameter) -> Callable[[Answering], Answering]:
    """Make a command of a function that takes a `Desk` and the values of its parameters."""

    def made(answering: Answering) -> Answering:
        noun.add_command(Verb(name, params=[*params, *_common()], callback=_callback(answering)))
        return answering

    return made


def _callback(answering: Answering) -> Callable[..., int]:
    def answer(  # each is an option that every command has
        folder: Path | None, passphrase_file: Path | None, staff: str | None, *, json: bool, **values: Any
    ) -> int:
        ctx = click.get_current_context()
        language = language_of(ctx)
        desk = Desk(
            language=language,
            folder=folder,
            passphrase_file=passphrase_file,
            staff_named=staff,
            later=values.pop("later", False),
            json=json,
            around=ctx.find_object(Surroundings) or Surroundings(),
        )
        try:
            said = answering(desk, **values)
        except (ConnectorError, TsunagiError) as error:
            _report(error, language, as_json=json)
            return errors.exit_code(error)
        except DBAPIError:
            _report(errors.CliError("casebook-failed"), language, as_json=json)
            return EXIT_FAILED
        saying.emit(said, as_json=json)
        for note in desk.notes:
            click.echo(note, err=True)
        return said.code or desk.code

    return answer


def _fail(error: Exception, language: Language, *, as_json: bool) -> NoReturn:
    _report(error, language, as_json=as_json)
    sys.exit(errors.exit_code(error) or EXIT_FAILED)


def _report(error: Exception, language: Language, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(errors.document(error, language), ensure_ascii=False, indent=1))
    for line in errors.lines(error, language):
        click.echo(saying.harmless(line), err=True)


def _asked_language(ctx: click.Context | None, given: Sequence[str]) -> Language:
    """Tell the language of a command line that could not be read to its end."""
    if ctx is not None and LANGUAGE in ctx.meta:
        return language_of(ctx)
    for before, after in zip(("", *given), (*given, ""), strict=True):
        said = after if before == "--lang" else before.removeprefix("--lang=") if "--lang=" in before else ""
        if said in _LANGUAGES:
            return _LANGUAGES[said]
    return language_of_the_shell()


def _common() -> list[click.Parameter]:
    return [
        Option(["--folder"], type=click.Path(path_type=Path), envvar="TSUNAGI_FOLDER"),
        Option(["--passphrase-file"], type=click.Path(path_type=Path)),
        Option(["--staff"], type=Staff(), envvar="TSUNAGI_STAFF"),
        Option(["--json"], is_flag=True),
        _lang(),
    ]


def _lang() -> Option:
    return Option(
        ["--lang"], type=click.Choice(["ja", "en"]), expose_value=False, is_eager=True, callback=_set_language
    )


def _set_language(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta[LANGUAGE] = value


def _say_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        try:
            click.echo(metadata.version("tsunagi"))
        except metadata.PackageNotFoundError:
            click.echo(text("not-installed", language_of(ctx)))
        ctx.exit()


def _described(param: click.Parameter, name: str, ctx: click.Context) -> str:
    path = words_of(ctx)
    said = help_of(path, name, language_of(ctx))
    if isinstance(param.type, Code):
        said = f"{said} ({param.type.code_list})" if said else param.type.code_list
    if isinstance(param, click.Option) and param.required:
        said = f"{said} {text('help-required', language_of(ctx))}"
    if isinstance(param, Option) and param.show_default and param.default:
        said = f"{said} {text('help-default', language_of(ctx), value=param.default)}"
    return said.strip()


def _usage(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(f"tsunagi {words_of(ctx)}".strip(), pieces, prefix=text("help-usage", language_of(ctx)))


def _paragraph(formatter: click.HelpFormatter, said: str) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        for line in said.split("\n"):
            formatter.write_text(line)
