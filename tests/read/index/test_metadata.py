from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.errors import PackageIndexError
from abicheck.read.index import metadata
from abicheck.read.index.client import Answer
from abicheck.read.index.metadata import requires_dist
from abicheck.read.index.store import Store
from tests.read.index.world import PY312, wheel

if TYPE_CHECKING:
    from pathlib import Path

LINES = ("other<2", "more; extra == 'x'")


def _lines(found: tuple[str, ...]) -> set[str]:
    return {line.replace(" ", "").replace('"', "'") for line in found}


def test_what_a_release_requires_is_asked_once_for_good(shelf: Path, tmp_path: Path, store: Store) -> None:
    path = wheel(shelf, "demo", "1.0", requires=LINES)
    wheel(shelf, "demo", "2.0")
    found = requires_dist("demo", "1.0", PY312, store)
    assert _lines(found) == _lines(LINES)
    assert requires_dist("demo", "2.0", PY312, store) == ()
    path.unlink()
    offline = Store(str(tmp_path / "cache"), offline=True)
    assert requires_dist("demo", "1.0", PY312, offline) == found
    with pytest.raises(PackageIndexError, match="without --offline"):
        requires_dist("demo", "3.0", PY312, offline)


def test_a_pip_without_reports_fetches_the_wheel(shelf: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(shelf, "demo", "1.0", requires=LINES)
    monkeypatch.setattr(metadata, "ask", lambda _: Answer(2, "no such option: --report"))
    assert requires_dist("demo", "1.0", PY312, store) == LINES


def test_a_release_without_a_wheel_for_the_target(shelf: Path, store: Store) -> None:
    wheel(shelf, "demo", "1.0", "cp310-cp310-win_amd64")
    with pytest.raises(PackageIndexError, match="what it requires is not known"):
        requires_dist("demo", "1.0", PY312, store)
