"""What layers make together: whiteouts, links, hard links; and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.errors import HostError
from abicheck.read.files import FactStore, Root
from abicheck.read.images import open_image
from abicheck.read.images.layers import MAX_DEPTH
from tests.imagewriter import layer, member, oci, saved

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imagewriter import Member


def root(tmp_path: Path, *layers: bytes) -> Root:
    return Root(open_image(str(oci(*layers).tar(tmp_path / "image.tar"))).files, FactStore())


LOWER = layer(member("a"), member("a/one", b"1"), member("a/two", b"2"), member("lib", link="usr/lib"), member("usr/lib"))


@pytest.mark.parametrize(
    ("upper", "names"),
    [
        (layer(member("a/.wh.one", b"")), ["two"]),
        (layer(member("a/.wh..wh..opq", b""), member("a/three", b"3")), ["three"]),
        # An opaque directory hides what is below it, wherever it stands in its layer.
        (layer(member("a/three", b"3"), member("a/.wh..wh..opq", b"")), ["three"]),
        (layer(member(".wh.a", b"")), []),
        (layer(member(".wh.a", b""), member("a/one", b"new")), ["one"]),
        (layer(member("a/one"), member("a/one/x", b"x")), ["one", "two"]),
        (layer(member("a", b"a file now")), []),
        (layer(member("a/.wh.absent", b""), member(".wh..wh.plnk"), member(".wh..wh.plnk/x", b"x")), ["one", "two"]),
    ],
)
def test_whiteouts(upper: bytes, names: list[str], tmp_path: Path) -> None:
    found = root(tmp_path, LOWER, upper)
    assert sorted(found.names("/a")) == names
    assert not [name for name in found.names("/") if name.startswith(".wh.")]


def test_the_last_layer_counts(tmp_path: Path) -> None:
    found = root(tmp_path, LOWER, layer(member("a/.wh.one", b"")), layer(member("./a/one", b"again")))
    assert found.read("/a/one") == b"again"


def test_links_stay_inside(tmp_path: Path) -> None:
    top = [member("abs", link="/a/one"), member("up", link="../../../../a/one"), member("out", link="/etc/hostname")]
    found = root(tmp_path, LOWER, layer(*top, member("/from/the/root", b"r")))
    assert found.read("/abs") == found.read("/up") == b"1"
    assert found.read("/out") is None
    assert found.read("/from/the/root") == b"r"


def test_a_link_of_the_same_layer_is_followed_and_one_below_is_covered(tmp_path: Path) -> None:
    within = layer(member("lib", link="usr/lib"), member("usr/lib"), member("lib/x", b"x"))
    assert root(tmp_path, within).read("/usr/lib/x") == b"x"
    above = root(tmp_path, LOWER, layer(member("lib/x", b"x")))
    assert (above.read("/lib/x"), above.read("/usr/lib/x")) == (b"x", None)


def test_a_member_behind_a_link_that_leaves_stays_inside(tmp_path: Path) -> None:
    found = root(
        tmp_path, layer(member("d/out", link="../../.."), member("d/out/etc/x", b"x"), member("e", link="/"), member("e/y", b"y"))
    )
    assert (found.read("/etc/x"), found.read("/y")) == (b"x", b"y")


def test_hard_links_are_one_file(tmp_path: Path) -> None:
    found = root(tmp_path, LOWER, layer(member("b", b"b"), member("c", hard="b"), member("d", hard="/a/one")))
    assert found.stat("/b") == found.stat("/c") != found.stat("/d") == found.stat("/a/one")
    assert found.read("/c") == b"b"


def test_two_images_of_one_content_have_the_same_files_and_others_have_not(tmp_path: Path) -> None:
    first, second = (open_image(str(each(LOWER).tar(tmp_path / each.__name__))).files for each in (oci, saved))
    other = open_image(str(oci(LOWER, layer(member("x", b"x"))).tar(tmp_path / "other"))).files
    assert first.lstat("/a/one") == second.lstat("/a/one") != other.lstat("/a/one")


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ([member("../x", b"")], "layer 2: the name '../x' leads out of the image"),
        ([member("a/../../x", b"")], "leads out of the image"),
        ([member("../.wh.x", b"")], "leads out of the image"),
        ([member("a/.wh...", b"")], "leads out of the image"),
        ([member("a/.wh..", b"")], "leads out of the image"),
        ([member(".wh.", b"")], "leads out of the image"),
        ([member("x", hard="nothing")], "a hard link to 'nothing', which is not there"),
        ([member("x", hard="../../etc/hostname")], "which is not there"),
        ([member("x", link="y"), member("y", link="x"), member("x/z", b"")], "lead in circles"),
        ([member("/".join("d" * (MAX_DEPTH + 1)), b"")], f"more than {MAX_DEPTH} directories"),
    ],
)
def test_refused(members: list[Member], text: str, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="layer 2") as refused:
        root(tmp_path, LOWER, layer(*members))
    assert text in refused.value.message
    assert "\n" not in refused.value.message
