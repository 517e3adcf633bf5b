"""Which of the facts that were assumed of a host could change what a load says: what `--strict` asks."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from abicheck.judge.loader.mapping import wants_executable_stack
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, LoadedObject, LoadError

_PT_LOAD, _PF_X = 1, 1
_LARGEST_PAGE = 1 << 16
_GIB = 1 << 30

#: By the fact that was assumed: the errors that another value of it may make go away.
_CURES = {
    "cpu": {"isa-level-too-low"},
    "packages": {"library-missing"},
    "page-size": {"page-size-mismatch"},
    "runtime-libraries": {"symbol-missing"},
    "kernel": {"kernel-too-old"},
    "interpreter": {"symbol-missing"},
    "environment": {"library-missing", "version-missing", "symbol-missing", "exec-stack-refused", "static-tls-exhausted"},
}


def doubts(link_map: LinkMap, host: Host) -> tuple[Missing, ...]:
    """The facts that were assumed of the host and on which the outcome of this load hangs, each with the reason.

    What loads hangs on each that could stop it. What fails hangs on those that together make all its errors go away.
    """
    if not link_map.errors:
        return tuple(
            Missing(fact, f"{why} (assumed: {value})")
            for fact, value in host.assumptions
            if (why := _BREAKS.get(fact, _unforeseen)(link_map, host))
        )
    cures = [{fact for fact, _ in host.assumptions if _is_cured(error, fact, link_map)} for error in link_map.errors]
    if not all(cures):
        return ()
    return tuple(
        Missing(fact, f"with another it may load (assumed: {value})")
        for fact, value in host.assumptions
        if any(fact in each for each in cures)
    )


def _is_cured(error: LoadError, fact: str, link_map: LinkMap) -> bool:
    """Variables may also lead past a damaged library, though not past a damaged root, which is opened by its path."""
    return error.kind in _CURES.get(fact, ()) or (fact == "environment" and error.object != link_map.name)


def _unforeseen(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    return "nothing tells whether it matters"


def _policy(link_map: LinkMap, host: Host) -> str:
    """SELinux, MDWE and a seccomp filter refuse memory that is to be executable and was writable, which few objects ask for."""
    for item in link_map.objects:
        if host.libc.kind == "glibc" and wants_executable_stack(item.facts, host):
            return f"{_name(item, link_map)} asks for an executable stack, which it could refuse"
        if item.facts.dynamic is not None and item.facts.dynamic.textrel:
            return f"{_name(item, link_map)} has relocations in its code, which it could refuse"
    return ""


def _noexec(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    """A directory from which the started Python has mapped code already is on no such mount."""
    fresh = {id(item) for item in link_map.objects}
    proven = {_directory(item) for item in link_map.process.objects if id(item) not in fresh}
    for item in link_map.objects:
        has_code = any(each.type == _PT_LOAD and each.flags & _PF_X for each in item.facts.segments)
        if has_code and _directory(item) not in proven:
            return "where it lies could be mounted noexec"
    return ""


def _page_size(link_map: LinkMap, host: Host) -> str:
    """Only aarch64 has pages of several sizes (4, 16 and 64 KiB)."""
    for item in link_map.objects if host.arch == "aarch64" else ():
        if any(each.type == _PT_LOAD and each.align < _LARGEST_PAGE for each in item.facts.segments):
            return f"{_name(item, link_map)} is aligned for smaller pages than the largest, 64 KiB"
    return ""


def _memory(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    """The kernel refuses a single private mapping larger than memory and swap; no machine in use has less than 1 GiB."""
    for item in link_map.objects:
        if any(each.type == _PT_LOAD and each.memsz > _GIB for each in item.facts.segments):
            return f"{_name(item, link_map)} wants more than 1 GiB in one piece"
    return ""


def _cpu(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    """An object may name the level that it needs, and glibc takes other files for a better CPU."""
    for item in link_map.objects:
        level = item.facts.properties.x86_isa_needed.bit_length()
        if level > 1:
            return f"{_name(item, link_map)} needs x86-64-v{level}"
        if "/glibc-hwcaps/" in item.path:
            return f"another CPU would be given another file than {item.path}"
    return ""


def _kernel(link_map: LinkMap, host: Host) -> str:
    """Glibc up to 2.35 compares an object's ABI tag with the kernel (elf/dl-load.c); its own start has passed `min_kernel`."""
    for item in link_map.objects if host.libc.kind == "glibc" and host.libc.version < (2, 36) else ():
        tag = item.facts.properties.abi_tag
        if tag is not None and tag[1:] > host.loader.min_kernel:
            return f"{_name(item, link_map)} asks for Linux {'.'.join(map(str, tag[1:]))} or newer"
    return ""


def _environment(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    if any(item.needed for item in link_map.process.objects):
        return "LD_PRELOAD or LD_LIBRARY_PATH could bring other libraries; say what is set (--set LD_LIBRARY_PATH= for nothing)"
    return ""


def _interpreter(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    return "its symbols were not read from a file"


def _by_node(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    for item in link_map.process.objects:
        if item.facts.partial is not None and item.facts.partial.by_node:
            return f"{_name(item, link_map)} is known by its version nodes only"
    return ""


def _nothing(link_map: LinkMap, host: Host) -> str:  # noqa: ARG001 -- as all others
    """More packages break nothing that loads without them, and point releases take nothing away."""
    return ""


_BREAKS: dict[str, Callable[[LinkMap, Host], str]] = {
    "cpu": _cpu,
    "environment": _environment,
    "interpreter": _interpreter,
    "kernel": _kernel,
    "memory": _memory,
    "memory-deny-write-execute": _policy,
    "noexec-mounts": _noexec,
    "packages": _nothing,
    "page-size": _page_size,
    "point-release": _nothing,
    "runtime-libraries": _by_node,
    "seccomp": _policy,
    "selinux": _policy,
}


def _name(item: LoadedObject, link_map: LinkMap) -> str:
    """The file name of an object; a program's own path is empty."""
    return posixpath.basename(item.path or link_map.name)


def _directory(item: LoadedObject) -> str:
    return posixpath.normpath(item.origin or posixpath.dirname(item.path))
