"""A host's Python, started: the process that extensions are loaded into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import HostError
from abicheck.judge import loader

if TYPE_CHECKING:
    from abicheck.model.host import Host
    from abicheck.model.process import Process


def start_python(host: Host, memo: loader.Memo) -> Process:
    """The process once the Python of `host` has started. Raises `HostError` where it does not, or where that cannot be told."""
    assert host.python is not None
    path = host.python.path
    link_map, process = loader.start(host, path, memo)
    problem = link_map.predicted or next((each.reason for each in link_map.missing if each.fact == "library"), None)
    if problem is not None:
        raise HostError(f"its Python {path} does not start ({problem}); name another with --python", host.name)
    return process
