"""The truth of imports: its own logic, without a root and without the network."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from abicheck.model.report import Artifact, Finding, HostSummary, PythonSummary, Result, RootResult
from tests.truth import imports
from tests.truth.imports import DRIVER, Environment, InstallError, Observed, compare, install, read_list, understand

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.report import Verdict

TEXT = "libgone.so: cannot open shared object file: No such file or directory"
SILENT = Finding("extension-silently-missing", "warning", "possible", "needed/ext.so", "")


def result(name: str, text: str | None, verdict: Verdict | None = None, *findings: Finding) -> Result:
    verdict = verdict or ("loads" if text is None else "fails")
    root = RootResult(f"/x/env/{name}/ext.so", "extension", verdict, text)
    host, python = HostSummary("h", "rootfs", "x86_64", "glibc", "2.31"), PythonSummary("3.9", "cp39", None)
    return Result(Artifact(name, name), host, python, verdict, text, roots=(root,), findings=findings)


@pytest.mark.parametrize(
    ("own", "needed", "opened", "error", "verdict", "differences"),
    [
        (None, result("needed", None), [("own", None)], None, "loads", 0),
        (TEXT, result("needed", None), [("own", TEXT)], f"ImportError: {TEXT}", "fails", 0),
        # What it requires counts where the import opened it, and not otherwise.
        (None, result("needed", TEXT), [("needed", TEXT)], "ImportError: as said", "fails", 0),
        (None, result("needed", TEXT), [("own", None)], None, "loads", 0),
        # Failures that the Python code swallows.
        (None, result("needed", TEXT, "fails", SILENT), [("needed", TEXT), ("own", None)], None, "loads", 0),
        (None, result("needed", TEXT), [("needed", TEXT), ("own", None)], None, "fails", 1),
        # Wrong verdicts and texts, of the extension and of the import.
        (TEXT, result("needed", None), [("own", None)], None, "fails", 2),
        (None, result("needed", None), [("own", TEXT)], f"ImportError: {TEXT}", "loads", 2),
        (TEXT, result("needed", None), [("own", "other")], "ImportError: other", "fails", 2),
        (TEXT, result("needed", None), [], "ImportError: no extension", "fails", 1),
        (None, result("needed", TEXT, "depends"), [("needed", TEXT)], "ImportError: as said", "depends", 1),
        (None, result("needed", None), [("strange", None)], None, "loads", 1),
    ],
)
def test_what_counts_as_equal(
    own: str | None, needed: Result, opened: list[tuple[str, str | None]], error: str | None, verdict: str, differences: int
) -> None:
    paths = [(f"/x/env/{name}/ext.so", text) for name, text in opened]
    observed = Observed((*paths, ("/usr/lib/python3.9/lib-dynload/_ssl.so", None)), error)
    found = compare("own", observed, {"own": result("own", own), "needed": needed}, "/x/env")
    assert (found[0], len(found[1])) == (verdict, differences)


@pytest.mark.skipif(sys.platform != "linux", reason="the texts are those of glibc")
def test_the_driver_tells_of_extensions_and_imports(tmp_path: Path) -> None:
    (tmp_path / f"short{EXTENSION_SUFFIXES[0]}").write_bytes(b"\x7fELF")
    (tmp_path / "tolerant.py").write_text("try:\n    import short\nexcept ImportError:\n    print('without')\n", "utf-8")
    (tmp_path / "strict.py").write_text(
        "try:\n    import short\nexcept ImportError as error:\n    raise OSError('no')\n", "utf-8"
    )
    (tmp_path / "dying.py").write_text("import os\nos.abort()\n", "utf-8")
    lines = "".join(f"{tmp_path}\t{modules}\n" for modules in ("tolerant\tjson", "strict\tjson", "dying"))
    run = subprocess.run([sys.executable, "-I", "-S", "-c", DRIVER], input=lines, capture_output=True, text=True, check=True)
    tolerant, strict, dying = map(understand, run.stdout.splitlines())
    path = str(tmp_path / f"short{EXTENSION_SUFFIXES[0]}")
    text = f"{path}: file too short"
    assert (path, text) in tolerant.opened
    assert tolerant.error is None
    assert strict == Observed(((path, text),), f"OSError: no <- ImportError: {text}")
    assert dying.error is not None
    assert dying.error.startswith("signal: SIGABRT")


def test_a_failed_installation_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: slow\nERROR: No matching distribution found for none==1\n")
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path))
    monkeypatch.setattr("tests.truth.imports.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(InstallError, match="'demo': ERROR: No matching distribution found for none==1"):
        install(Environment("demo", ("none==1",), {}))
    assert not list(imports.place().iterdir())


def test_the_list_pins_all_that_is_imported() -> None:
    environments = read_list()
    for environment in environments:
        pinned = {Requirement(each).name: str(Requirement(each).specifier) for each in environment.requirements}
        assert all(each.startswith("==") for each in pinned.values())
        assert set(environment.imports) <= set(pinned)
    assert len({name for environment in environments for name in environment.imports}) >= 20
