"""What a distribution is made of: its files, its loader, and what is not known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.host import Assumption, LoaderConfig
    from abicheck.read.files import Entry


class System(NamedTuple):
    """The `entries` by their paths without links, and further `directories`; `uncertain` and `assumptions` are as in `Host`."""

    entries: Mapping[str, Entry]
    directories: tuple[str, ...]
    loader: LoaderConfig
    uncertain: frozenset[str]
    assumptions: tuple[Assumption, ...]
