"""A host described: what is in its values, and what its loader makes of a fresh Python and of the libraries that wheels take."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.judge import loader
from abicheck.judge.loader.errno import strerror
from abicheck.judge.requirements.nodes import parse_node
from abicheck.judge.selfcheck import compare
from abicheck.model.description import (
    Description,
    LibcFacts,
    LibraryFacts,
    LoaderFacts,
    MachineFacts,
    PolicyFacts,
    PythonFacts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.description import CacheState, StackRule
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, LoadedObject, Process
    from abicheck.model.report import Tool

#: GCC's runtime. The manylinux policies let wheels take the first two from the host (auditwheel's policy file); who does not
#: bundle the third takes it from there, too, and slim images lack it.
_RUNTIME = ("libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1")
_CACHE = "/etc/ld.so.cache"
#: From this on a kernel bounds no mapping (`abicheck.read.hosts.machine`).
_BOUNDLESS = 1 << 62
_EXEC_STACK_REFUSED_SINCE = (2, 41)
_NUMBERED_NODE = re.compile(r"[A-Z]+_\d[\d.]*")


def describe(
    host: Host, tool: Tool, table: Mapping[str, Mapping[str, frozenset[str]]], no_python: str | None = None
) -> Description:
    """All that decides verdicts on `host`, whose Python is one that it lacks where `no_python` says why.

    `table` is what the libraries of its version of glibc define, empty where that is not known.
    """
    assert host.python is not None
    memo = loader.Memo()
    link_map, process = loader.start(host, host.python.path, memo)

    def find(name: str) -> tuple[LoadedObject | None, str | None]:
        if not process.objects:  # not even the program could be mapped
            return None, link_map.predicted or next((each.reason for each in link_map.missing), None)
        loaded, _ = loader.dlopen(process, name, host, memo)
        objects = loaded.process.objects
        return next((each for each in objects if _bears(each, name)), None), loaded.predicted or next(
            (each.reason for each in loaded.missing), None
        )

    there = {soname: each.facts for soname in table if (each := find(soname)[0]) is not None}
    return Description(
        tool=tool,
        name=host.name,
        kind=host.kind,
        arch=host.arch,
        libc=_libc(host, find("libc.so.6")[0]),
        loader=_loader(host),
        machine=MachineFacts(
            kernel=_dotted(host.kernel),
            page_size=host.page_size,
            memory=None if host.memory >= _BOUNDLESS else host.memory,
            isa_level=host.isa_level,
            protection_keys=host.protection_keys,
        ),
        policy=_policy(host),
        environment=tuple(host.environment.items()),
        python=_python(host, link_map, process) if no_python is None else None,
        no_python=no_python,
        libraries=tuple(_library(name, *find(name)) for name in _RUNTIME),
        assumptions=host.assumptions,
        self_check=compare(there, table, host.libc) if table else None,
    )


def _bears(item: LoadedObject, name: str) -> bool:
    soname = item.facts.dynamic.soname if item.facts.dynamic else None
    return name in (soname, *item.names)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _libc(host: Host, found: LoadedObject | None) -> LibcFacts:
    nodes = found.facts.version_definitions if found is not None else ()
    return LibcFacts(
        kind=host.libc.kind,
        version=_dotted(host.libc.version),
        vendor=host.loader.vendor,
        min_kernel=_dotted(host.loader.min_kernel) if host.libc.kind == "glibc" and any(host.loader.min_kernel) else None,
        markers=tuple(sorted(each.name for each in nodes if each.name.startswith("GLIBC_ABI_"))),
    )


def _loader(host: Host) -> LoaderFacts:
    config = host.loader
    return LoaderFacts(
        path=config.path,
        system_dirs=config.system_dirs,
        lib=config.lib,
        platform=config.platform,
        hwcap_subdirs=config.hwcap_subdirs,
        cache=_cache(host),
        cache_names=len(config.cache or ()),
        preload=config.preload,
        tunables=tuple(sorted(config.tunables or ())),
        execstack_tunable_max=config.execstack_tunable_max,
    )


def _cache(host: Host) -> CacheState:
    if host.libc.kind == "musl":
        return "unused"
    if host.loader.cache is not None:
        return "valid"
    return "absent" if isinstance(host.files.stat(_CACHE), int) else "invalid"


def _policy(host: Host) -> PolicyFacts:
    policy = host.policy
    stack: StackRule = "denied" if policy.exec_stack else "allowed"
    if host.libc.kind == "musl":
        stack = "ignored"
    elif host.libc.version >= _EXEC_STACK_REFUSED_SINCE:
        stack = "refused"
    return PolicyFacts(
        exec_stack=stack,
        exec_stack_errno=strerror(policy.exec_stack) if policy.exec_stack else None,
        text_relocation_errno=strerror(policy.text_relocation) if policy.text_relocation else None,
        noexec_mounts=tuple(sorted(point for point, errno in policy.exec_mapping if errno)),
        exec_mounts=tuple(sorted(point for point, errno in policy.exec_mapping if not errno)),
    )


def _python(host: Host, link_map: LinkMap, process: Process) -> PythonFacts:
    python = host.python
    assert python is not None
    paths = tuple(each.path for each in process.objects if each.path)
    keeps_tls = host.libc.kind == "glibc" and process.tls.size > 0
    return PythonFacts(
        path=python.path,
        real_path=host.files.resolve(python.path),
        version=_dotted(python.version) if python.version else None,
        free_threaded=python.free_threaded,
        libpython=next((path for path in paths if posixpath.basename(path).startswith("libpython")), None),
        problem=link_map.predicted,
        objects=paths,
        stack_executable=process.stack_executable,
        static_tls_left=process.tls.size - process.tls.used if keeps_tls else None,
        static_tls_optional=process.tls.optional if keeps_tls else None,
    )


def _library(name: str, found: LoadedObject | None, problem: str | None) -> LibraryFacts:
    nodes = found.facts.version_definitions if found is not None else ()
    newest: dict[str, tuple[tuple[int, ...], str]] = {}
    for each in nodes:
        if _NUMBERED_NODE.fullmatch(each.name):
            family, number = parse_node(each.name)
            newest[family] = max(newest.get(family, ((), "")), (number, each.name))
    return LibraryFacts(name, found.path if found else None, tuple(newest[family][1] for family in sorted(newest)), problem)
