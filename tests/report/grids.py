"""A report as large as the compatibility table of a package: 20 versions for 5 Pythons on 40 hosts."""

from __future__ import annotations

from abicheck.model.report import HostSummary, PythonSummary, Report, Result, RootResult, Tool, Window
from tests.report.conftest import DEPENDS, FAILS, LOADS


def many_cells() -> Report:
    """4,000 results, most of them with a text that only few others have."""
    results = [_cell(version, python, host) for version in range(20) for python in range(9, 14) for host in range(40)]
    return Report(Tool("abicheck", "0.1.0"), tuple(results), seconds=4.2)


def _cell(version: int, python: int, host: int) -> Result:
    glibc = 28 + host % 17
    fails = glibc > 40 and version < 12
    base = FAILS if fails else DEPENDS if (version + host) % 11 == 0 else LOADS
    prefix = f"/usr/lib/python3.{python}/{'dist' if host % 2 else 'site'}-packages"
    extension = f"{prefix}/ctranslate2/_ext.cpython-3{python}-x86_64-linux-gnu.so"
    findings = tuple(
        each._replace(message=f"{each.message} Seen with 4.{version}.0 for Python 3.{python} on glibc 2.{glibc}.")
        for each in base.findings
    )
    predicted = base.predicted and f"4.{version}.0: {base.predicted}"
    return base._replace(
        artifact=base.artifact._replace(name="ctranslate2", version=f"4.{version}.0"),
        host=HostSummary(f"distribution-{host // 4}:{host}", "distribution", "x86_64", "glibc", f"2.{glibc}"),
        python=PythonSummary(f"3.{python}", f"cp3{python}", None),
        prefix=prefix,
        roots=(RootResult(extension, "extension", base.verdict, predicted),),
        findings=findings,
        predicted=predicted,
        objects=version,
        window=Window("2.17", "2.40" if version < 12 else None, "2.44"),
    )
