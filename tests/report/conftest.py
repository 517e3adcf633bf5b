from __future__ import annotations

import pytest

from abicheck.model.host import Assumption
from abicheck.model.process import Binding, Missing
from abicheck.model.report import (
    Artifact,
    Failure,
    Finding,
    HostSummary,
    PythonSummary,
    Remedy,
    Report,
    Result,
    RootResult,
    Tool,
    TreeEntry,
    Window,
)

TRIXIE = HostSummary("rootfs:/srv/trixie", "rootfs", "x86_64", "glibc", "2.41")
PYTHON = PythonSummary("3.9", "cp39", "/usr/bin/python3.9")
REFUSED = "libctranslate2-d3638643.so.4.4.0: cannot enable executable stack as shared object requires: Invalid argument"
EXTENSION = "pkg/_ext.cpython-39-x86_64-linux-gnu.so"


def _result(path: str, verdict: str, predicted: str | None, kind: str = "extension", **more: object) -> Result:
    root = RootResult(f"/x/{path}", kind, verdict, predicted)  # type: ignore[arg-type]
    artifact = Artifact(path.rpartition("/")[2], path, sha256="0" * 64, arch="x86_64")
    return Result(artifact, TRIXIE, PYTHON, verdict, predicted, capabilities=(("cpu", verdict),), roots=(root,), **more)  # type: ignore[arg-type]


@pytest.fixture
def report() -> Report:
    """One of everything."""
    fails = _result(
        EXTENSION,
        "fails",
        REFUSED,
        findings=(
            Finding(
                rule="exec-stack-refused",
                severity="error",
                confidence="certain",
                object="libctranslate2-d3638643.so.4.4.0",
                message=REFUSED,
                evidence=("PT_GNU_STACK has the flags RWE",),
                remedies=(Remedy("upgrade", "ctranslate2 4.6.0 or newer loads here"),),
            ),
            Finding(
                rule="library-missing",
                severity="error",
                confidence="likely",
                object="libgomp.so.1",
                message="libgomp.so.1: cannot open shared object file: No such file or directory",
            ),
        ),
        window=Window("2.17", "2.40", "2.44"),
        assumptions=(Assumption("selinux", "off"),),
        objects=3,
    )
    loads = _result(
        "libfoo.so.1",
        "loads",
        None,
        kind="library",
        objects=2,
        references=3412,
        tree=(
            TreeEntry("/x/libfoo.so.1", "/x/libfoo.so.1", "path", None, None),
            TreeEntry("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", "loaded-name", None, "/x/libfoo.so.1"),
            TreeEntry(
                "libbar.so.2",
                "/usr/lib/libbar.so.2",
                "runpath",
                "/x/libfoo.so.1",
                "/x/libfoo.so.1",
                (("/lib/libbar.so.2", "No such file or directory"),),
            ),
            TreeEntry("libbaz.so.3", None, None, None, None),
        ),
        bindings=(
            Binding("/x/libfoo.so.1", "puts", "GLIBC_2.2.5", False, "/lib/libc.so.6", "GLIBC_2.2.5", ("", "/lib/libc.so.6")),  # noqa: FBT003
            Binding("/x/libfoo.so.1", "gone", None, True, None, None, ("",)),  # noqa: FBT003
        ),
    )
    depends = _result(
        "tool",
        "depends",
        None,
        kind="executable",
        missing_facts=(Missing("marker", "GLIBC_ABI_DT_RELR is not known of this host"),),
    )
    return Report(
        tool=Tool("abicheck", "0.1.0"),
        results=(fails, loads, _result("a.so", "loads", None), _result("b.so", "loads", None), depends),
        errors=(Failure("c.so", "no such file; give the path of a shared object"),),
        symbol="puts",
        seconds=0.234,
    )
