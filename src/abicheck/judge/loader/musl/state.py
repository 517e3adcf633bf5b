"""musl's own bookkeeping during one load, beside what it shares with glibc's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.state import DiedError, Map, Namespace
from abicheck.model.elf import SharedObject
from abicheck.model.process import Search

if TYPE_CHECKING:
    from abicheck.judge.loader.memo import Memo
    from abicheck.model.host import Host
    from abicheck.model.process import Process


def unsure(died: DiedError) -> DiedError:
    """The same death, foretold from what glibc would read there: musl reads in another order and may come to another end."""
    return DiedError(died.error._replace(certain=False))


class Space(Namespace):
    """The objects of one process in musl's order.

    `Map.names` holds the `shortname` of an object that a search has led to, `Map.loader` is `needed_by`. `at_start` tells whether
    the program is being started. `errno` is the thread's, which texts show even where no failed call set it; `last_name` is the
    name of the last reference with a symbol, which the text about one without a symbol shows.
    """

    def __init__(self, host: Host, process: Process | None, memo: Memo) -> None:
        super().__init__(host, process, memo)
        self.at_start = process is None
        self.errno = 0
        self.last_name = "(null)"
        self._libc = next((item for item in self.maps if item.search.found == "built-in"), None)

    def libc(self) -> Map:
        """The C library, which is the loader itself; `index` is negative until an object needs it."""
        if self._libc is None:
            path = self.host.loader.path
            file = self.host.files.stat(path)
            assert not isinstance(file, int)
            facts = self.host.files.facts(file)
            assert isinstance(facts, SharedObject)
            # It bears the name by which the program asks for its loader (`ldso.name`).
            interpreter = self.maps[0].facts.interpreter if self.maps else None
            self._libc = Map(interpreter or path, "libc.so", file, facts, Search("built-in"))
            self._libc.kind = "library"
            self._libc.relocated = self._libc.checked = True
        return self._libc

    def add_libc(self) -> Map:
        """The C library as an object that another needs."""
        libc = self.libc()
        if libc.index < 0:
            self.add(libc)
        return libc
