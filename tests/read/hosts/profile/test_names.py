from __future__ import annotations

import pytest

from abicheck.read.hosts.profile.names import homely, pack, unpack


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["free", "malloc"],
        ["_ZNSt6locale5facetC1Ev", "_ZNSt6locale5facetC2Ev", "_ZNSt6locale5facetD0Ev", "_Z1av"],
        ["_ZNSt6locale5facet", "_ZNSt6locale5facetC2Ev", "zlib"],
    ],
)
def test_names_come_back(names: list[str]) -> None:
    assert unpack(pack(names).split()) == sorted(names)


def test_only_what_repeats_much_is_shortened() -> None:
    assert pack(["_ZNSt6locale1aEv", "_ZNSt6locale1bEv", "_Z3fov"]) == "_Z3fov _ZNSt6locale1aEv 13:bEv"


def test_more_than_there_is_cannot_repeat() -> None:
    with pytest.raises(ValueError, match="9:c"):
        unpack(["_ZN1a", "9:c"])


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("~/lib:/opt/~x:~", "/~/lib:/opt/~x:/~"),
        ("/usr/lib", "/usr/lib"),
        ("a~/b", "a~/b"),
    ],
)
def test_homes_are_a_directory_of_the_profile(text: str, inside: str) -> None:
    assert homely(text) == inside
