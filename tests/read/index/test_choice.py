"""What is chosen from an index's list is what pip itself takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement

from abicheck.errors import PackageIndexError, TargetError
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Offer, Target, Wheel
from abicheck.read.index.choice import Chooser
from abicheck.read.index.fetch import fetch, fetch_all, fetched_before
from abicheck.read.index.simple import offers
from abicheck.read.index.store import Store
from tests.read.index.world import PY312, Index, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abicheck.model.index import Outcome

OLD = PY312._replace(libc=Libc("glibc", (2, 17)))
TARGETS = [
    PY312,
    OLD,
    PY312._replace(python=(3, 13), free_threaded=True),
]
#: What the index has, each with what it says of the file.
FILES: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "platform tags": [
        ("1.0", "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", {}),
        ("1.0", "cp312-cp312-manylinux_2_28_x86_64", {}),
        ("1.0", "cp312-cp312-manylinux_2_34_x86_64", {}),
        ("1.0", "cp39-abi3-manylinux_2_17_x86_64.musllinux_1_1_x86_64", {}),
        ("1.0", "cp313-cp313t-manylinux_2_17_x86_64", {}),
        ("1.0", "py3-none-manylinux_2_17_aarch64", {}),
    ],
    "the machine's own": [
        ("1.0", "cp312-cp312-linux_x86_64", {}),
        ("1.0", "cp312-cp312-manylinux_2_17_x86_64", {}),
        ("1.0", "cp313-cp313t-manylinux_2_17_x86_64", {}),
        ("1.0", "cp313-cp313t-linux_x86_64", {}),
    ],
    "build tags": [
        ("1.0", "py3-none-any", {}),
        ("1.0-2", "py3-none-any", {}),
        ("1.0-10", "py3-none-any", {}),
        ("1.0-10b", "py3-none-any", {}),
        ("1.0-10a", "py3-none-any", {}),
    ],
    "a tag before a build": [("1.0-9", "py3-none-any", {}), ("1.0", "cp312-cp312-manylinux_2_17_x86_64", {})],
    "requires-python": [
        ("1.0", "cp312-cp312-manylinux_2_17_x86_64", {"requires-python": "<3.12"}),
        ("1.0", "py3-none-any", {"requires-python": ">=3.10,<3.13"}),
        ("1.0", "py30-none-any", {"requires-python": "what?"}),
    ],
    "yanked, all of it": [("1.0", "py3-none-any", {"yanked": "broken"}), ("1.1", "py3-none-any", {})],
    "yanked, without a reason": [("1.0", "py3-none-any", {"yanked": True})],
    "yanked, the best": [
        ("1.0", "cp312-cp312-manylinux_2_28_x86_64", {"yanked": "broken"}),
        ("1.0", "py3-none-any", {}),
    ],
    "local versions": [
        ("1.0", "cp312-cp312-manylinux_2_28_x86_64", {}),
        ("1.0+cpu", "py3-none-any", {}),
    ],
}


def _project(case: str) -> str:
    return "".join(filter(str.isalpha, case))


def _fill(index: Index, directory: Path, case: str) -> None:
    name = _project(case)
    for number, (given, tag, attributes) in enumerate(FILES[case]):
        place = directory / f"{name}{number}"
        place.mkdir()
        version, _, build = given.partition("-")
        path = wheel(place, name, version, tag)
        if build:
            path = path.rename(place / f"{name}-{version}-{build}-{tag}.whl")
        index.add(name, path, **attributes)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that has all cases."""
    made = Index()
    for case in FILES:
        _fill(made, tmp_path, case)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{made.place}/simple")
    with made.served():
        yield made


def _named(outcome: Outcome) -> Outcome:
    """Without the place where it is kept."""
    return outcome._replace(path=os.path.basename(outcome.path)) if isinstance(outcome, Wheel) else outcome


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_what_pip_takes(target: Target, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [Requirement(f"{_project(case)}==1.0") for case in FILES]
    expected = fetch_all(asked, target, Store(str(tmp_path / "pip")))
    # A chooser that has all wheels at hand asks pip for none: so it is its own choice.
    store = Store(str(tmp_path / "cache"))
    _keep_all(store, index)
    monkeypatch.setattr("abicheck.read.index.choice.fetch", _no_pip)
    chooser = Chooser(store)
    chosen = [chooser.choose(each, target) for each in asked]
    assert dict(zip(FILES, map(_named, chosen), strict=True)) == dict(zip(FILES, map(_named, expected), strict=True))


def _no_pip(*_: object) -> Outcome:
    raise AssertionError("pip was asked")


def _keep_all(store: Store, index: Index) -> None:
    with store.workspace() as directory:
        for name, content in index.files.items():
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(content)
            store.keep(path)


def test_no_wheel_fits(shelf: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(shelf, "demo", "1.0", "cp312-cp312-manylinux_2_28_x86_64")
    wheel(shelf, "demo", "0.9", requires_python="<3")
    demo = Requirement("demo==1.0")
    expected = fetch(demo, OLD, store)
    monkeypatch.setattr("abicheck.read.index.choice.fetch", _no_pip)
    assert Chooser(store).choose(demo, OLD) == expected
    assert isinstance(expected, NotInstallable)
    with pytest.raises(TargetError, match=r"demo==2.0: no release meets this \(the newest is 1.0\)"):
        Chooser(store).choose(Requirement("demo==2.0"), OLD)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_that_are_as_good_the_one_that_pip_takes(
    order: int, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index()
    for tag in ("py3-none-any", "py2.py3-none-any")[::order]:
        index.add("demo", wheel(tmp_path, "demo", "1.0", tag))
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.place}/simple")
    _keep_all(store, index)
    with index.served():
        demo = Requirement("demo==1.0")
        chosen = Chooser(store).choose(demo, PY312)
    assert isinstance(chosen, Wheel)
    assert os.path.basename(chosen.path) == index.pages["demo"][-1]["filename"]


@pytest.mark.usefixtures("index")
def test_the_first_target_asks_pip_and_the_others_find_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Target] = []

    def count(requirement: Requirement, target: Target, store: Store) -> Outcome:
        asked.append(target)
        return fetch(requirement, target, store)

    monkeypatch.setattr("abicheck.read.index.choice.fetch", count)
    chooser = Chooser(store)
    found = [chooser.choose(Requirement("buildtags==1.0"), target) for target in TARGETS]
    assert chooser.choose(Requirement("buildtags==1.0"), PY312) is found[0]
    assert asked == TARGETS[:1]
    assert len(set(found)) == 1
    assert isinstance(found[0], Wheel)


def test_what_names_no_version_is_left_to_pip(shelf: Path, store: Store) -> None:
    wheel(shelf, "demo", "1.0")
    wheel(shelf, "demo", "1.1")
    chooser = Chooser(store)
    assert chooser.choose(Requirement("demo"), PY312).version == "1.1"
    assert chooser.choose(Requirement("demo<1.1"), PY312).version == "1.0"


@pytest.mark.usefixtures("index")
def test_offline(tmp_path: Path) -> None:
    """What some target took before is there for all of them; what none took is not."""
    tags = Requirement("platformtags==1.0")
    taken = Chooser(Store(str(tmp_path / "cache"))).choose(tags, OLD)
    offline = Store(str(tmp_path / "cache"), offline=True)
    chooser = Chooser(offline)
    assert chooser.choose(tags, OLD) == taken
    assert chooser.choose(tags, PY312._replace(libc=Libc("glibc", (2, 18)))) == taken
    absent = chooser.choose(tags, PY312._replace(python=(3, 8)))
    assert isinstance(absent, NotInstallable)
    assert absent.pythons == ((3, 14), (3, 13), (3, 12), (3, 11), (3, 10), (3, 9))
    with pytest.raises(PackageIndexError, match="without --offline"):
        chooser.choose(tags, PY312)
    with pytest.raises(TargetError, match=r"the newest is 1\.0"):
        chooser.choose(Requirement("platformtags==2"), PY312)
    with pytest.raises(PackageIndexError, match="without --offline"):
        chooser.choose(Requirement("buildtags==1.0"), PY312)


class TestFetchedBefore:
    @pytest.mark.usefixtures("index")
    def test_a_wheel_is_known_by_its_hash(self, tmp_path: Path, store: Store) -> None:
        (offer,) = (each for each in offers("yankedallofit", store) if each.version == "1.1")
        assert fetched_before(offer, store) is None
        taken = fetch(Requirement("yankedallofit"), PY312, store)
        assert isinstance(taken, Wheel)
        for each in (store, store, Store(str(tmp_path / "cache"), offline=True)):
            assert fetched_before(offer, each) == taken
        assert fetched_before(offer._replace(sha256=None), store) is None
        assert fetched_before(offer._replace(sha256="0" * 64), store) is None
        os.unlink(taken.path)
        assert fetched_before(offer, store) is None

    def test_a_damaged_one(self, store: Store) -> None:
        name = "demo-1.0-py3-none-any.whl"
        with store.workspace() as directory:
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(b"no wheel")
            _, sha256 = store.keep(path)
        with pytest.raises(PackageIndexError, match="damaged file"):
            fetched_before(Offer(name, "1.0", ("py3-none-any",), sha256=sha256), store)
