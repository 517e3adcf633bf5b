"""The public library: the only place where reading and judging meet."""

from abicheck.api.checking import check
from abicheck.api.options import Options

__all__ = ["Options", "check"]
