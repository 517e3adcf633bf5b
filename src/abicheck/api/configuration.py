"""`configuration`: what a project has decided about its runs."""

from __future__ import annotations

import os

from abicheck.errors import UsageError
from abicheck.model.configuration import Configuration
from abicheck.read.configuration.find import find_configuration


def configuration(path: str | None = None) -> Configuration:
    """The configuration in a file; without one (None) what is found from the current directory upwards; none at all for "".

    Raises `UsageError`, which names file, line and key.
    """
    if path is None:
        path = _found()
    if not path:
        return Configuration()
    from abicheck.read.configuration.document import read_configuration  # noqa: PLC0415 -- most have none

    found = read_configuration(path)
    for ignore in found.ignores:
        from abicheck.api.rules import rules  # noqa: PLC0415 -- most ignore nothing

        try:
            rules(ignore.rule)
        except UsageError as error:
            raise UsageError(error.message, ignore.place) from None
    return found


def _found() -> str | None:
    try:
        directory = os.getcwd()
    except OSError:  # it has been removed
        return None
    found = find_configuration(directory)
    return None if found is None else os.path.relpath(found, directory)
