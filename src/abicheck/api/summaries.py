"""What a report says of an artifact, a host and a Python: each in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.report import Artifact, HostSummary, PythonSummary

if TYPE_CHECKING:
    from abicheck.model.artifact import Distribution
    from abicheck.model.host import Host


def artifact_of(distribution: Distribution, arch: str) -> Artifact:
    """A distribution in a few words."""
    return Artifact(
        name=distribution.name,
        version=distribution.version,
        kind="wheel" if distribution.kind == "wheel" else "distribution",
        path=distribution.given,
        sha256=distribution.sha256,
        arch=arch if distribution.binaries else None,
        tags=distribution.tags,
    )


def summary_of(host: Host) -> HostSummary:
    """A host in a few words."""
    return HostSummary(host.name, host.kind, host.arch, host.libc.kind, ".".join(map(str, host.libc.version)))


def python_of(host: Host) -> PythonSummary:
    """The target Python in a few words."""
    python = host.python
    version = ".".join(map(str, python.version)) if python and python.version else None
    suffix = "t" if python and python.free_threaded else ""
    return PythonSummary(
        version=version,
        abi=f"cp{version.replace('.', '')}{suffix}" if version else None,
        path=python.path if python and python.at_hand else None,
    )
