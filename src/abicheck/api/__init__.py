"""The public library: the only place where reading and judging meet."""

from abicheck.api.checking import check
from abicheck.api.options import Options
from abicheck.api.showing import show

__all__ = ["Options", "check", "show"]
