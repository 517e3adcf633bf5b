"""Rules about single objects that load, and are a trap all the same."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from abicheck.judge.loader.mapping import wants_executable_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.judge.rules.context import Context
    from abicheck.model.elf import SharedObject
    from abicheck.model.report import Finding, Severity
    from abicheck.model.symbols import Version

_STT_FUNC, _STT_GNU_IFUNC = 2, 10
_STV_INTERNAL, _STV_HIDDEN = 1, 2
_SHOWN = 5
#: Where build machines keep what they build; an entry there that the host has is its own affair.
_BUILD_PLACES = ("/home/", "/root/", "/build/", "/builds/", "/project/", "/io/", "/github/", "/__w/", "/workspace/", "/Users/")
#: Anybody may make a directory here, so it does not matter whether there is one.
_WRITABLE_PLACES = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 -- these are looked for, not used


def exec_stack_enabled(context: Context) -> Iterator[Finding]:
    """An object of a load that succeeds asks for an executable stack. musl does not look at that."""
    if context.host.libc.kind == "musl":
        return
    found = {
        item.path: None
        for load in context.own_loads
        if not load.link_map.errors
        for item in load.link_map.objects
        if wants_executable_stack(item.facts, context.host)
    }
    for path in found:
        yield context.subject.finding("exec-stack-enabled", path)


def grafted_glibc(context: Context) -> Iterator[Finding]:
    """An object of the distribution defines versions that only glibc defines."""
    for path, facts in context.objects():
        if is_part_of_glibc(facts):
            name = (facts.dynamic.soname if facts.dynamic else None) or posixpath.basename(path)
            yield context.subject.finding("grafted-glibc", path, name=name)


def is_part_of_glibc(facts: SharedObject) -> bool:
    """Tell whether an object is one of glibc's own: whatever it is called, it defines versions of glibc.

    So does GCC's libgcc_s on some machines (libgcc/config/libgcc-glibc.ver), beside its own.
    """
    nodes = [definition.name for definition in facts.version_definitions]
    return any(name.startswith("GLIBC_") for name in nodes) and not any(name.startswith("GCC_") for name in nodes)


def private_symbol(context: Context) -> Iterator[Finding]:
    """An object that is no part of glibc wants versions that glibc keeps for itself; grafted-glibc speaks for its parts."""
    for path, facts in context.objects():
        needs = {version.name for need in facts.version_needs for version in need.versions}
        if "GLIBC_PRIVATE" in needs and not is_part_of_glibc(facts):
            names = sorted({name for version, name in wanted(facts) if version is not None and version.name == "GLIBC_PRIVATE"})
            more = ", …" if len(names) > _SHOWN else ""
            yield context.subject.finding("private-symbol", path, name=(", ".join(names[:_SHOWN]) or "GLIBC_PRIVATE") + more)


def wanted(facts: SharedObject) -> Iterator[tuple[Version | None, str]]:
    """The symbols that an object wants from others, with their versions."""
    if facts.demand is not None:
        for version, names in facts.demand.symbols.items():
            yield from ((version, name) for name in names)
    for reference in facts.references if facts.demand is None else facts.demand.special:
        if reference.name is not None:
            yield reference.version, reference.name


def text_relocation(context: Context) -> Iterator[Finding]:
    """An object's code is changed while it is loaded."""
    for path, facts in context.objects():
        if facts.dynamic is not None and facts.dynamic.textrel:
            yield context.subject.finding("text-relocation", path)


def allocator_interposed(context: Context) -> Iterator[Finding]:
    """A library (no program, no part of glibc) exports malloc and free."""
    for path, facts in context.objects():
        if facts.interpreter is None and all(map(facts.definitions.__contains__, ("malloc", "free"))):
            if is_part_of_glibc(facts) or not all(_is_exported(facts, name) for name in ("malloc", "free")):
                continue
            yield context.subject.finding("allocator-interposed", path, name="malloc and free")


def _is_exported(facts: SharedObject, name: str) -> bool:
    return any(
        each.type in (_STT_FUNC, _STT_GNU_IFUNC)
        and each.visibility not in (_STV_INTERNAL, _STV_HIDDEN)
        and not each.undefined
        and each.fault is None
        for each in facts.definitions[name]
    )


def relative_rpath(context: Context) -> Iterator[Finding]:
    """An entry of RPATH or RUNPATH means another directory in every process, or one of the build machine."""
    for path, facts in context.objects():
        text = None
        if facts.dynamic is not None:
            text = facts.dynamic.rpath if facts.dynamic.runpath is None else facts.dynamic.runpath
        for entry in dict.fromkeys(text.split(":")) if text else ():
            if not entry.startswith(("$ORIGIN", "${ORIGIN}", "/")):
                shown = (
                    f"{entry!r}, which counts from the current directory" if entry else "an empty entry (the current directory)"
                )
                yield context.subject.finding("relative-rpath", path, name=shown, evidence=(f"its search path is {text}",))
            elif _is_left_over(entry, context):
                severity: Severity = "warning" if f"{entry}/".startswith(_WRITABLE_PLACES) else "note"
                shown = f"{entry}, a directory of the machine that built it"
                evidence = (f"its search path is {text}",)
                yield context.subject.finding("relative-rpath", path, name=shown, evidence=evidence, severity=severity)


def _is_left_over(entry: str, context: Context) -> bool:
    directory = f"{entry}/"
    if context.distribution.scheme.library.startswith(directory):
        return False
    if directory.startswith(_WRITABLE_PLACES):
        return True
    return directory.startswith(_BUILD_PLACES) and isinstance(context.host.files.stat(entry), int)
