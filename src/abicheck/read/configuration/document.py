"""The configuration of a project: `[tool.abicheck]` in pyproject.toml, or an abicheck.toml, to a value, checked key by key."""

from __future__ import annotations

import os
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, get_args

from abicheck.errors import UsageError
from abicheck.model.configuration import Configuration, Ignore
from abicheck.model.gate import FailOn
from abicheck.model.report import CAPABILITIES
from abicheck.read.configuration.find import is_shared, load, own_table
from abicheck.read.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The header of a table or of one table of a list; a key, bare or quoted.
_HEADER = re.compile(r"""(\[\[?)([\w\s.\-"']+)\]\]?\s*(?:#.*)?$""")
_KEY = re.compile(r"""\s*(["']?)([\w-]+)\1\s*[=.]""")
#: Of hosts that are files: relative ones lie beside the configuration.
_FILE_HOST = re.compile(r"((?:rootfs|image|dockerfile):)?(.+)")


def read_configuration(path: str) -> Configuration:
    """What a file says: the table `tool.abicheck` of a pyproject.toml, all of any other.

    Raises `UsageError`, which names file, line and key. Whether the rules exist is not asked.
    """
    text = load(path)
    values = own_table(path, text)
    if values is None:
        raise UsageError("has no [tool.abicheck]; write one, or name another file", path)
    table = _Section(path, "tool.abicheck" if is_shared(path) else "", values, _lines(text))
    directory = os.path.dirname(path)
    baseline = table.text("baseline")
    found = Configuration(
        file=path,
        hosts=tuple(_host(directory, host) for host in table.texts("hosts")),
        python=table.text("python"),
        fail_on=table.word("fail-on", get_args(FailOn)),
        require=table.words("require", CAPABILITIES),
        strict=table.flag("strict"),
        offline=table.flag("offline"),
        baseline=os.path.join(directory, baseline) if baseline else None,
        ignores=tuple(_ignore(each, directory) for each in table.sections("ignore")),
    )
    table.done()
    return found


class _Section(Table):
    """A table of the configuration; an error in it names the line, where that is known."""

    def __init__(self, file: str, path: str, values: Any, lines: Mapping[str, int]) -> None:
        self._lines = lines
        super().__init__(file, path, values)

    def place(self, key: str) -> str:
        """Where a key stands, else its table, else its list: as `FILE:LINE`."""
        known = (self.at(key), self.path, self.path.rpartition("[")[0])
        line = next((self._lines[each] for each in known if each in self._lines), None)
        return self.file if line is None else f"{self.file}:{line}"

    def error(self, key: str, message: str) -> UsageError:
        """What is wrong at a key."""
        return UsageError(f"{self.at(key)}: {message}", self.place(key))

    def words(self, key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        """A list of a few words."""
        found = self.texts(key)
        for word in found:
            if word not in choices:
                raise self.error(key, f"{word!r} is none of {', '.join(choices)}")
        return found

    def sections(self, key: str) -> list[_Section]:
        """A list of tables."""
        values = enumerate(self.raw(key, list))
        return [_Section(self.file, f"{self.at(key)}[{number}]", each, self._lines) for number, each in values]

    def needed(self, key: str, why: str) -> str:
        """A string with something in it."""
        text = self.text(key)
        if text is None or not text.strip():
            raise self.error(key, f"is {'missing' if text is None else 'empty'}; {why}")
        return text

    def date(self, key: str, why: str) -> date:
        """A date without a time."""
        value = self.take(key)
        if value is None:
            raise self.error(key, f"is missing; {why}")
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.error(key, f"must be a date, without quotes and time: {key} = 2030-01-31")
        return value


def _ignore(table: _Section, directory: str) -> Ignore:
    host = table.text("host")
    found = Ignore(
        rule=table.needed("rule", "name the rule that it is about"),
        package=table.text("package"),
        host=_host(directory, host) if host else host,
        reason=table.needed("reason", "say why it may be ignored"),
        expires=table.date("expires", "nothing is ignored for ever: say until when, as in expires = 2030-01-31"),
        file=table.file,
        place=table.place("expires"),
    )
    table.done()
    return found


def _host(directory: str, host: str) -> str:
    """A host as it is given on the command line."""
    match = _FILE_HOST.fullmatch(host)
    if not directory or match is None or not (match[1] or host.endswith((".json", ".txt"))):
        return host
    return f"{match[1] or ''}{os.path.join(directory, match[2])}"


def _lines(text: str) -> dict[str, int]:
    """The lines of headers and keys by their paths, as they are commonly written; what is not found is told without its line."""
    found: dict[str, int] = {}
    numbers: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            table = re.sub(r"[\s\"']", "", header[2])
            if header[1] == "[[":
                numbers[table] = numbers.get(table, -1) + 1
                table = f"{table}[{numbers[table]}]"
            found.setdefault(table, number)
        elif key is not None:
            found.setdefault(".".join(filter(None, (table, key[2]))), number)
    return found
