from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge.pins import asks, find_pins, finding, in_the_way, not_known, shut_out, wanted_extras, way_out
from abicheck.model.artifact import Distribution, Scheme
from abicheck.model.lock import LockedPackage
from abicheck.model.pins import Choice, Pin, Together, Upgrade
from abicheck.model.report import Artifact, Finding, HostSummary, PythonSummary, Remedy, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

LINUX = {"sys_platform": "linux", "python_version": "3.12"}
WHISPERX = Pin("<4.5.0", "whisperx", "3.4.2", "r.txt:1")
FASTER = Pin("<5,>=4.0", "faster-whisper", "1.1.1", "r.txt:2")
OWN = Pin("<4.5", place="r.txt:3")
RESULT = Result(
    artifact=Artifact("demo", "demo", version="1.0"),
    host=HostSummary("debian:13", "distribution", "x86_64", "glibc", "2.41"),
    python=PythonSummary("3.12", "cp312", None),
    verdict="fails",
    predicted="it fails",
    findings=(
        Finding("text-relocation", "warning", "certain", "a.so", "It has text relocations."),
        Finding(
            "exec-stack-refused",
            "error",
            "certain",
            "a.so",
            "It asks.",
            ("RWE",),
            (Remedy("upgrade", "up"), Remedy("host", "down")),
        ),
    ),
)


def _distribution(name: str, requires: Sequence[str]) -> Distribution:
    return Distribution("wheel", name, "1.0", name, "", Scheme("/l", "/s", "/d"), (), (), requires=tuple(requires))


def _line(name: str, specifier: str = "", version: str | None = None, extras: tuple[str, ...] = ()) -> LockedPackage:
    return LockedPackage(name, version, "r.txt", 7, specifier, extras=extras)


def _together(requires: dict[str, Sequence[str]], *asked: LockedPackage) -> Together:
    return Together(tuple(_distribution(*each) for each in requires.items()), asked, LINUX, {"a": "r.txt:1"})


@pytest.mark.parametrize(
    ("requires", "asked", "expected"),
    [
        ({"a": ["Demo<2"]}, (), [Pin("<2", "a", "1.0", "r.txt:1")]),
        ({"b": ["demo<2", "demo>=1; python_version > '3'"]}, (), [Pin("<2,>=1", "b", "1.0", None)]),
        ({"a": ["demo", "other<2"]}, (), []),
        ({"a": ["demo<2; sys_platform == 'win32'", "demo<<2", "demo<2; nothing == 'x'"]}, (), []),
        ({"demo": ["demo<2", "demo[more]"]}, (), []),
        ({"a": ["demo<2; extra == 'x'"]}, (), []),
        ({"a": ["demo<2; extra == 'x'"]}, (_line("a", extras=("x",)),), [Pin("<2", "a", "1.0", "r.txt:1")]),
        ({"a": ["demo<2; extra == 'y'"], "b": ["c[x]"], "c": ["A[y]; extra == 'x'"]}, (), [Pin("<2", "a", "1.0", "r.txt:1")]),
        ({}, (_line("demo", "<2"),), [Pin("<2", place="r.txt:7")]),
        ({}, (_line("demo", "==1.0", "1.0"), _line("demo")), []),
    ],
)
def test_what_pins(requires: dict[str, Sequence[str]], asked: tuple[LockedPackage, ...], expected: list[Pin]) -> None:
    assert list(find_pins("demo", _together(requires, *asked))) == expected


def test_extras_are_those_that_somebody_asks_for() -> None:
    assert wanted_extras(_together({"a": ["b[x]", "c[y]; extra == 'z'"]}, _line("a", extras=("w",)))) == {
        "a": {"", "w"},
        "b": {"", "x"},
    }
    assert asks("demo", ["demo<2; extra == 'x'"], {"", "x"}, LINUX) == "<2"


@pytest.mark.parametrize(
    ("specifiers", "loading", "expected"),
    [
        (["<4.5.0", "<5,>=4.0"], ["4.6.0", "4.8.5"], ("4.6.0", [0])),
        (["<4.5.0", "!=4.6.0"], ["4.6.0", "4.8.5"], ("4.8.5", [0])),
        (["<4", "<4.5"], ["4.6.0"], ("4.6.0", [0, 1])),
        (["<5"], ["6.0", "7.0rc1"], ("6.0", [0])),
    ],
)
def test_the_release_to_aim_at_is_the_oldest_that_the_fewest_shut_out(
    specifiers: list[str], loading: list[str], expected: tuple[str, list[int]]
) -> None:
    pins = tuple(Pin(each, f"p{number}", "1") for number, each in enumerate(specifiers))
    aim, shut = in_the_way(pins, loading)
    assert (aim, [pins.index(each) for each in shut]) == expected


CHOICE = Choice("ctranslate2", "debian:13", (WHISPERX, FASTER), ("4.0.0", "4.4.0"), (), ("4.6.0", "4.8.5"), "4.5.0")
SHUTS = "whisperx 3.4.2 requires ctranslate2<4.5.0, which shuts out ctranslate2 4.6.0, and that loads on debian:13."
BESIDES = "Besides, faster-whisper 1.1.1 requires ctranslate2<5,>=4.0 (r.txt:2)."


def test_a_pin_that_shuts_out_what_loads() -> None:
    found = finding(CHOICE, WHISPERX, "4.6.0", Upgrade("3.5.0", "4.6.0"))
    assert (found.rule, found.severity, found.confidence) == ("pin-excludes-loading", "warning", "certain")
    assert (found.object, found.location) == ("whisperx 3.4.2", "r.txt:1")
    assert found.message == f"{SHUTS} {BESIDES} That leaves 4.0.0 and 4.4.0, and none of it loads."
    assert found.evidence == (
        "whisperx 3.4.2 requires ctranslate2<4.5.0 (r.txt:1)",
        "faster-whisper 1.1.1 requires ctranslate2<5,>=4.0 (r.txt:2)",
        "ctranslate2 4.6.0 loads on debian:13, as does 4.8.5; 4.5.0, the one before 4.6.0, does not",
    )
    text = "whisperx 3.5.0 is its first newer release that allows ctranslate2 4.6.0"
    assert found.remedies == (Remedy("upgrade", text, "pip install 'whisperx>=3.5.0' 'ctranslate2==4.6.0'"),)


@pytest.mark.parametrize(
    ("choice", "upgrade", "sentences", "remedies"),
    [
        (
            CHOICE._replace(pins=(WHISPERX,), allowed=(), before=None, loading=("4.6.0",)),
            Upgrade(latest="3.4.5"),
            ["No newer release of whisperx up to 3.4.5 allows a newer ctranslate2 that loads."],
            ["ask the maintainers of whisperx to allow ctranslate2 4.6.0"],
        ),
        (
            CHOICE._replace(pins=(WHISPERX,), unknown=("4.0.0",)),
            Upgrade(unknown="the network is down"),
            [
                "Of what that leaves it is not known whether 4.0.0 would load.",
                "Which release of whisperx allows it is not known: the network is down.",
            ],
            [],
        ),
    ],
)
def test_no_more_is_said_than_is_known(choice: Choice, upgrade: Upgrade, sentences: list[str], remedies: list[str]) -> None:
    found = finding(choice, WHISPERX, "4.6.0", upgrade)
    assert found.message == " ".join([SHUTS, *sentences])
    assert [each.text for each in found.remedies] == remedies
    assert found.confidence == ("likely" if choice.unknown else "certain")
    if choice.before is None:
        assert found.evidence[-1] == "ctranslate2 4.6.0 loads on debian:13"


def test_a_line_of_the_users_own() -> None:
    found = finding(CHOICE._replace(pins=(OWN,)), OWN, "4.6.0", Upgrade())
    assert (found.object, found.location) == ("ctranslate2<4.5", "r.txt:3")
    assert found.message.startswith("r.txt:3 requires ctranslate2<4.5, which shuts out ctranslate2 4.6.0, and that loads")
    assert found.evidence[0] == "r.txt:3 asks for ctranslate2<4.5"
    assert [each.text for each in found.remedies] == ["let r.txt:3 allow ctranslate2 4.6.0"]


def test_a_pin_on_what_pins() -> None:
    held = Pin("==0.10.1", "whisperx", "3.1.0")
    found = finding(CHOICE, FASTER, "4.6.0", Upgrade("1.0.0", "4.6.0", held=(held,)))
    told = "An upgrade of faster-whisper to 1.0.0 is shut out itself: whisperx 3.1.0 requires faster-whisper==0.10.1."
    assert found.message.endswith(told)


def test_many_releases_are_told_by_the_first_and_the_last() -> None:
    choice = CHOICE._replace(allowed=tuple(f"4.{minor}" for minor in range(9)))
    assert "That leaves 4.0 to 4.8 (9 releases), and" in finding(choice, WHISPERX, "4.6.0", Upgrade()).message


def test_what_is_said_of_the_failure_itself() -> None:
    found = way_out(RESULT, "2.0").findings[1]
    text = "demo 2.0 loads here, and every pin of what is installed with it allows it"
    assert found.remedies[0] == Remedy("upgrade", text, "pip install 'demo==2.0'")
    assert found.remedies[1:] == RESULT.findings[1].remedies
    found = not_known(RESULT, "the network is down").findings[1]
    assert found.evidence[1:] == ("whether the pins on demo allow a release that loads is not known: the network is down",)
    assert way_out(RESULT._replace(findings=()), "2.0").findings == ()


def test_no_advice_against_the_pins_is_left() -> None:
    found = finding(CHOICE, WHISPERX, "4.6.0", Upgrade("3.5.0", "4.6.0"))
    amended = shut_out(RESULT, [found])
    assert [[remedy.kind for remedy in each.remedies] for each in amended.findings] == [[], ["host"], ["upgrade"]]
    assert amended._replace(findings=()) == RESULT._replace(findings=())
    assert shut_out(RESULT, []) == RESULT
