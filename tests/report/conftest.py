"""Reports built by hand, one of everything among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from abicheck.model.report import Verdict

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


LOCAL = HostSummary("local", "local", "x86_64", "glibc", "2.36")
PYTHON_312 = PythonSummary("3.12", "cp312", None)


def distribution(name: str, version: str, verdict: Verdict = "loads", predicted: str | None = None, **more: Any) -> Result:
    """An installed distribution with one extension, as it is judged on this machine if nothing else is said."""
    path = f"/site/{name}/_ext.so"
    made = Result(
        artifact=Artifact(name, name, "distribution", version, arch="x86_64"),
        host=LOCAL,
        python=PYTHON_312,
        verdict=verdict,
        predicted=predicted,
        prefix="/site",
        capabilities=(("cpu", verdict),),
        roots=(RootResult(path, "extension", verdict, predicted),),
        objects=4,
        references=3412,
    )
    return made._replace(**more)


def pure(name: str, version: str) -> Result:
    """A distribution without native code."""
    note = Finding("no-native-code", "note", "certain", name, "It holds no library, extension or program.")
    return distribution(name, version, roots=(), findings=(note,), objects=0, references=0)


FAILS = distribution(
    "ctranslate2",
    "4.4.0",
    "fails",
    REFUSED,
    host=TRIXIE,
    findings=(
        Finding(
            "exec-stack-refused",
            "error",
            "certain",
            "ctranslate2.libs/libctranslate2-d3638643.so.4.4.0",
            "It asks for an executable stack (PT_GNU_STACK), which dlopen refuses since glibc 2.41.",
            (REFUSED, "PT_GNU_STACK has the flags RWE"),
            (
                Remedy("upgrade", "ctranslate2 4.6.0 or newer loads here", "pip install 'ctranslate2>=4.6.0'"),
                Remedy("environment", "for one process", "GLIBC_TUNABLES=glibc.rtld.execstack=2"),
            ),
        ),
        Finding("duplicate-openmp", "note", "possible", "ctranslate2.libs/libgomp.so.1", "There are 2 OpenMP runtimes."),
        Finding("relative-rpath", "warning", "certain", "ctranslate2.libs/libcudnn.so.8", "Its search path is relative."),
    ),
    unjudged=(
        ("/site/ctranslate2/_ext.cpython-311-x86_64-linux-gnu.so", "an extension for Python 3.11"),
        ("/site/ctranslate2/_ext.cpython-310-x86_64-linux-gnu.so", "an extension for Python 3.10"),
        ("/site/ctranslate2/arm.so", "built for aarch64"),
        ("/site/ctranslate2.libs/libunused.so", "a library that no extension or program of the distribution loads"),
    ),
)
DEPENDS = distribution(
    "torchcodec",
    "0.8.1",
    "depends",
    "libtorch.so: cannot open shared object file: No such file or directory",
    missing_facts=(
        Missing("import-order", "torch first: it loads once that has been imported, and not before"),
        Missing("noexec-mounts", "where it lies could be mounted noexec (assumed: none)"),
    ),
)
NOT_INSTALLABLE = distribution(
    "ctranslate2",
    "4.4.0",
    "not-installable",
    "ERROR: No matching distribution found for ctranslate2==4.4.0",
    host=TRIXIE,
    roots=(),
    objects=0,
    references=0,
    findings=(
        Finding(
            "no-wheel",
            "error",
            "certain",
            "ctranslate2==4.4.0",
            "There is no wheel of ctranslate2 4.4.0 for Python 3.12. The newest Python that has one is 3.11.",
            remedies=(Remedy("python", "use Python 3.11", "uv venv --python 3.11"),),
        ),
    ),
)
LOADS = distribution("ctranslate2", "4.8.5", capabilities=(("cpu", "loads"), ("cuda", "fails")))
IGNORED = FAILS._replace(findings=FAILS.findings[1:], ignored=FAILS.findings[:1], unjudged=())
MANY = (
    pure("faster-whisper", "1.2.1"),
    FAILS,
    *(distribution(f"native-{number}", "1.0") for number in range(12)),
    *(pure(f"pure-{number}", "2.0") for number in range(9)),
    distribution("native-0", "1.0", host=TRIXIE),
    DEPENDS,
)

#: By the name of their golden files.
REPORTS: dict[str, Report] = {
    name: Report(Tool("abicheck", "0.1.0"), results, seconds=0.234)
    for name, results in {
        "loads": (LOADS,),
        "pure": (pure("tqdm", "4.70.1"),),
        "fails": (FAILS,),
        "depends": (DEPENDS,),
        "not-installable": (NOT_INSTALLABLE,),
        "ignored": (IGNORED,),
        "many": MANY,
    }.items()
}
