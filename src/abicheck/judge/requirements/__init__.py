"""From the facts of an artifact's binaries to what they ask of a host: floors, the symbols that force them, and the window."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.judge.requirements.names import gpu, promised_glibc, python_need
from abicheck.judge.requirements.nodes import GLIBC, Needs, host_libraries, parse_node, version_needs
from abicheck.judge.requirements.reach import ARCHES, Bundle, choose_roots, needed, unfit
from abicheck.judge.requirements.traits import find_traits
from abicheck.model.report import Window
from abicheck.model.requirements import Opened, PythonNeed, Requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from abicheck.model.elf import SharedObject
    from abicheck.model.host import Arch, LibcKind
    from abicheck.model.requirements import Trait

__all__ = ["ARCHES", "choose_roots", "gather", "opens_by_name", "python_need", "unfit", "window"]

#: The newest upstream glibc whose loader and versions are known here.
NEWEST_GLIBC = "2.44"
#: glibc for aarch64 begins there: its first version is GLIBC_2.17.
_FIRST_AARCH64 = (2, 17)
_MUSL = re.compile(r"libc\.so|libc\.musl-.*|ld-musl-.*")


def opens_by_name(facts: SharedObject) -> bool:
    """True for an object that refers to dlopen or dlmopen: only of those is it worth asking which names they hold."""
    return facts.refers_to("dlopen", "dlmopen")


def window(objects: Mapping[str, SharedObject], roots: Sequence[str], arch: Arch) -> Window | None:
    """The glibc versions on which all that the roots reach loads with default settings; None for what is made for musl alone."""
    bundle = Bundle(objects)
    reached = bundle.reach(roots)
    needs = version_needs(bundle, reached)
    return _window(reached, needs, tuple(find_traits(bundle, reached, needs, tuple(roots), arch)), arch)


def gather(
    objects: Mapping[str, SharedObject],
    roots: Sequence[str],
    arch: Arch,
    *,
    python: PythonNeed | None = None,
    platforms: Iterable[str] = (),
    opened: Mapping[str, Sequence[str]] | None = None,
    every: bool = False,
) -> Requirements:
    """What the objects of an artifact, all of them for the machine `arch`, ask of a host.

    `objects` are its binaries by path, `roots` those that are loaded or started, `platforms` the wheel's tags, `opened` the names
    that objects open at run time, by path. With `every` all needed versions are given, not only the newest of each library.
    """
    bundle = Bundle(objects)
    reached = bundle.reach(roots)
    needs = version_needs(bundle, reached)
    traits = tuple(find_traits(bundle, reached, needs, tuple(roots), arch))
    promised = promised_glibc(platforms)
    libraries = host_libraries(bundle, reached, needs, promised, every=every)
    names = _opened(bundle, reached, opened or {})
    apart = tuple(path for path in objects if path not in reached)
    return Requirements(
        arch=arch,
        libc=_libc(reached),
        window=_window(reached, needs, traits, arch),
        roots=tuple(roots),
        objects=tuple(reached),
        libraries=libraries,
        traits=traits,
        python=python or PythonNeed(),
        opened=names,
        # What the artifact brings along counts, too: a bundled cuDNN is of one major.
        gpu=gpu([*(name for facts in reached.values() for name in needed(facts)), *(each.name for each in names)]),
        promised=None if promised is None else ".".join(map(str, promised)),
        apart=apart,
        apart_window=window(objects, apart, arch) if apart else None,
    )


def _libc(reached: Mapping[str, SharedObject]) -> tuple[LibcKind, ...]:
    """The C libraries that the objects ask for by name, or programs by their loader's."""
    names = [name for facts in reached.values() for name in (*needed(facts), (facts.interpreter or "").rpartition("/")[2])]
    kinds: tuple[tuple[LibcKind, re.Pattern[str]], ...] = (("glibc", GLIBC), ("musl", _MUSL))
    return tuple(kind for kind, pattern in kinds if any(pattern.fullmatch(name) for name in names))


def _window(reached: Mapping[str, SharedObject], needs: Needs, traits: Sequence[Trait], arch: Arch) -> Window | None:
    if _libc(reached) == ("musl",):
        return None
    floors: list[tuple[int, ...]] = [_FIRST_AARCH64] if arch == "aarch64" else []
    floors += [number for library, name in needs for family, number in (parse_node(name),) if family == "GLIBC" and number]
    floors += [_number(trait.glibc_min) for trait in traits if trait.glibc_min]
    ceilings = [_number(trait.glibc_max) for trait in traits if trait.glibc_max]
    uncertain = any(trait.kind == "private-symbols" or (trait.kind == "marker" and not trait.glibc_min) for trait in traits)
    return Window(
        glibc_min=".".join(map(str, max(floors))) if floors else None,
        glibc_max=".".join(map(str, min(ceilings))) if ceilings else None,
        known_to=None if uncertain else NEWEST_GLIBC,
    )


def _number(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _opened(bundle: Bundle, reached: Mapping[str, SharedObject], opened: Mapping[str, Sequence[str]]) -> tuple[Opened, ...]:
    """By name, those left out that an object needs or is anyway."""
    holders: dict[str, list[str]] = {}
    for path, facts in reached.items():
        own = {*needed(facts), facts.dynamic.soname if facts.dynamic is not None else None}
        for name in opened.get(path, ()):
            if name not in own:
                holders.setdefault(name, []).append(path)
    return tuple(Opened(name, tuple(paths), name in bundle) for name, paths in sorted(holders.items()))
