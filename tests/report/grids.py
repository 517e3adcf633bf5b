"""Reports as large as the compatibility table of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.report import (
    Artifact,
    Finding,
    HostSummary,
    PythonSummary,
    Remedy,
    Report,
    Result,
    RootResult,
    Tool,
    Window,
)
from tests.report.conftest import DEPENDS, FAILS, LOADS, NOT_INSTALLABLE, REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.report import Verdict


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
        gpu=(),
    )


#: What the built-in hosts are, in short: their names by their glibc.
_HOSTS = {
    "2.17": "rhel:7",
    "2.26": "amazonlinux:2 lambda:python3.11",
    "2.27": "ubuntu:18.04",
    "2.28": "debian:10 rhel:8 rocky:8 almalinux:8",
    "2.31": "debian:11 ubuntu:20.04 opensuse:15.5",
    "2.34": "rhel:9 rocky:9 almalinux:9 centos:stream9 amazonlinux:2023 lambda:python3.12",
    "2.35": "ubuntu:22.04 colab",
    "2.36": "debian:12 python:3.12-slim-bookworm",
    "2.38": "opensuse:15.6",
    "2.39": "ubuntu:24.04 rhel:10 rocky:10 almalinux:10 cuda:ubuntu24.04",
    "2.40": "ubuntu:24.10 fedora:41 opensuse:16.0",
    "2.41": "debian:13 ubuntu:25.04 fedora:42 python:3.12-slim",
    "2.42": "ubuntu:25.10 fedora:43",
    "2.43": "debian:14 ubuntu:26.04 fedora:44",
    "2.44": "arch",
}
_CONTAINERS = {number: f"glibc-{number}" for number in ("2.31", "2.36", "2.41", "2.43", "2.44")}
_MUSL = {"1.2.5": "musl-1.2.5"}


class _Release(NamedTuple):
    """Versions with what sets them apart: Pythons, lowest glibc, an executable stack or none, majors of the GPU's libraries."""

    versions: str
    pythons: tuple[int, int]
    lowest: str
    stack: bool
    gpu: tuple[str, ...]


_RELEASES = (
    _Release("3.22.0 3.23.0 3.24.0", (8, 11), "2.17", True, ("CUDA 11", "cuDNN 8")),  # noqa: FBT003
    _Release("4.0.0 4.1.0 4.2.1 4.3.1 4.4.0", (8, 12), "2.17", True, ("CUDA 12", "cuDNN 8")),  # noqa: FBT003
    _Release("4.5.0", (8, 12), "2.17", True, ("CUDA 12", "cuDNN 9")),  # noqa: FBT003
    _Release("4.6.0 4.6.1 4.6.2", (9, 13), "2.17", False, ("CUDA 12", "cuDNN 9")),  # noqa: FBT003
    _Release("4.6.3 4.7.0 4.7.1 4.7.2 4.8.0 4.8.1 4.8.4 4.8.5", (9, 14), "2.27", False, ("CUDA 12",)),  # noqa: FBT003
)


def compatibility() -> Report:
    """The table of ctranslate2: 20 versions for 7 Pythons on 40 hosts, and what was tried in containers."""
    results = [
        _judged(release, version, python, host)
        for release in _RELEASES
        for version in release.versions.split()
        for python in range(8, 15)
        for host in _summaries(_HOSTS)
    ]
    return Report(Tool("abicheck", "0.1.0"), (*results, *containers().results), seconds=4.2)


def containers() -> Report:
    """A matrix: versions beside faster-whisper in containers, two of them with the stack's mark cleared where that helps."""
    hosts = (*_summaries(_CONTAINERS), *(host._replace(libc="musl", arch="x86_64") for host in _summaries(_MUSL)))
    results = [
        _judged(release, version, 9, host)._replace(variant=beside)
        for beside in ("with faster-whisper==1.0.3", "with faster-whisper==1.2.1")
        for release in _RELEASES[1:]
        for version in release.versions.split()[-2:]
        for host in hosts
    ]
    results += [
        _judged(_RELEASES[2]._replace(stack=False), version, 9, host)._replace(
            variant="with faster-whisper==1.2.1, clear-exec-stack"
        )
        for version in ("4.4.0", "4.5.0")
        for host in hosts[2:5]
    ]
    cells = tuple(each._replace(cell=f"{each.host.name}/{each.artifact.version}/{each.variant}") for each in results)
    return Report(Tool("abicheck", "0.1.0"), cells, seconds=1.5)


def _summaries(names: Mapping[str, str]) -> tuple[HostSummary, ...]:
    return tuple(
        HostSummary(name, "distribution", "x86_64", "glibc", libc) for libc, each in names.items() for name in each.split()
    )


def _judged(release: _Release, version: str, python: int, host: HostSummary) -> Result:
    """What would come of it: no wheel, refused for its stack, or loaded with or without a GPU."""
    of_python = PythonSummary(f"3.{python}", f"cp3{python}", None)
    lowest, highest = release.pythons
    if host.libc == "musl" or _minor(host) < int(release.lowest[2:]) or not lowest <= python <= highest:
        return _without_wheel(version, of_python, host, highest)
    refused = release.stack and _minor(host) > 40
    text = f"libctranslate2-{version.replace('.', '')}d363.so.{version}: {REFUSED.partition(': ')[2]}"
    base = FAILS if refused else LOADS
    findings = [each._replace(evidence=()) for each in FAILS.findings[:1]] if refused else []
    findings += [_ENABLED] if release.stack and not refused else []
    findings += [FAILS.findings[2]] if "cuDNN 8" in release.gpu else []
    cuda: Verdict = "loads" if host.name.startswith("cuda:") and len(release.gpu) == 1 else "fails"
    return base._replace(
        artifact=Artifact("ctranslate2", f"ctranslate2=={version}", "wheel", version, arch="x86_64"),
        host=host,
        python=of_python,
        predicted=text if refused else None,
        roots=(RootResult("ctranslate2/_ext.so", "extension", base.verdict, text if refused else None),),
        window=Window(release.lowest, "2.40" if release.stack else None, "2.44"),
        capabilities=(("cpu", "fails"),) if refused else (("cpu", "loads"), ("cuda", cuda)),
        findings=tuple(findings),
        unjudged=(),
        gpu=release.gpu,
    )


def _without_wheel(version: str, python: PythonSummary, host: HostSummary, highest: int) -> Result:
    finding = NOT_INSTALLABLE.findings[0]
    where = f"{host.arch} with {host.libc} {host.libc_version}"
    message = f"There is no wheel of ctranslate2 {version} for Python {python.version} on {where}."
    remedy = finding.remedies[0]._replace(text=f"use Python 3.{highest}", command=f"uv venv --python 3.{highest}")
    return NOT_INSTALLABLE._replace(
        artifact=Artifact("ctranslate2", f"ctranslate2=={version}", "requirement", version),
        host=host,
        python=python,
        predicted=f"ERROR: No matching distribution found for ctranslate2=={version}",
        findings=(finding._replace(message=message, remedies=(remedy,)),),
    )


def _minor(host: HostSummary) -> int:
    return int((host.libc_version or "").split(".")[1])


_ENABLED = Finding(
    "exec-stack-enabled",
    "warning",
    "certain",
    "ctranslate2.libs/libctranslate2.so",
    "It loads here, but makes every stack of the process executable (PT_GNU_STACK).",
    remedies=(Remedy("upgrade", "ctranslate2 4.6.0 or newer asks for none", "pip install 'ctranslate2>=4.6.0'"),),
)
