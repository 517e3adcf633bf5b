"""File systems as the loader asks them: this machine's own, a root directory, local files in a root, packages on top."""

from abicheck.read.files.disk import Disk
from abicheck.read.files.memory import Entry, Memory
from abicheck.read.files.overlay import Overlay, Walked
from abicheck.read.files.root import Root, View, view_of
from abicheck.read.files.store import FactStore
from abicheck.read.files.trace import Trace, Traced
from abicheck.read.files.volume import Directory, Status, Volume

__all__ = [
    "Directory",
    "Disk",
    "Entry",
    "FactStore",
    "Memory",
    "Overlay",
    "Root",
    "Status",
    "Trace",
    "Traced",
    "View",
    "Volume",
    "Walked",
    "view_of",
]
