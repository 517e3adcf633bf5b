"""musl's loader (ldso/dynlink.c of musl 1.2): the C library is the loader, and it checks far less than glibc's does.

It looks at no machine, byte order, symbol version or cache; a dlopen stops at the first error, and the start of a program
reports them all.
"""

from __future__ import annotations

from abicheck.judge.loader.musl.program import dlopen, list_objects, start

__all__ = ["dlopen", "list_objects", "start"]
