"""A profile as one JSON document: its layout, and what of a host stands in it besides its files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from abicheck.model.host import Assumption, Interpreter, Libc, LoaderConfig, Policy
from abicheck.read.hosts.profile.names import homely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abicheck.model.host import Host
    from abicheck.read.hosts.profile.checked import Checked
    from abicheck.read.hosts.profile.snapshot import Snapshot

SCHEMA_VERSION = 1
_HOST: tuple[str, ...] = (
    "source",
    "arch",
    "libc",
    "kernel",
    "page_size",
    "memory",
    "isa_level",
    "protection_keys",
    "cwd",
    "loader",
    "policy",
)
_HOST += ("environment", "python", "assumptions")


def _describe(host: Host) -> dict[str, Any]:
    """All of a host but its files."""
    loader, policy, python = host.loader, host.policy, host.python
    return {
        "source": host.kind,
        "arch": host.arch,
        "libc": str(host.libc),
        "kernel": ".".join(map(str, host.kernel)),
        "page_size": host.page_size,
        "memory": host.memory,
        "isa_level": host.isa_level,
        "protection_keys": host.protection_keys,
        "cwd": host.cwd,
        "loader": loader._asdict()
        | {
            "min_kernel": ".".join(map(str, loader.min_kernel)),
            "tunables": None if loader.tunables is None else sorted(loader.tunables),
            "cache": None if loader.cache is None else {name: list(paths) for name, paths in sorted(loader.cache.items())},
        },
        "policy": policy._asdict() | {"exec_mapping": dict(policy.exec_mapping)},
        "environment": dict(host.environment),
        "python": {"path": python.path, "version": python.version, "free_threaded": python.free_threaded}
        if python is not None
        else None,
        "assumptions": [[each.fact, each.value] for each in host.assumptions],
    }


def host_values(given: Checked) -> dict[str, Any]:
    """The fields of `Host` that `_describe` wrote."""
    given.only(*_HOST)
    kind, _, version = given["libc"].text().partition(" ")
    if kind not in ("glibc", "musl") or not re.fullmatch(r"\d+(\.\d+)+", version):
        given["libc"].fail("a C library and its version must stand here, as in `glibc 2.41`")
    numbers = tuple(map(int, version.split(".")))
    given["source"].text()
    page_size = given["page_size"].number(least=4096, most=1 << 20)
    if page_size & (page_size - 1):
        given["page_size"].fail("a page is a power of two")
    return {
        "arch": given["arch"].choice(("x86_64", "aarch64")),
        "libc": Libc(kind, numbers),  # type: ignore[arg-type]  # checked above
        "kernel": _dotted(given["kernel"]),
        "page_size": page_size,
        "memory": given["memory"].number(),
        "isa_level": given["isa_level"].number(most=4),
        "protection_keys": given["protection_keys"].flag(),
        "cwd": homely(given["cwd"].text()),
        "loader": _loader(given["loader"]),
        "policy": _policy(given["policy"]),
        "assumptions": tuple(_assumption(each) for each in given["assumptions"].items()),
    }


def _dotted(given: Checked) -> tuple[int, int, int]:
    if not re.fullmatch(r"\d+\.\d+\.\d+", given.text()):
        given.fail("a version of three numbers must stand here, as in `6.1.0`")
    major, minor, patch = map(int, given.value.split("."))
    return major, minor, patch


def _loader(given: Checked) -> LoaderConfig:
    given.only(*LoaderConfig._fields)
    cache, tunables = given.get("cache"), given.get("tunables")
    return LoaderConfig(
        path=homely(given["path"].text()),
        system_dirs=_paths(given["system_dirs"]),
        lib=given["lib"].text(),
        platform=given["platform"].text(),
        hwcap_subdirs=given["hwcap_subdirs"].texts(),
        cache=None if cache is None else {name: _paths(paths) for name, paths in cache.fields()},
        min_kernel=_dotted(given["min_kernel"]),
        execstack_tunable_max=given["execstack_tunable_max"].number(most=2),
        tunables=None if tunables is None else frozenset(tunables.texts()),
        vendor=given["vendor"].text(),
        preload=_paths(given["preload"]),
    )


def _paths(given: Checked) -> tuple[str, ...]:
    return tuple(map(homely, given.texts()))


def _policy(given: Checked) -> Policy:
    given.only(*Policy._fields)
    points = [(homely(point), errno.number(most=4095)) for point, errno in given["exec_mapping"].fields()]
    stack, text = given["exec_stack"].number(most=4095), given["text_relocation"].number(most=4095)
    return Policy(stack, text, tuple(sorted(points, key=lambda each: (-len(each[0]), each[0]))))


def _assumption(given: Checked) -> Assumption:
    texts = given.texts()
    if len(texts) != 2:
        given.fail("a fact and its value must stand here")
    return Assumption(texts[0], texts[1].replace(" (as here)", " (as where it was saved)"))


def interpreter(given: Checked) -> Interpreter | None:
    """The Python that `_describe` wrote, None where the host has none."""
    python = given.get("python")
    if python is None:
        return None
    python.only("path", "version", "free_threaded")
    version = python.get("version")
    numbers = None if version is None else tuple(each.number(most=999) for each in version.items())
    if numbers is not None and len(numbers) != 2:
        python["version"].fail("two numbers must stand here, as in [3, 12]")
    path = homely(python["path"].text())
    return Interpreter(path, numbers, free_threaded=python["free_threaded"].flag())


def document(host: Host, snapshot: Snapshot, tool: dict[str, str], shown: Callable[[str], str]) -> str:
    """The profile as JSON that can be compared line by line; `shown` rewrites paths that tell whose they are."""
    files = {path: {key: shown_in(key, value, shown) for key, value in facts.items()} for path, facts in snapshot.files.items()}
    rest = rewritten({"host": _describe(host), **snapshot._replace(files={})._asdict()}, shown)
    whole = {"schema_version": SCHEMA_VERSION, "tool": tool, **rest, "files": {shown(path): each for path, each in files.items()}}
    return "\n".join(_lines(whole, 0, last=True)) + "\n"


def shown_in(key: str, value: Any, shown: Callable[[str], str]) -> Any:
    """A fact of a file; symbols name nobody."""
    return value if key in ("defines", "data", "plt", "segments") else rewritten(value, shown)


def rewritten(value: Any, shown: Callable[[str], str]) -> Any:
    """`value` with every text in it rewritten, keys as well."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {shown(key): rewritten(each, shown) for key, each in value.items()}
    return [rewritten(each, shown) for each in value] if isinstance(value, (list, tuple)) else value


def _lines(value: Any, depth: int, *, last: bool) -> Iterator[str]:
    """JSON in which each fact of a file and each group of symbols has a line of its own."""
    comma = "" if last else ","
    if not isinstance(value, dict) or not value or depth == _DEEPEST:
        yield json.dumps(value, ensure_ascii=True, separators=(",", ":")) + comma
        return
    yield "{"
    for number, (key, each) in enumerate(value.items(), 1):
        first, *others = _lines(each, depth + 1, last=number == len(value))
        yield f"{json.dumps(key)}:{first}"
        yield from others
    yield "}" + comma


_DEEPEST = 4
