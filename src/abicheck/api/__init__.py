"""The public library: the only place where reading and judging meet.

`check` judges targets on hosts and `show` tells what native code asks of a host; both take what the command line takes and return
a value that can be printed, compared and pickled. Nothing that is judged is executed.

>>> import _ctypes
>>> from abicheck.api import Options, check
>>> report = check([_ctypes.__file__], ["local"], options=Options(stored=False))
>>> report.verdict, report.exit_code
('loads', 0)
>>> [(result.artifact.kind, result.host.name, result.predicted) for result in report.results]
[('file', 'local', None)]

What cannot be judged is no exception but an entry of `Report.errors`; only what makes no sense at all raises `UsageError`:

>>> check(["/nowhere.so"]).errors[0].message.partition(";")[0]
'no such file'

| name | what |
|---|---|
| `check(targets, hosts)` | a `Report`: one `Result` for each artifact on each host |
| `Options` | how much to find out, and how |
| `Report.verdict`, `.exit_code` | the worst verdict, and what the command would exit with |
| `Result.verdict`, `.predicted` | `loads`, `fails`, `depends` or `not-installable`, and the loader's own text |
| `Result.findings` | each a rule, what it is about, what shows it, and remedies in order |
| `show(targets)` | a `CardReport`: floors, ceilings and the symbols that force them |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.api.checking import check
from abicheck.api.options import Options
from abicheck.errors import AbicheckError, UsageError
from abicheck.model.report import Finding, Report, Result

if TYPE_CHECKING:
    from abicheck.api.hosts import describe
    from abicheck.api.showing import show

__all__ = ["AbicheckError", "Finding", "Options", "Report", "Result", "UsageError", "check", "describe", "show"]


def __getattr__(name: str) -> Any:
    """Import what `check` has no use for when it is asked for, so that `check` need not wait for it."""
    if name == "describe":
        from abicheck.api.hosts import describe  # noqa: PLC0415 -- as said

        return describe
    if name == "show":
        from abicheck.api.showing import show  # noqa: PLC0415 -- as said

        return show
    raise AttributeError(name)
