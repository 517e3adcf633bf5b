"""The distributions that abicheck knows: what is written of each, by name, checked when it is read."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from abicheck.errors import DataError, UsageError
from abicheck.model.host import Arch, Libc
from abicheck.read.hosts import cuda
from abicheck.read.hosts.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "distributions.json"
_PAGES = {"4k": 4096, "16k": 16384, "64k": 65536}
_LEVEL = re.compile(r"v([1-4])")


class Family(NamedTuple):
    """How the loaders of related distributions are configured, and what base images have and have not beside the C library."""

    dirs: tuple[str, ...]
    lib: str
    vendor: str
    certain: frozenset[str]
    absent: frozenset[str]


class Distribution(NamedTuple):
    """What is known of one distribution or image.

    `glibc` is its 2.N, or `musl` the release of that, or the first and the last that it may be. `build` is the Debian release
    whose libraries are known as they are. `highest` are the newest nodes of GCC's libraries and libz, those of libgcc_s by
    machine. `page` is the usual page size on aarch64 in KiB. `python` is its own, at `path`; if `fixed`, there is no other.
    `also` and `uncertain` are libraries that it has, or may have, beside the family's, and `unread` those of which nothing but
    that is known; with `more` it has others of which there is no list. `source` says of the facts where they are from.
    """

    name: str
    family: Family
    glibc: int
    build: str | None
    highest: Mapping[str, Any]
    gomp: tuple[str, ...]
    markers: tuple[str, ...]
    maybe: Mapping[str, tuple[str, ...]]
    python: tuple[int, int] | None
    kernel: tuple[int, int, int] | None
    level: int
    page: int
    arches: tuple[str, ...]
    eol: str
    extended: str
    image: str
    source: Mapping[str, str]
    path: str | None = None
    fixed: bool = False
    also: frozenset[str] = frozenset()
    uncertain: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    more: bool = False
    musl: tuple[str, ...] = ()

    @property
    def libc(self) -> Libc:
        """Its C library, of several that it may be the oldest."""
        if self.musl:
            return Libc("musl", tuple(map(int, self.musl[0].split("."))))
        return Libc("glibc", (2, self.glibc))


class Named(NamedTuple):
    """A distribution with the qualifiers of its name: the machine, the level of an x86-64 CPU, and the page size in bytes."""

    spec: str
    distribution: Distribution
    arch: Arch
    level: int
    page: int


def find(spec: str) -> Named | None:
    """What `NAME[/ARCH][,cpu=vN][,page=SIZE]` means, None for a name of nothing that is known.

    Raises `UsageError` for a qualifier that makes no sense, and `DataError`.
    """
    head, *qualifiers = spec.removeprefix(cuda.OWNER).split(",")
    name, _, arch = head.partition("/")
    found = catalogue().get(_document()["aliases"].get(name, name)) or _of_cuda(name)
    if found is None:
        return None
    if not arch:
        arch = found.arches[0]
    if arch not in found.arches:
        known = arch in get_args(Arch)
        raise UsageError(f"{spec}: {name} is {'not known on' if known else 'on no'} {arch!r}; it is on {', '.join(found.arches)}")
    level, page = (found.level if arch == "x86_64" else 0), 4096 if arch == "x86_64" else found.page << 10
    for each in qualifiers:
        key, _, value = each.partition("=")
        number = _LEVEL.fullmatch(value)
        if key == "cpu" and number and arch == "x86_64":
            level = int(number[1])
        elif key == "page" and value in _PAGES and (arch == "aarch64" or value == "4k"):
            page = _PAGES[value]
        else:
            raise UsageError(f"{spec}: {each!r} is no qualifier here; there are cpu=v1…v4 (x86_64) and page=4k|16k|64k")
    if arch == "x86_64" and level < found.level:
        raise UsageError(f"{spec}: its loader starts on no CPU below x86-64-v{found.level}; leave cpu= out or give a higher one")
    return Named(spec, found, "aarch64" if arch == "aarch64" else "x86_64", level, page)


def nearest(spec: str) -> list[str]:
    """Known names that look like `spec`, the most alike first."""
    from difflib import get_close_matches  # noqa: PLC0415 -- for errors only

    name = re.split("[/,]", spec.removeprefix(cuda.OWNER), maxsplit=1)[0]
    product, _, _ = name.partition(":")
    names = [*catalogue(), *_document()["aliases"]]
    same = [each for each in names if each.partition(":")[0] == product]
    longer = [each for each in same if each.startswith(f"{name}+")]
    return [*longer, *(get_close_matches(name, same or names, n=3, cutoff=0.4) or same[-3:])][:3]


def _of_cuda(name: str) -> Distribution | None:
    """NVIDIA's image with this tag: its distribution with the libraries of its kind, or as little as is known of any kind."""
    base = catalogue().get(cuda.system(name))
    if base is None:
        return None
    base = base._replace(name=name, image=cuda.OWNER + name)
    there = cuda.libraries(name, _checked(_document(), "cuda", dict))
    return base if there is None else base._replace(uncertain=cuda.DRIVER, unread=base.unread | there)


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Distribution]:
    """Every distribution by its name. Raises `DataError`, which names the key."""
    document = _document()
    families = {name: _family(f"families.{name}", value) for name, value in _checked(document, "families", dict).items()}
    found: dict[str, Distribution] = {}
    for name, value in _checked(document, "distributions", dict).items():
        where = f"distributions.{name}"
        if "base" not in value:
            found[name] = _distribution(where, name, value, families)
        elif value["base"] in found:
            found[name] = _image(where, name, value, found[value["base"]])
        else:
            raise DataError(f"{where}.base: {value['base']!r} is no distribution; install abicheck anew", _FILE)
    return found


def _family(where: str, value: Mapping[str, Any]) -> Family:
    lists = [tuple(_checked(value, key, list, where)) for key in ("dirs", "certain", "absent")]
    lib, vendor = (_checked(value, key, str, where) for key in ("lib", "vendor"))
    return Family(lists[0], lib, vendor, frozenset(lists[1]), frozenset(lists[2]))


def _distribution(where: str, name: str, value: Mapping[str, Any], families: Mapping[str, Family]) -> Distribution:
    family = _checked(value, "family", str, where)
    if family not in families:
        raise DataError(f"{where}.family: {family!r} is none; install abicheck anew", _FILE)
    musl = tuple(_checked(value, "musl", list, where)) if "musl" in value else ()
    numbers = {key: _checked(value, key, int, where) for key in ("level", "page")}
    texts = {key: _checked(value, key, str, where) for key in ("eol", "extended", "image")}
    kernel = value.get("kernel")
    return Distribution(
        name=name,
        family=families[family],
        glibc=0 if musl else _checked(value, "glibc", int, where),
        musl=musl,
        build=value.get("build"),
        highest=_checked(value, "highest", dict, where),
        gomp=tuple(_checked(value, "gomp", list, where)),
        markers=tuple(_checked(value, "markers", list, where)),
        maybe={key: tuple(nodes) for key, nodes in _checked(value, "maybe", dict, where).items()},
        python=_python(where, value.get("python")),
        kernel=(kernel[0], kernel[1], kernel[2]) if kernel else None,
        arches=tuple(_checked(value, "arches", list, where)),
        source=_checked(value, "source", dict, where),
        unread=frozenset(value.get("unread", ())),
        **numbers,
        **texts,
    )


def _image(where: str, name: str, value: Mapping[str, Any], base: Distribution) -> Distribution:
    python = _python(where, value.get("python"))
    return base._replace(
        name=name,
        python=python or base.python,
        path=value.get("path"),
        fixed=python is not None,
        also=frozenset(value.get("also", ())),
        uncertain=frozenset(value.get("uncertain", ())),
        more=bool(value.get("more")),
        image=_checked(value, "image", str, where),
        source={**base.source, "image": _checked(value, "source", str, where)},
    )


def _python(where: str, value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+)\.(\d+)", value) if isinstance(value, str) else None
    if found is None:
        raise DataError(f"{where}.python: {value!r} is no version; install abicheck anew", _FILE)
    return int(found[1]), int(found[2])


def _checked(value: Mapping[str, Any], key: str, kind: type, where: str = "") -> Any:
    found = value.get(key)
    if not isinstance(found, kind):
        raise DataError(f"{where}{'.' if where else ''}{key}: not a {kind.__name__}; install abicheck anew", _FILE)
    return found


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return unpacked(_FILE)
