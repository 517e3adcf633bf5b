"""What else the loader looks at in an object: each trait with what it does to the window of glibc versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.requirements.reach import is_program
from abicheck.model.requirements import Trait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from abicheck.judge.requirements.nodes import Needs
    from abicheck.judge.requirements.reach import Bundle
    from abicheck.model.elf import SharedObject
    from abicheck.model.requirements import TraitKind

PT_LOAD, PT_TLS, PT_GNU_STACK = 1, 7, 0x6474E551
_PF_X = 1
_LARGEST_PAGE, _SMALLEST_PAGE = 0x10000, 0x1000
#: Versions without symbols that announce an ability of the loader (glibc: elf/Versions, sysdeps/x86*/Versions), and the upstream
#: release that brought each. Distributions have taken the last two into older releases.
_MARKERS = {"GLIBC_ABI_DT_RELR": "2.36", "GLIBC_ABI_GNU2_TLS": "2.43", "GLIBC_ABI_DT_X86_64_PLT": "2.43"}
PRIVATE = "GLIBC_PRIVATE"


def find_traits(
    bundle: Bundle, reached: Mapping[str, SharedObject], needs: Needs, roots: tuple[str, ...], arch: str
) -> Iterator[Trait]:
    """All traits, those that bound the window first."""

    def trait(kind: TraitKind, objects: Mapping[str, object], value: str | None = None, **bounds: str) -> Iterator[Trait]:
        if objects:
            yield Trait(kind, tuple(objects), value, **bounds)

    def those(test: Callable[[SharedObject], object]) -> dict[str, SharedObject]:
        return {path: facts for path, facts in reached.items() if test(facts)}

    yield from trait("relative-relocations", those(lambda each: each.dynamic and each.dynamic.has_relr), glibc_min="2.36")
    for (_, node), users in needs.items():
        if node.startswith("GLIBC_ABI_"):
            yield Trait("marker", tuple(users), node, _MARKERS.get(node))
    opened = bundle.reach(root for root in roots if not is_program(root, bundle.objects[root]))
    stacks = {path: facts for path, facts in opened.items() if _wants_executable_stack(facts, arch)}
    yield from trait("executable-stack", stacks, glibc_max="2.40")
    private = dict.fromkeys(path for (_, node), users in needs.items() if node == PRIVATE for path in users)
    yield from trait("private-symbols", private)
    yield from trait("alignment", those(lambda each: _page_size(each, old=True) < _SMALLEST_PAGE), glibc_min="2.35")

    levels = {path: each.properties.x86_isa_needed.bit_length() for path, each in reached.items()}
    highest = max(levels.values(), default=0)
    yield from trait("isa-level", _at(levels, highest) if highest > 1 else {}, f"x86-64-v{highest}")
    yield from trait("text-relocations", those(lambda each: each.dynamic and each.dynamic.textrel))
    static = those(_takes_static_tls)
    yield from trait("static-tls", static, str(sum(_tls_size(facts) for facts in static.values())))
    kernels = {path: tag[1:] for path, each in reached.items() if (tag := each.properties.abi_tag) and tag[0] == 0}
    oldest = max(kernels.values(), default=(0,))
    yield from trait("kernel", _at(kernels, oldest), ".".join(map(str, oldest)))
    sizes = {path: _page_size(facts, old=_page_size(facts, old=True) >= _SMALLEST_PAGE) for path, facts in reached.items()}
    smallest = min(sizes.values(), default=_LARGEST_PAGE)
    yield from trait("page-size", _at(sizes, smallest) if smallest < _LARGEST_PAGE else {}, str(smallest))


def _at(values: Mapping[str, object], wanted: object) -> dict[str, object]:
    """The paths whose value is `wanted`."""
    return {path: value for path, value in values.items() if value == wanted}


def _wants_executable_stack(facts: SharedObject, arch: str) -> bool:
    """Since glibc 2.41 dlopen refuses it; without PT_GNU_STACK the machine's default counts (stackinfo.h)."""
    stack = facts.segment(PT_GNU_STACK)
    return bool(stack.flags & _PF_X) if stack is not None else arch == "x86_64"


def _takes_static_tls(facts: SharedObject) -> bool:
    references = facts.references if facts.demand is None else facts.demand.special
    return any(each.kind == "tls-static" for each in references)


def _tls_size(facts: SharedObject) -> int:
    segment = facts.segment(PT_TLS)
    return segment.memsz if segment is not None else 0


def _page_size(facts: SharedObject, *, old: bool) -> int:
    """The largest page that all segments fit, up to 64 KiB; before glibc 2.35 they had to fit p_align too, and it the page.

    1 where they fit no page at all (elf/dl-load.c).
    """
    bits = _LARGEST_PAGE
    for segment in facts.segments:
        if segment.type == PT_LOAD:
            distance = segment.vaddr - segment.offset
            bits |= distance
            if old:
                bits |= segment.align or 1
                if distance & (segment.align - 1):
                    return 1
    return bits & -bits
