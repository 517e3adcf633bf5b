"""Baselines: the file of the errors that a project had when it was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abicheck.errors import UsageError
from abicheck.model.configuration import Known
from abicheck.read.table import Table

if TYPE_CHECKING:
    from abicheck.errors import AbicheckError

_VERSION = 1
#: In bytes; a line has some 100, and nobody starts with half a million known errors.
_LIMIT = 64 << 20
_AGAIN = "write it again with --write-baseline"


class _Entry(Table):
    """A table of the baseline."""

    def error(self, key: str, message: str) -> AbicheckError:
        """What is wrong at a key."""
        return UsageError(f"{self.at(key)}: {message}; {_AGAIN}", self.file)


def read_baseline(path: str) -> frozenset[Known]:
    """The known errors in a file. Raises `UsageError`, whose message names what is wrong, for any other file."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise UsageError(f"larger than {_LIMIT >> 20} MiB, which no baseline is; name another file", path)
        document = _Entry(path, "", json.loads(data.decode("utf-8-sig")))
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror}); write it first with --write-baseline", path) from None
    except RecursionError:
        raise UsageError(f"no JSON (nested too deeply); {_AGAIN}", path) from None
    except ValueError as error:  # no UTF-8, no JSON, or a NUL in the path
        raise UsageError(f"no JSON ({error}); {_AGAIN}", path) from None
    if document.take("schema_version") != _VERSION:
        raise document.error("schema_version", f"must be {_VERSION}")
    known = frozenset(_known(_Entry(path, f"known[{number}]", each)) for number, each in enumerate(document.raw("known", list)))
    document.done()
    return known


def _known(entry: _Entry) -> Known:
    package, host, rule = (entry.text(key) for key in Known._fields)
    if not package or not host or not rule:
        raise entry.error("", f"must have {', '.join(Known._fields)}")
    entry.done()
    return Known(package, host, rule)
