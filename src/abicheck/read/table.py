"""Tables of documents that people write, checked key by key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from abicheck.errors import TargetError

if TYPE_CHECKING:
    from abicheck.errors import AbicheckError


class Table:
    """One table of the file: what is taken out of it is checked, and what is left over is a mistake."""

    def __init__(self, file: str, path: str, values: Any) -> None:
        self.file = file
        self.path = path
        self._asked: list[str] = []
        if not isinstance(values, dict):
            raise self.error("", "must be a table")
        self._values: dict[str, Any] = dict(values)

    def at(self, key: str) -> str:
        """The path of a key in the document, as in `cells[0].versions`."""
        return ".".join(filter(None, (self.path, key)))

    def take(self, key: str, default: Any = None) -> Any:
        """A value as it stands."""
        self._asked.append(key)
        return self._values.pop(key, default)

    def error(self, key: str, message: str) -> AbicheckError:
        """What is wrong at a key."""
        return TargetError(f"{self.at(key)}: {message}", self.file)

    def text(self, key: str, default: str | None = None) -> str | None:
        """A string."""
        value = self.take(key, default)
        if value is not None and not isinstance(value, str):
            raise self.error(key, "must be a string")
        return value

    def word(self, key: str, choices: tuple[str, ...], default: str | None = None) -> Any:
        """One of a few strings."""
        value = self.text(key, default)
        if value is not None and value not in choices:
            raise self.error(key, f"{value!r} is none of {', '.join(choices)}")
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of strings."""
        value = self.take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.error(key, "must be a list of strings")
        if required and not value:
            raise self.error(key, "is missing or empty; name at least one")
        return tuple(value)

    def lists(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of strings; one empty list where there is none."""
        value = self.take(key, [[]])
        if not isinstance(value, list) or not all(
            isinstance(each, list) and all(isinstance(x, str) for x in each) for each in value
        ):
            raise self.error(key, "must be a list of lists of strings")
        return tuple(map(tuple, value)) or ((),)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A table of strings."""
        value = self.take(key, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise self.error(key, "must be a table of strings")
        return tuple(value.items())

    def number(self, key: str, default: float) -> float:
        """A number above 0."""
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise self.error(key, "must be a number above 0")
        return float(value)

    def count(self, key: str) -> int | None:
        """A whole number above 0, None where there is none."""
        value = self.take(key, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise self.error(key, "must be a whole number above 0")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.take(key, default=False)
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def raw(self, key: str, kind: type) -> Any:
        """A value of this type, empty where there is none."""
        value = self.take(key, kind())
        if not isinstance(value, kind):
            raise self.error(key, "must be a table" if kind is dict else "must be a list of tables")
        return value

    def done(self) -> None:
        """Nothing may be left."""
        for key in self._values:
            raise self.error(key, f"is no key here; there are {', '.join(self._asked)}")
