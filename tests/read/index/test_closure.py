from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from abicheck.errors import AbicheckError, TargetError
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Target
from abicheck.read.index.closure import closure
from tests.read.index.world import PY312, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.read.index.store import Store

#: What lies on the shelf: name, version, tag, Requires-Dist, Requires-Python.
WORLD = [
    ("app", "1.0", "py3-none-any", ["native<2", "helper", "backport; python_version < '3.12'", "gone; os_name == 'nt'"], ""),
    ("native", "1.0", "cp312-cp312-manylinux_2_17_x86_64", [], ""),
    ("native", "1.5", "cp313-cp313-manylinux_2_17_x86_64", [], ""),  # no wheel for 3.12
    ("native", "2.0", "cp312-cp312-manylinux_2_17_x86_64", [], ""),
    ("helper", "1.0", "py3-none-any", ["base>=1", "sub[fast]", "cyclic"], ""),
    ("helper", "2.0", "py3-none-any", [], ">=3.13"),
    ("helper", "3.0rc1", "py3-none-any", [], ""),
    ("backport", "1.0", "py3-none-any", [], ""),
    ("base", "1.0", "py3-none-any", ["sub"], ""),
    ("base", "2.0", "py3-none-any", ["sub", "unwanted"], ""),
    ("unwanted", "1.0", "py3-none-any", [], ""),
    (
        "sub",
        "1.0",
        "py3-none-any",
        ["native", "quick; extra == 'fast'", "sub[all]; extra == 'fast'", "more; extra == 'all'"],
        "",
    ),
    ("quick", "1.0", "py3-none-any", ["base<2"], ""),  # contradicts base 2.0, two levels later
    ("more", "1.0", "py3-none-any", [], ""),
    ("cyclic", "1.0", "py3-none-any", ["helper>=1"], ""),
    ("windows", "1.0", "py3-none-win_amd64", [], ""),
    ("portable", "1.0", "py3-none-any", ["windows", "more"], ""),
    ("left", "1.0", "py3-none-any", ["native<2"], ""),
    ("right", "1.0", "py3-none-any", ["native>=2"], ""),
    ("lonely", "1.0", "py3-none-any", ["nowhere"], ""),
    ("odd", "1.0", "py3-none-any", ["native (>=1.*.*)"], ""),
]


@pytest.fixture
def world(shelf: Path) -> None:
    for each in WORLD:
        wheel(shelf, *each)


def _closure(names: str, store: Store, target: Target = PY312, without: set[str] | None = None) -> dict[str, str]:
    members = closure([Requirement(name) for name in names.split()], target, store, without or set())
    return {member.name: "-" if isinstance(member.outcome, NotInstallable) else member.outcome.version for member in members}


@pytest.mark.usefixtures("world")
def test_a_closure(store: Store) -> None:
    members = closure([Requirement("app")], PY312, store)
    assert [(member.name, member.outcome.version, member.required_by) for member in members] == [
        ("app", "1.0", ("",)),
        ("native", "1.0", ("app", "sub")),
        ("helper", "1.0", ("app", "cyclic")),
        ("base", "1.0", ("helper", "quick")),
        ("sub", "1.0", ("helper", "base", "sub")),
        ("cyclic", "1.0", ("helper",)),
        ("quick", "1.0", ("sub",)),
        ("more", "1.0", ("sub",)),
    ]
    assert {member.name: member.requirement for member in members}["base"] == "base<2,>=1"


@pytest.mark.usefixtures("world")
def test_markers_are_those_of_the_target(store: Store) -> None:
    old = Target((3, 11), "x86_64", Libc("musl", (1, 2, 5)))
    found = _closure("app", store, old, without={"helper"})
    assert found == {"app": "1.0", "native": "-", "backport": "1.0"}


@pytest.mark.usefixtures("world")
def test_what_the_host_has_is_left_out(store: Store) -> None:
    assert _closure("app", store, without={"helper", "native"}) == {"app": "1.0"}


@pytest.mark.usefixtures("world")
def test_one_without_a_wheel_is_a_member(store: Store) -> None:
    assert _closure("portable", store) == {"portable": "1.0", "windows": "-", "more": "1.0"}


@pytest.mark.usefixtures("world")
def test_a_contradiction(store: Store) -> None:
    with pytest.raises(TargetError) as raised:
        _closure("left right", store)
    assert "no release meets all that is asked (<2 by left, >=2 by right)" in str(raised.value)


@pytest.mark.usefixtures("world")
def test_a_dependency_that_is_not_there(store: Store) -> None:
    with pytest.raises(TargetError, match=r"nowhere: the package index has no such project.*\(asked for by lonely\)"):
        _closure("lonely", store)


@pytest.mark.usefixtures("world")
def test_a_line_that_cannot_be_read(store: Store) -> None:
    # From 24.1 on, pip itself passes over such a release.
    with pytest.raises(AbicheckError, match=r"odd 1.0: its Requires-Dist line 'native .*cannot be read|odd: pip takes none"):
        _closure("odd", store)


@pytest.mark.usefixtures("world")
def test_a_line_of_the_user_that_does_not_apply(store: Store) -> None:
    assert closure([Requirement("app; sys_platform == 'win32'")], PY312, store) == ()
