"""What a distribution can do besides being imported: the GPU, whose libraries its code opens by name."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from typing import TYPE_CHECKING

from abicheck.judge.requirements.names import gpu
from abicheck.judge.rules.context import Opened
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.api.loads import Loader
    from abicheck.judge.rules.context import Load
    from abicheck.model.artifact import Package
    from abicheck.model.report import Verdict

#: NVIDIA's driver comes with the machine that has a GPU, whatever is installed; NCCL serves those who use several.
_NOT_ASKED = ("libcuda.so", "libnvidia-", "libnccl")


def opened_for_gpu(package: Package, loads: Sequence[Load], loader: Loader) -> tuple[Opened, ...]:
    """The GPU's libraries that the distribution's objects open by name, each opened as they do it.

    Lazily, and with the search paths of the object that asks.
    """
    found: dict[str, Opened] = {}
    own = frozenset(package.distribution.binaries)
    seen: set[str] = set()
    for load in loads:
        if load.link_map.errors:
            continue
        for index, item in enumerate(load.link_map.process.objects):
            if item.path in seen:
                continue  # all that it opens is found
            seen.add(item.path)
            path = posixpath.normpath(item.path)
            if path in own and item.facts.refers_to("dlopen", "dlmopen"):
                for name in _libraries(package.opened_names(path)):
                    if name not in found:
                        link_map = loader.open_lazily(load.link_map.process, name, index)
                        found[name] = Opened(name, path, "cuda", link_map)
    return tuple(found.values())


@lru_cache(maxsize=64)
def _libraries(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that a GPU is used through."""
    return tuple(name for name in gpu(names).libraries if not name.startswith(_NOT_ASKED))


def gpu_capability(cpu: Verdict, opened: Sequence[Opened]) -> tuple[tuple[str, Verdict], ...]:
    """The verdict on the use of the GPU, for a distribution that opens the GPU's libraries by name."""
    if not opened:
        return ()
    if cpu == "loads" and any(each.link_map.errors for each in opened):
        return (("cuda", "fails"),)
    if cpu == "loads" and any(each.link_map.missing for each in opened):
        return (("cuda", "depends"),)
    return (("cuda", cpu),)


def unknown_for_gpu(cpu: Verdict, opened: Sequence[Opened]) -> tuple[Missing, ...]:
    """What the use of the GPU depends on, where nothing else forbids it."""
    if dict(gpu_capability(cpu, opened)).get("cuda") != "depends" or cpu == "depends":
        return ()
    return tuple(Missing("cuda", missing.reason) for each in opened for missing in each.link_map.missing)
