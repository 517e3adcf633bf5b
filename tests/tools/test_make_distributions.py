from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_distributions", TOOLS / "make_distributions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a script for maintainers, who have tomllib")
def test_the_list_is_as_it_would_be_made(script: ModuleType) -> None:
    assert script.main(["--check"]) == 0
