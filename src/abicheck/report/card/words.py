"""What a requirements card says, in words that the terminal and markdown share.

Whatever comes from a file or a command line passes through `code`, which makes it harmless and sets it apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from abicheck.report.lines import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abicheck.model.report import Window
    from abicheck.model.requirements import Card, HostLibrary, Node, Opened, PythonNeed, Requirements, Trait, TraitKind

#: How much of a list is shown: all of it is in the JSON. C++ names are long, so their letters count too.
_WIDTH = 100
_MOST_SYMBOLS, _MOST_OBJECTS, _MOST_GROUPS, _MOST_NAMES = 6, 3, 4, 12
#: glibc looked at the kernel's version up to this release (elf/dl-load.c, until 2.36).
_LAST_WITH_KERNEL = (2, 35)
_TRAITS: dict[TraitKind, str] = {
    "relative-relocations": "relative relocations (DT_RELR), which older ones do not apply",
    "marker": "an ability of the loader that {value} stands for",
    "executable-stack": "an executable stack (PT_GNU_STACK), which dlopen refuses from 2.41 on",
    "private-symbols": "GLIBC_PRIVATE: what stands behind it may change with every build of glibc",
    "alignment": "segments that are not aligned to pages, which older ones refuse",
    "isa-level": "{value} (glibc refuses it on lesser ones from 2.33 on)",
    "text-relocations": "text relocations: code is written to while it is loaded, which SELinux and the like may forbid",
    "static-tls": "static TLS, {value} bytes: all that is opened at run time shares 1,664 bytes of it",
    "kernel": "Linux {value} or newer (glibc looks at this up to 2.35)",
    "page-size": "memory pages of at most {value} bytes",
}

#: Makes foreign text harmless.
Code: TypeAlias = "Callable[[str], str]"


class Section(NamedTuple):
    """A part of the card: its title and its lines."""

    title: str
    lines: tuple[str, ...]


def name(card: Card) -> str:
    """The name, with the version where there is one."""
    return f"{card.name} {card.version}" if card.version else card.name


def runs_on(requirements: Requirements) -> str:
    """What it runs on, to follow `runs on`."""
    return ", ".join((libc(requirements), requirements.arch, *pythons(requirements.python)))


def libc(requirements: Requirements) -> str:
    """The C library and its versions."""
    window = requirements.window
    if window is None:
        return "musl"
    if not requirements.libc and window.glibc_min is None and window.glibc_max is None:
        return "any C library"
    kinds = "musl or " if "musl" in requirements.libc else ""
    return kinds + glibc(window)


def glibc(window: Window) -> str:
    """The versions of glibc."""
    low, high = window.glibc_min, window.glibc_max
    if low and high and _number(low) > _number(high):
        return f"no glibc (it needs {low} or newer and {high} or older)"
    if high:
        return f"glibc {low} to {high}" if low else f"glibc {high} or older"
    ceiling = f"up to {window.known_to}, the newest known" if window.known_to else "up to which one cannot be told"
    return f"glibc {low} or newer ({ceiling})" if low else f"any glibc ({ceiling})"


def pythons(need: PythonNeed) -> Iterator[str]:
    """The versions of Python, if anything restricts them."""
    spelled = [f"{each[:-1]} free-threaded" if each.endswith("t") else each for each in need.versions]
    if spelled and need.or_newer:
        yield f"Python {spelled[0]} or newer"
    elif spelled:
        yield f"Python {', '.join(spelled)}"
    elif any(each.startswith("abi3") for each in need.extensions):
        yield "Python 3 (stable ABI)"


def sections(card: Card, code: Code) -> Iterator[Section]:
    """All parts that have something to say, but for the libraries of the host."""
    requirements = card.requirements
    window = requirements.window
    low, high = (window.glibc_min, window.glibc_max) if window else (None, None)
    if low:
        yield from _section(f"glibc {low} or newer", _floor(requirements, low, code))
    if high:
        yield from _section(f"glibc {high} or older", _traits(requirements, code, lambda each: each.glibc_max == high))
    yield from _section("No glibc is certain", _traits(requirements, code, _is_uncertain))
    if requirements.promised and low and _number(low) > _number(requirements.promised):
        promise = f"the wheel's tag promises glibc {requirements.promised}, and installers believe it"
        yield from _section("More than the tag says", [promise])
    yield from _section("CPU", _cpu(requirements, code))
    yield from _section("Python", _python(requirements.python, code))
    yield from _section("Opened by name at run time", _opened(requirements.opened, code))
    yield from _section("GPU", _gpu(requirements, code))
    yield from _section("C library", [_kind(requirements)])
    yield from _section("Good to know", _rest(requirements, code))
    yield from _section("Apart", _apart(card, code))


def _section(title: str, lines: Sequence[str] | Iterator[str]) -> Iterator[Section]:
    found = tuple(lines)
    if found:
        yield Section(title, found)


def _floor(requirements: Requirements, low: str, code: Code) -> Iterator[str]:
    """What forces the floor: the nodes of that number in all parts of the C library, then traits."""
    found = False
    for library in requirements.libraries:
        for node in library.nodes:
            if node.family == "GLIBC" and node.number == _number(low):
                found = True
                yield f"{code(node.name)} of {code(node.library)}: {users(node, code)}"
    traits = tuple(_traits(requirements, code, lambda each: each.glibc_min == low))
    yield from traits
    if not found and not traits:
        yield f"there is no older one for {requirements.arch}"


def users(node: Node, code: Code) -> str:
    """The symbols that ask for a version and the objects in which they stand, most objects first."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for use in node.uses:
        groups.setdefault(use.symbols, []).append(use.object)
    largest = sorted(groups.items(), key=lambda each: (not each[0], -len(each[1])))
    said = [f"{_symbols(symbols, code)} {names(objects, code, _MOST_OBJECTS)}" for symbols, objects in largest[:_MOST_GROUPS]]
    rest = sum(len(objects) for _, objects in largest[_MOST_GROUPS:])
    return "; ".join((*said, *([f"others in {count(rest, 'more object')}"] if rest else ())))


def _symbols(symbols: tuple[str, ...], code: Code) -> str:
    if not symbols:
        return "no symbol is used, but the loader checks the version table of"
    most = next((each for each in range(1, _MOST_SYMBOLS) if sum(map(len, symbols[: each + 1])) > _WIDTH), _MOST_SYMBOLS)
    return f"{names(symbols, code, most)} in"


def names(found: Sequence[str], code: Code, most: int = _MOST_NAMES) -> str:
    """The first names, and how many there are besides."""
    shown = list(found) if len(found) <= most + 1 else list(found[:most])
    rest = [f"and {len(found) - len(shown):,} more"] if len(found) > len(shown) else []
    return ", ".join([code(each) for each in shown] + rest)


def asked(library: HostLibrary, code: Code) -> str:
    """A library of the host with the newest version of each family."""
    newest: dict[str, str] = {}
    for node in library.nodes:
        newest.setdefault(node.family, code(node.name))
    versions = f" ({', '.join(newest.values())})" if newest else ""
    return f"{code(library.name)}{versions}"


def _traits(requirements: Requirements, code: Code, test: Callable[[Trait], bool]) -> Iterator[str]:
    for trait in requirements.traits:
        if test(trait):
            value = trait.value or ""
            text = _TRAITS[trait.kind].format(value=code(value) if trait.kind == "marker" else value)
            yield f"{text}: {names(trait.objects, code, _MOST_OBJECTS)}"


def _is_uncertain(trait: Trait) -> bool:
    return trait.kind == "private-symbols" or (trait.kind == "marker" and trait.glibc_min is None)


def _cpu(requirements: Requirements, code: Code) -> Iterator[str]:
    yield from _traits(requirements, code, lambda each: each.kind == "isa-level")


def _python(need: PythonNeed, code: Code) -> Iterator[str]:
    if need.tags:
        yield f"tags: {names(need.tags, code)}"
    if need.extensions:
        yield f"names of extensions say {names(need.extensions, code)}"
    if need.requires:
        yield f"Requires-Python: {code(need.requires)}"


def _opened(opened: Sequence[Opened], code: Code) -> Iterator[str]:
    holders: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for each in opened:
        holders.setdefault((each.objects, each.bundled), []).append(each.name)
    for (objects, bundled), found in holders.items():
        yield f"{names(found, code)}: {names(objects, code, _MOST_OBJECTS)}{' (it brings them)' if bundled else ''}"


def _gpu(requirements: Requirements, code: Code) -> Iterator[str]:
    gpu = requirements.gpu
    if gpu.libraries:
        said = [f"CUDA {each}" for each in gpu.cuda] + [f"cuDNN {each}" for each in gpu.cudnn]
        if gpu.driver:
            said.append("NVIDIA's driver")
        yield f"{', '.join(said) or 'it names libraries of a GPU'}: {names(gpu.libraries, code)}"


def _kind(requirements: Requirements) -> str:
    return {
        ("glibc",): "glibc; systems with musl (Alpine) lack what it needs",
        ("musl",): "musl (Alpine and the like); it is not made for glibc",
        (): "it asks for none by name",
    }.get(requirements.libc, "some objects are made for glibc, others for musl")


def _rest(requirements: Requirements, code: Code) -> Iterator[str]:
    """Traits that do not bound the window, as far as they can matter there."""
    low = requirements.window.glibc_min if requirements.window else None
    kinds: set[TraitKind] = {"text-relocations", "static-tls"}
    if low is None or _number(low) <= _LAST_WITH_KERNEL:
        kinds.add("kernel")
    if requirements.arch != "x86_64":  # where all pages are of 4096 bytes
        kinds.add("page-size")
    yield from _traits(requirements, code, lambda each: each.kind in kinds)


def _apart(card: Card, code: Code) -> Iterator[str]:
    requirements = card.requirements
    if requirements.apart:
        window = requirements.apart_window
        wants = f", and would need {glibc(window)}" if window else ""
        what = "object is needed by nothing" if len(requirements.apart) == 1 else "objects are needed by nothing"
        yield f"{len(requirements.apart):,} {what} that is loaded or started{wants}: {names(requirements.apart, code)}"
    reasons: dict[str, list[str]] = {}
    for path, reason in card.passed_over:
        reasons.setdefault(reason, []).append(path)
    yield from (f"not looked at, because {reason}: {names(paths, code)}" for reason, paths in reasons.items())


def _number(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
