"""Requirements and specifiers (PEP 508, PEP 440) from outside.

`packaging` reads the numbers in them when something is compared with them, and some are too long for Python. They are refused
here as what they are, no requirement, so that comparing raises nothing later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.names import has_long_number

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

_MESSAGE = "a number in it is too long"


def read_specifier(text: str) -> SpecifierSet:
    """The specifiers of `>=3.9,<4`.

    Raises:
        packaging.specifiers.InvalidSpecifier: it is none, or has too long a number.

    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 -- costs 15 ms

    if has_long_number(text):
        raise InvalidSpecifier(_MESSAGE)
    return SpecifierSet(text)


def read_requirement(text: str) -> Requirement:
    """The requirement of `name[extra]>=1; python_version < "3.13"`.

    Raises:
        packaging.requirements.InvalidRequirement: it is none, or has too long a number.

    """
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 -- costs 20 ms

    if has_long_number(text):
        raise InvalidRequirement(_MESSAGE)
    return Requirement(text)
