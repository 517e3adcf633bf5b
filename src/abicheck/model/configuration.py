"""What a project has decided about its runs: settings, findings that it ignores for a while, and those that it knows already."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from abicheck.model.gate import FailOn


class Ignore(NamedTuple):
    """Findings of `rule` do not count for a while: up to and on the day `expires`, for the `reason` that is told.

    `package` and `host` narrow that to one of them (None: all). It is written in `file`, at `place` (as `FILE:LINE`).
    """

    rule: str
    reason: str
    expires: date
    package: str | None = None
    host: str | None = None
    file: str = ""
    place: str = ""


class Configuration(NamedTuple):
    """The settings of a project, each empty where the command's own default holds; `file` is None where there is none.

    `baseline` is the path of a file of known findings.
    """

    file: str | None = None
    hosts: tuple[str, ...] = ()
    python: str | None = None
    fail_on: FailOn | None = None
    require: tuple[str, ...] = ()
    strict: bool = False
    offline: bool = False
    baseline: str | None = None
    ignores: tuple[Ignore, ...] = ()


class Known(NamedTuple):
    """An error that a project had when its baseline was written, whatever the version and the object: those change."""

    package: str
    host: str
    rule: str
