"""Overlays of any trees: the short way gives what the long way gives, and both what real files give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abicheck.model.artifact import Distribution, Scheme, Sources
from abicheck.model.elf import Malformed
from abicheck.model.files import FileId
from abicheck.read.files import Entry, FactStore, Memory, Overlay, Root, Walked
from tests.property.effort import fewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.elf import ElfFile

FACTS = Malformed(reason="not-elf", size=7)
NAMES = ["a", "b", "c"]
#: Where a link may lead: names, and ways that a link may take.
STEPS = [*NAMES, "..", "."]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
targets = st.builds(
    lambda head, parts: head + "/".join(parts),
    st.sampled_from(["", "/"]),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=3),
)
#: What is asked: any way of writing a path.
asked = st.builds(
    lambda parts, tail: "/" + "/".join(parts) + tail,
    st.lists(st.sampled_from([*NAMES, *NAMES, "..", ".", ""]), max_size=6),
    st.sampled_from(["", "", "/", "/.", "/..", "//"]),
)


class Package:
    """A package that brings files at these paths."""

    distribution = Distribution("wheel", "demo", "1", "demo", "demo", Scheme("", "", ""), (), ())

    def __init__(self, files: Mapping[str, FileId]) -> None:
        self.files = files

    def __repr__(self) -> str:
        return f"Package({self.files})"

    def entries(self) -> Mapping[str, FileId]:
        return self.files

    def facts(self, file: FileId) -> ElfFile:
        assert file in self.files.values()
        return FACTS

    def sources(self) -> Sources:
        return Sources()


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str | None]:
    """Files (None) and links (their target) of a host by path; nothing lies below a file or a link."""
    found: dict[str, str | None] = {}
    for path in draw(st.lists(paths, max_size=7, unique=True)):
        if _heads(path).isdisjoint(found) and not any(each.startswith(f"{path}/") for each in found):
            found[path] = draw(st.one_of(st.none(), targets))
    return found


@st.composite
def packages(draw: st.DrawFn) -> list[Package]:
    """One to three packages."""
    numbered = enumerate(draw(st.lists(st.lists(paths, min_size=1, max_size=4, unique=True), min_size=1, max_size=3)))
    return [
        Package({path: FileId(-9 - number, place, 1, 1, 1) for place, path in enumerate(each) if _heads(path).isdisjoint(each)})
        for number, each in numbered
    ]


def _root(tree: Mapping[str, str | None]) -> Root:
    return Root(Memory({path: Entry(link=link, load=lambda: FACTS) for path, link in tree.items()}, 1), FactStore())


def _made(base: Root | Walked, brought: Sequence[Package]) -> Overlay:
    return Overlay(base, *brought)


@settings(fewer, suppress_health_check=[HealthCheck.too_slow])
@given(trees(), packages(), st.lists(asked, min_size=10, max_size=40))
def test_the_short_way_is_the_long_way(tree: dict[str, str | None], brought: list[Package], questions: list[str]) -> None:
    walked = Walked(_root(tree))
    for path in questions[::2]:  # what others asked before makes no difference
        walked.stat(path)
        walked.place(path)
    short, long = _made(walked, brought), _made(_root(tree), brought)
    long._is_plain = False
    for path in questions:
        assert short.stat(path) == long.stat(path), path
        assert short.resolve(path) == long.resolve(path), path
        answer = short.stat(path)
        if not isinstance(answer, int):
            assert short.facts(answer) == long.facts(answer)


@fewer
@given(trees(), st.lists(asked, min_size=10, max_size=40))
def test_walked_is_as_what_it_walks(tree: dict[str, str | None], questions: list[str]) -> None:
    walked, plain = Walked(_root(tree)), _root(tree)
    for path in (*questions, *questions):
        assert walked.stat(path) == plain.stat(path)
        assert walked.resolve(path) == plain.resolve(path)
        place = walked.place(path)
        name = path.rpartition("/")[2]
        if name in ("", ".", ".."):
            assert place is None
        elif place is None:
            assert isinstance(plain.stat(path), int)
        else:
            assert plain.stat(place[0]) == place[1] == plain.stat(path)


@settings(fewer, suppress_health_check=[HealthCheck.too_slow])
@given(trees(), packages(), st.lists(asked, min_size=10, max_size=40))
def test_names_lead_where_they_lead_when_all_is_installed(
    tree: dict[str, str | None], brought: list[Package], questions: list[str]
) -> None:
    # What only a package brings is not seen through links of the host: so it is documented.
    base = _root(tree)
    while dangling := [path for path in tree if isinstance(base.stat(path), int)]:
        tree = {path: link for path, link in tree.items() if path not in dangling}
        base = _root(tree)
    installed: dict[str, str | None] = dict(tree)
    taken = []
    for package in brought:
        # An installer that would go through a link, or replace one or a directory, is for the other test.
        files = {path: file for path, file in package.files.items() if _fits(path, installed)}
        installed |= dict.fromkeys(files)
        taken.append(Package(files))
    overlay, merged = Overlay(base, *taken), _root(installed)
    owners = {path: file for package in taken for path, file in package.files.items()}
    for path in questions:
        answer, real = overlay.stat(path), merged.stat(path)
        assert (answer if isinstance(answer, int) else 0) == (real if isinstance(real, int) else 0), path
        resolved = merged.resolve(path)
        if (
            not isinstance(answer, int)
            and resolved in owners
            and path.rpartition("/")[2] in NAMES
            and not _ends_in_link(base, path)
        ):
            assert answer == owners[resolved], path


def _fits(path: str, installed: Mapping[str, str | None]) -> bool:
    inside = any(each.startswith(f"{path}/") for each in installed)
    return not inside and _heads(path).isdisjoint(installed) and installed.get(path) is None


def _heads(path: str) -> set[str]:
    return {path[:end] for end in range(1, len(path)) if path[end] == "/"}


def _ends_in_link(base: Root, path: str) -> bool:
    """Whether the last component is a link of the host."""
    head, _, name = path.rpartition("/")
    return base.resolve(path) != f"{base.resolve(head or '/').rstrip('/')}/{name}"
