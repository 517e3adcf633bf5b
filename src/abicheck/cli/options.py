"""Options that several commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click
from click.core import ParameterSource

from abicheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from abicheck.model.configuration import Configuration

_Command = TypeVar("_Command", bound="Callable[..., object]")


def pairs(values: Iterable[str]) -> dict[str, str]:
    """What `--set NAME=VALUE` sets. Raises `UsageError`."""
    settings = {}
    for value in values:
        name, equals, setting = value.partition("=")
        if not equals:
            raise UsageError(f"--set {value}: write it as --set NAME=VALUE")
        settings[name] = setting
    return settings


def format_files(values: Iterable[str], formats: Sequence[str]) -> list[tuple[str, str]]:
    """What `--write FORMAT=FILE` names. Raises `UsageError`."""
    found = []
    for value in values:
        style, _, file = value.partition("=")
        if style not in formats or not file:
            raise UsageError(f"--write {value}: write it as --write FORMAT=FILE, with one of {', '.join(formats)}")
        found.append((style, file))
    return found


def configurable(command: _Command) -> _Command:
    """Give a command the option `--config`: settings of the configuration are the defaults of options of the same name.

    The command gets the `Configuration` as `config`.
    """
    return click.option(
        "--config",
        metavar="FILE",
        is_eager=True,  # defaults come before what they are of
        callback=_configure,
        help="Take settings from FILE; '' takes none. [default: the next abicheck.toml or pyproject.toml, here or above]",
    )(command)


def _configure(context: click.Context, _: click.Parameter, path: str | None) -> Configuration:
    from abicheck.api.configuration import configuration  # noqa: PLC0415 -- help needs none

    found = configuration(path)
    context.default_map = {name: value for name, value in found._asdict().items() if value}
    return found


def source_of(name: str) -> ParameterSource | None:
    """Where the value of an option of this command comes from."""
    return click.get_current_context().get_parameter_source(name)


def configured(config: Configuration, *unused: str) -> str:
    """Which settings are the configuration's, but for those that the command had no use for; "" where none are."""
    options = (option.name or "" for option in click.get_current_context().command.params)
    names = [name for name in options if name not in unused and source_of(name) is ParameterSource.DEFAULT_MAP]
    return f"{', '.join(names).replace('_', '-')} from {config.file}" if names else ""
