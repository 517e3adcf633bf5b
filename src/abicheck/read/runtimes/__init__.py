"""Runtimes for WebAssembly as hosts: a name on the command line to what that release can do."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from abicheck.errors import DataError, HostError, UsageError

if TYPE_CHECKING:
    from abicheck.model.wasm import Family, Feature, Runtime

_FILE = "runtimes.toml"
#: The names that `runtimes.toml` has: known here, so that other hosts need not wait for it.
NAMES = ("node", "chrome", "firefox", "safari")
_VERSION = re.compile(r"v?(\d{1,4}(?:\.\d{1,4}){0,2})")
#: Behind the version of a browser whose page is cross-origin isolated.
_ISOLATED = "/isolated"
#: How long (in seconds) a Node.js may take to tell its version.
_PATIENCE = 30


def is_runtime(spec: str) -> bool:
    """Whether a host is a runtime: `node`, `chrome:120`."""
    return spec.partition(":")[0] in NAMES


def open_runtime(spec: str) -> Runtime:
    """The runtime that `spec` names, as in `chrome:120/isolated`; `node` is the one on the PATH.

    Raises `UsageError` for an unknown one, and `HostError` where there is no Node.js.
    """
    from abicheck.model.wasm import Runtime  # noqa: PLC0415 -- every run asks whether a host is a runtime, and few are

    name, _, given = spec.partition(":")
    if spec == "node":
        given = _version_here()
    date, families, features = table()
    family = families[name]
    isolated = family.isolated_since is not None and given.endswith(_ISOLATED)
    version = _VERSION.fullmatch(given.removesuffix(_ISOLATED) if isolated else given)
    if version is None:
        example = f"{name}:{'.'.join(map(str, family.newest))}"
        raise UsageError(f"unknown host {spec!r}: {family.title} by its version, as in {example}")
    numbers = parse_version(version[1])
    families = families | {name: family.of_major(numbers[0])}
    known = tuple(families.values())
    return Runtime(spec, families[name], numbers, features, known, date, isolated=isolated or None)


def parse_version(text: str) -> tuple[int, ...]:
    """`16.4` as numbers."""
    return tuple(map(int, text.split(".")))


def _version_here() -> str:
    """The version of the Node.js on the PATH."""
    import shutil  # noqa: PLC0415 -- as above
    import subprocess  # noqa: PLC0415 -- as above

    path = shutil.which("node")
    if path is None:
        raise HostError("there is no Node.js on the PATH; install it, or name a version as in node:20", "node")
    try:
        told = subprocess.run(  # noqa: S603 -- the user's own, and nothing of the module is given to it
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{path} does not tell its version ({error}); name one as in node:20", "node") from None
    if not _VERSION.fullmatch(told):
        raise HostError(f"{path} does not tell its version; name one as in node:20", "node")
    return told


@lru_cache(maxsize=1)
def table() -> tuple[str, dict[str, Family], dict[str, Feature]]:
    """The date of the table, its families and its features. Raises `DataError`."""
    from abicheck.model.wasm import Feature  # noqa: PLC0415 -- as above
    from abicheck.read.toml import parse_toml  # noqa: PLC0415 -- as above

    try:
        plain = parse_toml(_content())
        features = {name: Feature(**each) for name, each in plain["features"].items()}
        families = {name: _family(name, plain["families"][name]) for name in NAMES}
        for family in families.values():
            for feature in (*family.since, *family.backported, *(key.rpartition("-")[0] for key in family.texts)):
                _ = features[feature]
        return plain["date"], families, features
    except (KeyError, TypeError, ValueError, OSError, AttributeError) as error:
        raise DataError(f"{error!r}; install abicheck anew", _FILE) from None


def _content() -> str:
    data: bytes = globals()["__loader__"].get_data(__file__.removesuffix("__init__.py") + f"data/{_FILE}")
    return data.decode()


def _family(name: str, plain: dict[str, Any]) -> Family:
    from abicheck.model.wasm import Family  # noqa: PLC0415 -- as above

    versions: dict[str, Any] = {
        key: parse_version(plain[key])
        for key in ("newest", "isolated_since", "credentialless_since", "section_lengths_since", "texts_until")
        if key in plain
    }
    since = {feature: parse_version(version) for feature, version in plain["since"].items()}
    backported = {feature: tuple(map(parse_version, each)) for feature, each in plain.get("backported", {}).items()}
    texts: dict[str, Any] = {key: plain[key] for key in ("texts", "unisolated", "link_texts", "link_places") if key in plain}
    return Family(name=name, title=plain["title"], since=since, backported=backported, **texts, **versions)
