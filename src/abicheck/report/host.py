"""A host for a reader and as JSON (`schema/host.json` beside this file describes it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.report.lines import Line, count, escape, join

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.model.description import (
        Description,
        Difference,
        LibraryFacts,
        LoaderFacts,
        MachineFacts,
        PythonFacts,
        SelfCheck,
    )
    from abicheck.model.host import LibcKind

_SCHEMA_VERSION = 1
_WIDTH = 18
#: Tunables of which loading depends.
_DECIDING = ("glibc.cpu.hwcaps", "glibc.rtld.execstack", "glibc.rtld.nns", "glibc.rtld.optional_static_tls")


def render_json(host: Description) -> str:
    """The host as one JSON document."""
    import json  # noqa: PLC0415 -- for this format only

    return json.dumps({"schema_version": _SCHEMA_VERSION, **_plain(host)}, indent=2) + "\n"


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: dict(each) if key == "environment" else _plain(each) for key, each in value._asdict().items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def render(host: Description, *, colour: bool) -> str:
    """The host as text; with `colour` for a terminal that has it."""
    lines = [Line("", escape(_title(host)), "bold"), Line()]
    for name, told in _facts(host):
        for number, each in enumerate(told):
            lines.append(Line(escape(each), f"  {'' if number else name:{_WIDTH}}", "cyan"))
    lines.append(Line())
    differences = host.self_check.differences if host.self_check else ()
    warnings = [_warning(host, each) for each in differences if each.explanation is None]
    lines += [Line(f" {escape(each)}", "!", "yellow") for each in warnings]
    lines += [Line()] if warnings else []
    return join(lines, colour=colour)


def _title(host: Description) -> str:
    python = "no Python" if host.python is None else f"Python {host.python.version or '(of unknown version)'}"
    return f"{host.name}: {host.libc.kind} {host.libc.version}, {python}, {host.arch}"


def _facts(host: Description) -> Iterator[tuple[str, list[str]]]:
    """Each fact with its name, in lines."""
    yield "C library", list(_libc(host))
    yield from _loader(host.loader, host.libc.kind)
    yield "Machine", list(_machine(host.machine))
    yield "Executable stack", [_exec_stack(host)]
    yield "Text relocations", [_allowed(host.policy.text_relocation_errno)]
    yield "Mounts", list(_mounts(host))
    yield "Environment", [f"{name}={value}" for name, value in host.environment] or ["no LD_* variable, no GLIBC_TUNABLES"]
    if host.libc.kind == "glibc":
        yield "Tunables", list(_tunables(host.loader))
    if host.python is None:
        yield "Python", [f"none: {host.no_python}"]
    else:
        yield from _python(host.python)
    for library in host.libraries:
        yield library.name, list(_library(library))
    if host.assumptions:
        yield "Assumed", [f"{each.fact}: {each.value}" for each in host.assumptions]
    yield "Self-check", list(_self_check(host, host.self_check))


def _libc(host: Description) -> Iterator[str]:
    libc = host.libc
    yield f"{libc.kind} {libc.version}" + (f", built by {libc.vendor}" if libc.vendor else "")
    if libc.min_kernel:
        yield f"built for Linux {libc.min_kernel} and newer"
    if libc.kind == "glibc":
        yield f"markers that libraries may ask for: {_listed(libc.markers)}"


def _loader(loader: LoaderFacts, libc: LibcKind) -> Iterator[tuple[str, list[str]]]:
    yield "Loader", [loader.path]
    if libc == "glibc":
        yield "Its tokens", [f"$LIB is {loader.lib}, $PLATFORM is {loader.platform or 'empty'}"]
    told = [", ".join(loader.system_dirs)]
    if loader.hwcap_subdirs:
        told.append(f"in each of them first in {', '.join(dict.fromkeys(loader.hwcap_subdirs))}")
    yield "It searches", told
    caches = {
        "valid": f"valid; knows {count(loader.cache_names, 'name')}",
        "invalid": "damaged: the loader ignores it and searches only the directories above",
        "absent": "none: the loader searches only the directories above",
        "unused": "musl uses none",
    }
    yield "ld.so.cache", [caches[loader.cache]]
    if loader.preload:
        yield "ld.so.preload", [", ".join(loader.preload)]


def _machine(machine: MachineFacts) -> Iterator[str]:
    yield f"Linux {machine.kernel}, pages of {machine.page_size:,} bytes"
    if machine.isa_level:
        unreadable = "; memory that can only be executed cannot be read" if machine.protection_keys else ""
        yield f"CPU level x86-64-v{machine.isa_level}{unreadable}"
    memory = "any size" if machine.memory is None else f"at most {machine.memory / (1 << 30):,.1f} GiB (memory and swap)"
    yield f"one mapping may have {memory}"


def _exec_stack(host: Description) -> str:
    if host.python is not None and host.python.stack_executable:
        return "the stack of a fresh Python is executable already, so a library that asks for it loads"
    told = {
        "allowed": "a library that asks for one gets it, and then every stack of the process is executable",
        "denied": f"the system refuses it: {host.policy.exec_stack_errno}",
        "refused": f"dlopen refuses a library that asks for one ({host.libc.kind} {host.libc.version})",
        "ignored": "a library that asks for one loads, and does not get it (musl)",
    }[host.policy.exec_stack]
    if host.policy.exec_stack == "refused" and host.loader.execstack_tunable_max > 1:
        told += "; not under GLIBC_TUNABLES=glibc.rtld.execstack=2"
    return told


def _allowed(errno: str | None) -> str:
    return f"the system refuses them: {errno}" if errno else "allowed"


def _mounts(host: Description) -> Iterator[str]:
    refused, allowed = host.policy.noexec_mounts, host.policy.exec_mounts
    yield f"no library loads from below {', '.join(refused)} (noexec)" if refused else "none is noexec"
    if allowed:
        yield f"but from below {', '.join(allowed)}"


def _tunables(loader: LoaderFacts) -> Iterator[str]:
    known = [name for name in _DECIDING if name in loader.tunables]
    yield f"the loader knows {len(loader.tunables):,}; of these decide what loads: {_listed(known)}"
    if loader.execstack_tunable_max:
        yield f"glibc.rtld.execstack may be 0 to {loader.execstack_tunable_max}"


def _python(python: PythonFacts) -> Iterator[tuple[str, list[str]]]:
    told = [python.path + (f" -> {python.real_path}" if python.real_path != python.path else "")]
    gil = "without the GIL (free-threaded)" if python.free_threaded else "with the GIL"
    where = f"in {python.libpython}" if python.libpython else "in the program itself"
    told.append(f"{python.version or 'of a version that its name does not tell'}, {gil}; the interpreter is {where}")
    if python.problem:
        told.append(f"it does not start: {python.problem}")
    yield "Python", told
    yield "Loaded at start", list(python.objects)
    stack = "executable" if python.stack_executable else "not executable"
    yield "Its stack", [stack]
    left = "nothing for what is loaded later (musl)"
    if python.static_tls_left is not None:
        left = f"{python.static_tls_left:,} bytes left for what is loaded later"
        left += f", {python.static_tls_optional:,} of them for TLS descriptors"
    yield "Its static TLS", [left]


def _library(library: LibraryFacts) -> Iterator[str]:
    if library.path is None:
        yield f"not found: {library.problem}"
        return
    yield library.path + (f", up to {_listed(library.newest)}" if library.newest else "")
    if library.problem:
        yield f"it does not load: {library.problem}"


def _self_check(host: Description, check: SelfCheck | None) -> Iterator[str]:
    name = f"{host.libc.kind} {host.libc.version}"
    if check is None:
        yield f"no table of {name} is built in" if host.libc.kind == "glibc" else "none: only glibc is compared with a table"
        return
    wrong = [each for each in check.differences if each.explanation is None]
    libraries = f"{len(check.libraries):,} librar{'y' if len(check.libraries) == 1 else 'ies'}"
    verdict = f"{count(len(wrong), 'difference')} without explanation, see below" if wrong else "as upstream released them"
    yield f"{libraries} with the {check.symbols:,} symbols that {name} has: {verdict}"
    if check.absent:
        yield f"not on this host: {', '.join(check.absent)}"
    explained: dict[str, list[Difference]] = {}
    for each in check.differences:
        if each.explanation is not None:
            explained.setdefault(each.explanation, []).append(each)
    for reason, group in explained.items():
        nodes, homes = dict.fromkeys(each.node for each in group), dict.fromkeys(each.library for each in group)
        yield f"normal: {', '.join(nodes)} in {', '.join(homes)} ({reason})"


def _warning(host: Description, difference: Difference) -> str:
    told = [f"{verb} {_listed(names, 10)}" for verb, names in (("lacks", difference.lacks), ("adds", difference.adds)) if names]
    where = difference.node or "its symbols without a version"
    what = " and ".join(told) or "adds the node itself"
    return f"{difference.library} is not that of {host.libc.kind} {host.libc.version}: in {where} it {what}"


def _listed(names: Iterable[str], most: int = 100) -> str:
    known = tuple(names)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more if known else "none"
