from __future__ import annotations

import pytest

from abicheck.model.artifact import GuardedImport, Preload
from abicheck.read.artifacts.sources import LIMIT, read_sources


def _read(code: str | bytes, inner: str = "pkg/sub/mod.py") -> tuple[list[str], list[str]]:
    """The names of what is preloaded and of what is imported under guard."""
    found = read_sources([("/lib/" + inner, inner, code if isinstance(code, bytes) else code.encode())])
    return [each.name for each in found.preloads], [each.module for each in found.guarded]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import ctypes\nctypes.CDLL('libx.so')", ["libx.so"]),
        ("import ctypes as c\nc.PyDLL('/opt/libx.so', mode=c.RTLD_GLOBAL)", ["libx.so"]),
        ("from ctypes import CDLL as Open\nOpen(name='libx.so')", ["libx.so"]),
        ("from ctypes import cdll\ncdll.LoadLibrary('libx.so.1')", ["libx.so.1"]),
        ("import ctypes\nctypes.cdll.LoadLibrary(path)", [""]),
        ("import ctypes, os\nctypes.CDLL(os.path.join(here, 'lib', 'libx.so'))", ["libx.so"]),
        ("import ctypes\nfrom pathlib import Path\nctypes.CDLL(str(Path(__file__).parent / 'libx.so'))", ["libx.so"]),
        ("import ctypes\nctypes.CDLL(f'{here}/libx.so')", ["libx.so"]),
        ("import ctypes\nctypes.CDLL(f'{here}/lib{name}.so')", [""]),
        ("import ctypes\nNAME = 'libx.so'\ndef load():\n    return ctypes.CDLL(NAME)", ["libx.so"]),
        ("import ctypes.util\nctypes.CDLL(ctypes.util.find_library('sndfile'))", ["libsndfile.so"]),
        ("import ctypes\nctypes.CDLL(None)", []),
        ("import ctypes\nctypes.CDLL('x.dll')\nctypes.WinDLL('y.dll')\nctypes.windll.LoadLibrary('z')", []),
        ("import cffi\nffi = cffi.FFI()\nffi.dlopen('libx.so')", ["libx.so"]),
        ("import sys, os\nold = sys.getdlopenflags()\nsys.setdlopenflags(old | os.RTLD_GLOBAL)\nsys.setdlopenflags(old)", [""]),
        ("# ctypes.CDLL('libx.so')", []),
    ],
)
def test_libraries_that_code_opens(code: str, names: list[str]) -> None:
    assert _read(code)[0] == names


OPEN = "ctypes.CDLL('libx.so')"


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        (f"if sys.platform == 'win32':\n    {OPEN}", False),
        (f"if sys.platform == 'win32':\n    pass\nelse:\n    {OPEN}", True),
        (f"if sys.platform == 'linux':\n    {OPEN}", True),
        (f"if sys.platform != 'linux':\n    {OPEN}", False),
        (f"if sys.platform.startswith('win'):\n    {OPEN}", False),
        (f"if sys.platform.startswith(('win', 'cygwin')):\n    {OPEN}", False),
        (f"if sys.platform[:3] == 'win':\n    {OPEN}", False),
        (f"if sys.platform in ('win32', 'darwin'):\n    {OPEN}", False),
        (f"if platform.system() == 'Windows':\n    {OPEN}", False),
        (f"if platform.system().lower() == 'linux':\n    {OPEN}", True),
        (f"if os.name == 'nt':\n    {OPEN}", False),
        (f"if not os.name == 'posix':\n    {OPEN}", False),
        (f"if os.name == 'nt' and unknown():\n    {OPEN}", False),
        (f"if os.name == 'nt' or unknown():\n    {OPEN}", True),
        (f"if os.name == 'posix' or unknown():\n    pass\nelse:\n    {OPEN}", False),
        (f"WINDOWS = os.name == 'nt'\nif WINDOWS:\n    {OPEN}", False),
        (f"WINDOWS = WINDOWS\nif WINDOWS:\n    {OPEN}", True),
        (f"def load():\n    if os.name != 'nt':\n        return\n    {OPEN}", False),
        (f"def load():\n    if os.name == 'nt':\n        return\n    {OPEN}", True),
        (f"def load():\n    if os.name == 'nt':\n        return\n    else:\n        raise OSError\n    {OPEN}", False),
        (f"for name in names:\n    if sys.platform == 'linux':\n        continue\n    {OPEN}", False),
        (f"assert sys.platform == 'win32'\n{OPEN}", False),
        (f"if sys.platform == 'linux':\n    sys.exit()\n{OPEN}", False),
        (f"x = {OPEN} if os.name == 'nt' else None", False),
        (f"x = os.name == 'nt' and {OPEN}", False),
        (f"x = os.name == 'posix' and {OPEN}", True),
        (f"if __name__ == '__main__':\n    {OPEN}", False),
        (f"from sys import platform as where\nif where == 'win32':\n    {OPEN}", False),
        (f"try:\n    pass\nexcept OSError:\n    {OPEN}", True),
        (f"match x:\n    case 1:\n        {OPEN}", True),
        (f"if sys.platform > 3 or sys.platform[9]:\n    {OPEN}", True),
        (f"class Loader:\n    async def load(self):\n        with x:\n            {OPEN}", True),
    ],
)
def test_only_what_runs_on_linux_counts(code: str, counts: bool) -> None:  # noqa: FBT001 -- a table
    assert bool(_read("import ctypes, sys, os, platform\n" + code)[0]) is counts


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("try:\n    import a.b as c\nexcept ImportError:\n    pass", ["a.b"]),
        ("try:\n    import a\nexcept (ValueError, ModuleNotFoundError):\n    a = None", ["a"]),
        ("try:\n    import a\nexcept:\n    pass", ["a"]),
        ("try:\n    import a\nexcept Exception as e:\n    pass", ["a"]),
        ("try:\n    import a\nexcept ValueError:\n    pass", []),
        ("try:\n    import a\nfinally:\n    pass", []),
        ("try:\n    import a\nexcept ImportError:\n    raise RuntimeError", []),
        ("try:\n    import a\nexcept ImportError as e:\n    if 'execstack' not in str(e):\n        raise", []),
        ("try:\n    x = 1\nexcept ImportError:\n    import a", []),
        ("try:\n    pass\nexcept ImportError:\n    pass\nimport a", []),
        ("try:\n    def f():\n        import a\nexcept ImportError:\n    pass", []),
        ("from contextlib import suppress\nwith suppress(ImportError):\n    import a", ["a"]),
        ("import contextlib\nwith contextlib.suppress(ValueError):\n    import a", []),
        ("try:\n    from . import _ext\nexcept ImportError:\n    pass", ["pkg.sub._ext"]),
        ("try:\n    from .. import _ext\nexcept ImportError:\n    pass", ["pkg._ext"]),
        ("try:\n    from ._ext import run, stop\nexcept ImportError:\n    pass",
         ["pkg.sub._ext", "pkg.sub._ext.run", "pkg.sub._ext.stop"]),
        ("try:\n    from .... import x\nexcept ImportError:\n    pass", []),
        ("try:\n    from a import *\nexcept ImportError:\n    pass", ["a"]),
        ("import importlib\ntry:\n    x = importlib.import_module('._ext', __package__)\nexcept ImportError:\n    pass",
         ["pkg.sub._ext"]),
        ("import os\ntry:\n    if os.name == 'nt':\n        import a\n    import b\nexcept ImportError:\n    pass", ["b"]),
        ("try:\r\n\timport a\r\nexcept ImportError:\r\n\tpass\r\n", ["a"]),
    ],
)  # fmt: skip
def test_imports_whose_failure_is_swallowed(code: str, modules: list[str]) -> None:
    assert _read(code)[1] == modules


def test_in_a_package_itself_the_package_is_where_relative_imports_start() -> None:
    assert _read("try:\n    from . import _ext\nexcept ImportError:\n    pass", "pkg/__init__.py")[1] == ["pkg._ext"]
    assert _read("try:\n    from . import _ext\nexcept ImportError:\n    pass", "top.py")[1] == []


def test_places_are_told() -> None:
    code = b"import ctypes\nctypes.CDLL('libx.so')\ntry:\n    import a\nexcept ImportError:\n    pass\n"
    found = read_sources([("/lib/pkg/m.py", "pkg/m.py", code)])
    assert found.preloads == (Preload("libx.so", "/lib/pkg/m.py", 2),)
    assert found.guarded == (GuardedImport("a", "/lib/pkg/m.py", 4),)


@pytest.mark.parametrize(
    "code",
    [
        b"import ctypes\nctypes.CDLL('libx.so'",
        b"print 'CDLL'",
        b"\0CDLL",
        b"# coding: nonsense\nCDLL",
        b"# coding: utf-8\nCDLL = '\xff'",
        b"CDLL(" * 5000 + b")" * 5000,
        b"CDLL\n" + b"x = " + b"-" * 100_000 + b"1",
        b"import ctypes\nctypes.CDLL('libx.so')\n" + b"#" * LIMIT,
    ],
)
def test_what_is_no_python_does_nothing(code: bytes) -> None:
    assert _read(code) == ([], [])


def test_encodings_are_those_that_the_code_declares() -> None:
    assert _read("# coding: latin-1\nimport ctypes\nctypes.CDLL('libé.so')".encode("latin-1"))[0] == ["libé.so"]


def test_shipped_tests_do_not_count() -> None:
    assert _read("import ctypes\nctypes.CDLL('libx.so')", "pkg/tests/m.py") == ([], [])
