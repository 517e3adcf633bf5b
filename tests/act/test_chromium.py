"""What is served to a browser, and what is made of one that does not do its part; a script stands for the browser."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.act.confirm.chromium import open_page, version_of
from abicheck.act.confirm.runtimes import Chromium, instantiate
from abicheck.errors import HostError
from abicheck.model.wasm import Module

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it confirms on Linux")
FILES = {"/": ("text/html", b"<p>page"), "/module": ("application/wasm", b"\0asm")}
#: Fetches what a page would, and posts what it got.
VISIT = """
url = sys.argv[-1]
got = [urllib.request.urlopen(url + path) for path in ("", "module")]
told = [[each.headers.get(name) for name in ("Content-Type", "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy")]
        + [each.read().decode()] for each in got]
urllib.request.urlopen(url + "told", json.dumps(told).encode())
time.sleep(60)
"""


def _browser(directory: Path, code: str) -> str:
    program = directory / "browser"
    program.write_text(f"#!{sys.executable} -I\nimport json, sys, time, urllib.request\n{code}", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("isolated", [False, True])
def test_pages_come_with_the_headers_of_isolation_or_without(tmp_path: Path, *, isolated: bool) -> None:
    ended = open_page(_browser(tmp_path, VISIT), FILES.get, 30, isolated=isolated)
    headers = '"same-origin", "require-corp"' if isolated else "null, null"
    assert ended.status == 0
    assert ended.stdout == f'[["text/html", {headers}, "<p>page"], ["application/wasm", {headers}, "\\u0000asm"]]'
    assert ended.seconds < 30, "it is over when the page has told"


def test_a_page_that_never_tells(tmp_path: Path) -> None:
    program = _browser(tmp_path, "urllib.request.urlopen(sys.argv[-1])\ntime.sleep(60)")
    observed = instantiate(Chromium(program, isolated=False), b"", Module(0), 0.5)
    assert (observed.verdict, observed.text) == ("fails", "no end after 0.5 s")


@pytest.mark.parametrize(("code", "said"), [("sys.exit('no display')", "no display"), ("", "it said nothing")])
def test_a_browser_that_does_not_come_up(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(HostError, match=f"it does not open a page: {said}; see whether "):
        open_page(_browser(tmp_path, code), FILES.get, 5, isolated=False)


def test_versions(tmp_path: Path) -> None:
    assert version_of(_browser(tmp_path, "print('Chromium 156.0.8078.79 built on Debian 12')")) == "156"
    for code in ("print('hello')", "sys.exit(1)"):
        with pytest.raises(HostError, match="it does not tell its version"):
            version_of(_browser(tmp_path, code))
    with pytest.raises(HostError, match="it does not tell its version"):
        version_of(str(tmp_path / "gone"))
