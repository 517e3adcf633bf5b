"""Values of a profile that people may have edited: whatever is not as it should be is named by the path of its key."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from abicheck.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ANEW = "make the profile anew with `abicheck host --save`"
_PLAIN = re.compile(r"\w+")
_NAMES = {str: "a text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list"}


class Checked:
    """One value and the path of its key."""

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self.path = path

    def fail(self, reason: str) -> NoReturn:
        """Raise the error of this value."""
        raise HostError(f"{self.path or 'the profile'}: {reason}; {_ANEW}")

    def _of(self, kind: type) -> Any:
        if not isinstance(self.value, kind) or (kind is int and isinstance(self.value, bool)):
            shown = json.dumps(self.value)
            self.fail(f"{_NAMES[kind]} must stand here, not {shown if len(shown) < 60 else shown[:56] + ' ...'}")
        return self.value

    def text(self) -> str:
        """The value as a text without NUL, which no name and no path holds."""
        text: str = self._of(str)
        if "\0" in text:
            self.fail("a NUL character stands in it")
        return text

    def number(self, least: int = 0, most: int = (1 << 64) - 1) -> int:
        """The value as a whole number from `least` to `most`."""
        number: int = self._of(int)
        if not least <= number <= most:
            self.fail(f"{number} is not from {least} to {most}")
        return number

    def flag(self) -> bool:
        """The value as true or false."""
        flag: bool = self._of(bool)
        return flag

    def choice(self, words: Sequence[str]) -> Any:
        """The value as one of `words`."""
        if self.value not in words:
            self.fail(f"one of {', '.join(words)} must stand here, not {json.dumps(self.value)}")
        return self.value

    def items(self) -> Iterator[Checked]:
        """The values of a list."""
        return (Checked(value, f"{self.path}[{number}]") for number, value in enumerate(self._of(list)))

    def texts(self) -> tuple[str, ...]:
        """The texts of a list."""
        return tuple(each.text() for each in self.items())

    def words(self) -> list[str]:
        """The words of a text."""
        return self.text().split()

    def fields(self) -> Iterator[tuple[str, Checked]]:
        """The keys and values of an object."""
        return ((key, self._at(key, value)) for key, value in self._of(dict).items())

    def __getitem__(self, key: str) -> Checked:
        """The value of `key`, which must be there."""
        if key not in self._of(dict):
            self.fail(f"the key {json.dumps(key)} is missing")
        return self._at(key, self.value[key])

    def get(self, key: str) -> Checked | None:
        """The value of `key`; None where there is none, or null."""
        value = self._of(dict).get(key)
        return None if value is None else self._at(key, value)

    def only(self, *keys: str) -> Checked:
        """The same object, which may have no other keys than these."""
        for key, value in self.fields():
            if key not in keys:
                value.fail("there is no such key")
        return self

    def _at(self, key: str, value: Any) -> Checked:
        return Checked(value, f"{self.path}.{key}".lstrip(".") if _PLAIN.fullmatch(key) else f"{self.path}[{json.dumps(key)}]")
