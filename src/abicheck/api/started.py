"""A host's Python, started: the process that extensions are loaded into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import HostError
from abicheck.judge import loader

if TYPE_CHECKING:
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process


def start_python(host: Host, memo: loader.Memo) -> Process:
    """The process once the Python of `host` has started. Raises as `started` does."""
    assert host.python is not None
    return started(loader.start(host, host.python.path, memo), host)


def started(loaded: tuple[LinkMap, Process], host: Host) -> Process:
    """The process that the start of the host's Python led to. Raises `HostError` where it fails, or where that cannot be told."""
    link_map, process = loaded
    problem = link_map.predicted or next((each.reason for each in link_map.missing if each.fact == "library"), None)
    if problem is not None:
        raise HostError(f"its Python {link_map.name} does not start ({problem}); name another with --python", host.name)
    return process
