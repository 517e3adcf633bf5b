"""The text of a lock file, and its tables, whose values are checked where they are taken out."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

from abicheck.errors import TargetError
from abicheck.model.names import normalized
from abicheck.read.specifiers import read_specifier
from abicheck.read.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable

#: In bytes; the lock of a few thousand packages has some 5 MB.
LIMIT = 32 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_JSON_KEY = re.compile(r'( *)"([^"\\]*)"\s*:')


def read_text(path: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes. Raises `TargetError`."""
    try:
        with open(path, "rb") as file:
            data = file.read(LIMIT + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise TargetError(f"cannot be read ({reason}); give the path of a lock file", path) from None
    if len(data) > LIMIT:
        raise TargetError(f"larger than {LIMIT >> 20} MiB, which no lock file is; give another file", path)
    mark, encoding = next((each for each in _BOMS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TargetError("no text in UTF-8; save it as UTF-8", f"{path}:{line}") from None


class Document:
    """A document in TOML, or in JSON where it begins with a brace. Raises `TargetError` where it is neither."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.is_json = text.lstrip().startswith("{")
        self.values: dict[str, Any] = {}
        try:
            self.values = json.loads(text) if self.is_json else parse_toml(text)
        except (ValueError, RecursionError) as error:
            reason = str(error) or "nested too deeply"
            found = re.search(r"line (\d+)", reason)
            where = f"{path}:{found[1]}" if found else path
            kind = "JSON" if self.is_json else "TOML"
            raise TargetError(f"no {kind} ({reason}); make the lock again with its tool", where) from None

    def root(self) -> Entry:
        """The document as a table."""
        return Entry(self.path, 1, "", self.values)

    def entries(self, key: str) -> list[Entry]:
        """The tables of the list `key`, each with the line of its version, else that of its header."""
        tables = self.root().tables(key)
        lines = _table_lines(self.text, key)
        if len(lines) != len(tables):  # not written as [[tables]]
            return tables
        return [table.at(line) for table, line in zip(tables, lines, strict=True)]

    def json_lines(self) -> dict[tuple[str, str], int]:
        """The line of the version, else of the name, of each entry of each section, in JSON as pipenv writes it."""
        found: dict[tuple[str, str], int] = {}
        section = name = ""
        for number, line in enumerate(self.text.split("\n"), 1):
            match = _JSON_KEY.match(line)
            depth, key = (len(match[1]), match[2]) if match else (0, "")
            if depth == 4:
                section = key
            elif depth == 8:
                name = key
                found[section, name] = number
            elif depth == 12 and key == "version":
                found[section, name] = number
        return found


def _table_lines(text: str, header: str) -> list[int]:
    lines: list[int] = []
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("["):
            inside = line.rstrip() == f"[[{header}]]"
            if inside:
                lines.append(number)
        elif inside and re.match(r"version\s*=", line):
            lines[-1] = number
    return lines


class Entry:
    """A table with its place in the file. Whatever cannot be used raises `TargetError`, which names file, line and key."""

    def __init__(self, file: str, line: int, key: str, values: Any) -> None:
        self.file = file
        self.line = line
        self._key = key
        if not isinstance(values, dict):
            self.refuse("", "must be a table")
        self.values: dict[str, Any] = values

    def at(self, line: int) -> Entry:
        """The same on another line."""
        return Entry(self.file, line, self._key, self.values)

    def refuse(self, key: str, message: str) -> NoReturn:
        """Raise what is wrong at a key."""
        where = ".".join(filter(None, (self._key, key)))
        raise TargetError(f"{where}: {message}; make the lock again with its tool", f"{self.file}:{self.line}")

    def text(self, key: str) -> str | None:
        """A string, None where there is none."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            self.refuse(key, "must be a string")
        return value

    def flag(self, key: str) -> bool:
        """True or false, which is the default."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, "must be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, empty where there is none."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.refuse(key, "must be a list of strings")
        return tuple(value)

    def table(self, key: str) -> Entry:
        """A table, empty where there is none."""
        return Entry(self.file, self.line, self._path(key), self.values.get(key, {}))

    def tables(self, key: str) -> list[Entry]:
        """A list of tables, empty where there is none."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.refuse(key, "must be a list of tables")
        return [Entry(self.file, self.line, f"{self._path(key)}[{number}]", each) for number, each in enumerate(value)]

    def name(self, key: str = "name", value: str | None = None) -> str:
        """The name of a project, normalized (PEP 503); with `value` that one instead of the key's."""
        value = self.text(key) if value is None else value
        if value is None or not _NAME.fullmatch(value):
            self.refuse(key, "is missing" if value is None else f"{value!r} is no name of a project")
        return normalized(value)

    def version(self, key: str = "version", value: str | None = None) -> str | None:
        """A version (PEP 440), None where there is none; with `value` that one instead of the key's."""
        from packaging.version import Version  # noqa: PLC0415 -- costs 15 ms

        value = self.text(key) if value is None else value
        try:
            return None if value is None else str(Version(value))
        except ValueError:  # not only InvalidVersion: Python converts no number of thousands of digits
            self.refuse(key, f"{value!r} is no version")

    def marker(self, key: str) -> str | None:
        """A marker (PEP 508) as it stands, None where there is none or it is empty."""
        value = self.text(key)
        if value and not is_marker(value):
            self.refuse(key, f"{value!r} is no marker")
        return value or None

    def markers(self, key: str) -> tuple[str, ...]:
        """A list of markers as they stand."""
        values = self.texts(key)
        for value in values:
            if not is_marker(value):
                self.refuse(key, f"{value!r} is no marker")
        return values

    def specifier(self, key: str) -> str | None:
        """A specifier of versions (PEP 440) as it stands, None where there is none."""
        from packaging.specifiers import InvalidSpecifier  # noqa: PLC0415 -- costs 15 ms

        value = self.text(key)
        try:
            if value is not None:
                read_specifier(value)
        except InvalidSpecifier:
            self.refuse(key, f"{value!r} is no specifier of versions")
        return value

    def hashes(self, tables: Iterable[Entry], key: str = "hash") -> tuple[str, ...]:
        """What these tables have under `key`, each as `sha256:0a1b…`."""
        return tuple(dict.fromkeys(filter(None, (each.text(key) for each in tables))))

    def files(self, tables: Iterable[Entry], *keys: str) -> tuple[str, ...]:
        """The file names of these tables: the last part of the first of `keys` that each has."""
        found = (next(filter(None, map(each.text, keys)), "") for each in tables)
        return tuple(dict.fromkeys(unquote(each.partition("#")[0].rpartition("/")[2]) for each in found if each))

    def _path(self, key: str) -> str:
        return ".".join(filter(None, (self._key, key)))


def is_marker(text: str) -> bool:
    """Whether a text is a marker (PEP 508)."""
    from packaging.markers import Marker  # noqa: PLC0415 -- costs 15 ms

    try:
        Marker(text)
    except (ValueError, RecursionError):
        return False
    return True
