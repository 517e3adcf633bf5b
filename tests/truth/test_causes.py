"""What excuses a difference in text, and what nothing excuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.truth.causes import cause_of, causes
from tests.truth.compare import Pair, passes
from tests.truth.corpus import Subject
from tests.truth.oracle import Observation
from tests.truth.roots import Host

UNDEFINED, DIES = "/x/a.so: undefined symbol: f", "signal: SIGSEGV"


def _pair(edit: str, predicted: str | None, observed: str | None, glibc: str = "2.36") -> Pair:
    host = Host(name=f"glibc-{glibc}", root=Path("/"), rolling=False)
    seen = Observation(outcome="loads" if observed is None else "fails", text=observed)
    return Pair(
        host=host, subject=Subject(path="/x/a.so", family="f", edit=edit), predicted=predicted, depends=False, observed=seen
    )


@pytest.mark.parametrize(
    ("edit", "predicted", "observed", "known"),
    [
        ("add DT_VERSYM: DT_VERSYM 0x0", UNDEFINED, DIES, True),
        ("add DT_VERSYM: DT_VERSYM 0x0", None, DIES, False),
        ("add DT_VERSYM: DT_VERSYM 0x0", UNDEFINED, None, False),
        ("add DT_VERSYM: DT_VERSYM 0x0", DIES, UNDEFINED, False),
        ("flags: flags=0x7", UNDEFINED, DIES, False),
    ],
)
def test_a_cause_is_one_of_a_text(edit: str, predicted: str | None, observed: str | None, known: bool) -> None:  # noqa: FBT001 - a table
    assert (cause_of(_pair(edit, predicted, observed)) is not None) is known


def test_a_cause_belongs_to_its_versions() -> None:
    edit, text = "0x7 value: entry 15 0x7 value=0xffffffffffffffff", "exit 127: ...: elf_machine_rela_relative: ..."
    assert cause_of(_pair(edit, DIES, text, "2.43"))
    assert cause_of(_pair(edit, DIES, text, "2.41")) is None


def test_one_difference_without_a_cause_fails_the_run() -> None:
    equal = [_pair("", DIES, DIES) for _ in range(999)]
    assert passes([*equal, _pair("add DT_VERSYM: DT_VERSYM 0x0", UNDEFINED, DIES)])
    assert not passes([*equal, _pair("flags: flags=0x7", UNDEFINED, DIES)])
    assert not passes([*equal, _pair("flags: flags=0x7", None, DIES)])


def test_every_cause_tells_where_it_comes_from() -> None:
    assert all("elf/" in cause.why or "sysdeps/" in cause.why for cause in causes())
