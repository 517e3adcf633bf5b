from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from abicheck.errors import PackageIndexError, TargetError, UnreachableIndexError
from abicheck.model.host import Libc
from abicheck.model.index import Offer, Target
from abicheck.read.index import client
from abicheck.read.index.fetch import fetch
from abicheck.read.index.simple import fits, matching, offers, wheel_pythons
from abicheck.read.index.store import Store
from tests.read.index.world import GLIBC, JSON, PY312, Index, wheel

if TYPE_CHECKING:
    from pathlib import Path


def _offered(*names: str, yanked: str | None = None) -> list[Offer]:
    return [Offer(f"demo-{name}.tar.gz", name, yanked=yanked) for name in names]


@pytest.mark.parametrize(
    ("specifier", "offered", "expected"),
    [
        ("", _offered("2.0rc1", "1.0"), ["1.0"]),
        ("", _offered("2.0rc1", "2.0b1"), ["2.0rc1", "2.0b1"]),
        (">=2.0b1", _offered("2.0rc1", "1.0"), ["2.0rc1"]),
        ("", [*_offered("2.0", yanked="broken"), *_offered("1.0")], ["1.0"]),
        ("==2.0", [*_offered("2.0", yanked="broken"), *_offered("1.0")], ["2.0"]),
        ("==2.*", _offered("2.0", yanked="broken"), []),
        ("<2,>=1.5", _offered("2.0", "1.7", "1.5", "1.0"), ["1.7", "1.5"]),
    ],
)
def test_matching(specifier: str, offered: list[Offer], expected: list[str]) -> None:
    assert [offer.version for offer in matching(SpecifierSet(specifier), offered)] == expected


@pytest.mark.parametrize(
    ("tag", "requires_python", "expected"),
    [
        ("cp312-cp312-manylinux_2_28_x86_64", None, True),
        ("cp312-cp312-manylinux_2_29_x86_64", None, False),
        ("cp38-abi3-manylinux2014_x86_64", ">=3.8.1", True),
        ("cp313-cp313-manylinux_2_17_x86_64", None, False),
        ("cp312-cp312-musllinux_1_2_x86_64", None, False),
        ("py3-none-any", "<3.12", False),
        ("py3-none-any", "of this century", True),
    ],
)
def test_fits(tag: str, requires_python: str | None, expected: bool) -> None:  # noqa: FBT001 -- a table
    assert fits(Offer("demo-1.whl", "1", (tag,), requires_python), PY312) is expected


@pytest.mark.parametrize("served_as", [JSON, "text/html"])
def test_what_an_index_offers(served_as: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(served_as=served_as)
    index.add("demo-thing", wheel(tmp_path, "demo_thing", "1.0", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"))
    index.add("demo-thing", wheel(tmp_path, "demo_thing", "1.0", "cp312-cp312-manylinux_2_34_x86_64"))
    index.add("demo-thing", wheel(tmp_path, "demo_thing", "1.1", "cp313-cp313-macosx_11_0_arm64"), yanked="broken on arm")
    (tmp_path / "demo-thing-2.0.tar.gz").write_bytes(b"an sdist")
    index.add("demo-thing", tmp_path / "demo-thing-2.0.tar.gz", **{"requires-python": ">=3.9"})
    (tmp_path / "demo_thing-2.0-py3.9.egg").write_bytes(b"an egg")
    index.add("demo-thing", tmp_path / "demo_thing-2.0-py3.9.egg")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.place}/simple")
    with index.served():
        found = offers("Demo_Thing", store)
        newest = wheel_pythons(Requirement("demo-thing"), "x86_64", GLIBC, store)
        newest_there = wheel_pythons(Requirement("demo-thing"), "x86_64", Libc("glibc", (2, 36)), store)
        nowhere = wheel_pythons(Requirement("demo-thing>=1.1"), "x86_64", GLIBC, store)
    told = [(offer.filename, offer.version, offer.tags, offer.requires_python, offer.yanked) for offer in found]
    assert told == [
        ("demo-thing-2.0.tar.gz", "2.0", (), ">=3.9", None),
        ("demo_thing-1.1-cp313-cp313-macosx_11_0_arm64.whl", "1.1", ("cp313-cp313-macosx_11_0_arm64",), None, "broken on arm"),
        ("demo_thing-1.0-cp312-cp312-manylinux_2_34_x86_64.whl", "1.0", ("cp312-cp312-manylinux_2_34_x86_64",), None, None),
        (
            "demo_thing-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "1.0",
            ("cp311-cp311-manylinux2014_x86_64", "cp311-cp311-manylinux_2_17_x86_64"),
            None,
            None,
        ),
    ]
    assert all(offer.sha256 for offer in found)
    assert (newest, newest_there, nowhere) == (((3, 11),), ((3, 12), (3, 11)), ())
    assert len([path for path in index.asked if path.startswith("/simple")]) == 1


def test_a_directory_of_wheels_of_many_projects(shelf: Path, store: Store) -> None:
    wheel(shelf, "demo", "1.0")
    wheel(shelf, "demo_more", "2.0")
    assert [(offer.filename, offer.tags) for offer in offers("demo", store)] == [("demo-1.0-py3-none-any.whl", ("py3-none-any",))]
    with pytest.raises(TargetError, match="no such project"):
        offers("dem0", store)


@pytest.mark.parametrize(("status", "told"), [(401, "refuses access"), (403, "refuses access"), (500, "does not answer")])
def test_an_index_that_gives_nothing(status: int, told: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index(status=status).served() as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@{index.place}/simple")
        with pytest.raises(PackageIndexError, match=told) as raised:
            offers("demo", store)
    assert str(status) in str(raised.value)
    assert "secret" not in str(raised.value)


def test_an_index_that_is_not_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index().served() as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@{index.place}/simple")
    with pytest.raises(PackageIndexError, match="check the network") as raised:
        offers("demo", store)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
    # Nobody asks a second time, and what was answered before is as good as ever.
    monkeypatch.setattr(client, "_run", lambda _: pytest.fail("asked again"))
    with pytest.raises(UnreachableIndexError, match="check the network"):
        offers("other", store)
    store.remember(
        "known", "files", [{"filename": "known-1.0-py3-none-any.whl", "requires_python": None, "yanked": None, "sha256": None}]
    )
    assert [offer.version for offer in offers("known", store)] == ["1.0"]


def test_credentials_of_the_user(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(login="me:secret")
    index.add("demo", wheel(tmp_path, "demo", "1.0"))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.place}/simple")
    with index.served():
        assert [offer.version for offer in offers("demo", store)] == ["1.0"]


def test_a_release_may_lie_where_access_is_refused(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index()
    index.add("demo", wheel(tmp_path, "demo", "1.0"))
    with index.served(), Index(status=403).served() as other:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://{other.place}/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://{index.place}/simple")
        with pytest.raises(TargetError) as raised:
            fetch(Requirement("demo==2.0"), PY312, store)
    assert "(the newest is 1.0), but a package index refuses access (403 Client Error: " in raised.value.message


def test_an_index_that_says_403_for_what_it_lacks(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index()
    index.add("demo", wheel(tmp_path, "demo", "1.0"))
    with index.served(), Index(status=403).served() as other:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.place}/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://{other.place}/simple")
        assert [offer.version for offer in offers("demo", store)] == ["1.0"]


def test_without_pip(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageIndexError, match="no pip"):
        offers("demo", store)


def test_a_free_threaded_target_needs_its_own_wheel() -> None:
    offer = Offer("demo-1.whl", "1", ("cp313-cp313-manylinux_2_17_x86_64",))
    assert fits(offer, Target((3, 13), "x86_64", GLIBC))
    assert not fits(offer, Target((3, 13), "x86_64", GLIBC, free_threaded=True))


def test_an_answer_counts_as_long_as_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    Store(str(tmp_path)).remember("demo", "files", ["answer"])
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert Store(str(tmp_path)).recall("demo", "files", list) is None
    assert Store(str(tmp_path), fresh=86_400).recall("demo", "files", list) == ["answer"]
