"""`gather`: one report about this machine that answers what maintainers ask."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.api.checking import check
from abicheck.api.hosts import Discretion, describe
from abicheck.api.options import Options
from abicheck.api.selection import environment_of
from abicheck.model.description import HostReport
from abicheck.read.hosts.about import read_about

if TYPE_CHECKING:
    from collections.abc import Callable


def gather(environment: str | None = None, progress: Callable[[str], None] | None = None) -> HostReport:
    """Tell how this machine decides verdicts, what is installed in `environment` (as `check` finds it), and what loads of that.

    Home directories are written as `~`; there is nothing else of the user in it. Raises `TargetError` where there is no such
    environment, and `HostError` where the machine cannot be read.
    """
    found = environment_of(environment)
    host = describe("local", python=found.python)
    report = check([environment or found.prefix], options=Options(environment=environment), progress=progress)
    shown = Discretion(os.path.expanduser("~")).shown(HostReport(host, read_about(os.environ, found.python or ""), report))
    assert isinstance(shown, HostReport)
    return shown
