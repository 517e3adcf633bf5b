from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from abicheck.judge.loader import start
from abicheck.read.hosts import open_host

if TYPE_CHECKING:
    import pytest


def test_a_simulated_start_maps_what_a_fresh_interpreter_maps(monkeypatch: pytest.MonkeyPatch, mapped_files: list[str]) -> None:
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD"):
        monkeypatch.delenv(name, raising=False)
    host = open_host("local")
    link_map, process = start(host, sys.executable)
    assert link_map.predicted is None
    # What the interpreter itself opens while it initialises is no part of its start.
    mapped = {os.path.realpath(each) for each in mapped_files if "/lib-dynload/" not in each}
    assert {os.path.realpath(item.path or sys.executable) for item in process.objects} == mapped
