"""Where a report goes: a terminal, a pipe, or a file that is there either whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

from abicheck.errors import AbicheckError

if TYPE_CHECKING:
    from abicheck.report.alerts.alert import Alerts


def wants_colour(output: str | None) -> bool:
    """True when the report goes to a terminal that has colours and whose user wants them (https://no-color.org)."""
    dull = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return output is None and not dull and sys.stdout.isatty()


def of_alerts(found: Alerts, style: str) -> str:
    """Alerts as SARIF or, with the style `github`, as annotations."""
    if style == "github":
        from abicheck.report.alerts import github  # noqa: PLC0415 -- for this format only

        return github.render(found)
    from abicheck.api.rules import rules  # noqa: PLC0415 -- only this format tells the pages of rules
    from abicheck.report.alerts import sarif  # noqa: PLC0415 -- as above

    return sarif.render(found, rules())


def write(text: str, output: str | None) -> None:
    """Write `text` to the file `output` or to standard output. A reader that has closed the pipe wants no more of it."""
    if output is None:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
            # Python would refuse a sign that the terminal's encoding lacks.
            sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
            sys.stdout.buffer.flush()
        return
    try:
        _replace(os.path.realpath(output), text.encode("utf-8"))
    except OSError as error:
        raise AbicheckError(f"cannot write the report: {error.strerror}; name another file with -o", output) from None


def _replace(path: str, data: bytes) -> None:
    """Write beside `path` and rename; a device or a pipe can only be written itself."""
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        with open(path, "wb") as file:
            file.write(data)
        return
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
