"""The simulation of a dynamic loader: pure functions from a process and a name to a link map and the next process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader import glibc, musl, startup
from abicheck.judge.loader.memo import Memo

if TYPE_CHECKING:
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process

__all__ = ["Memo", "dlopen", "start"]


def start(host: Host, path: str, memo: Memo | None = None) -> tuple[LinkMap, Process]:
    """Start the program at `path` on `host`.

    The link map holds every object of the start; the process is what a later `dlopen` works on, even where the start fails (the
    errors say so). `memo` carries what was found out about files from one call to the next; it never changes an answer.
    """
    memo = memo if memo is not None else Memo()
    if host.libc.kind == "musl":
        return musl.start(host, path, memo)
    return startup.start(host, path, memo)


def dlopen(
    process: Process,
    name: str,
    host: Host,
    memo: Memo | None = None,
    *,
    lazy: bool = False,
    make_global: bool = False,
    caller: int = 0,
) -> tuple[LinkMap, Process]:
    """What `dlopen(name, …)` says in `process` on `host`, and the process after it (almost the same one where it fails).

    `lazy` is RTLD_LAZY (else RTLD_NOW), `make_global` is RTLD_GLOBAL (else RTLD_LOCAL). `caller` is the index of the object whose
    code calls dlopen, the main program if nothing is said: glibc looks for a name without a slash where that one's needed names
    are looked for, and takes tokens in the name for what they are to it.
    """
    memo = memo if memo is not None else Memo()
    if host.libc.kind == "musl":
        return musl.dlopen(process, name, host, memo, lazy=lazy, make_global=make_global)
    return glibc.dlopen(process, name, host, memo, lazy=lazy, make_global=make_global, caller=caller)
