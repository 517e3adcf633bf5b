"""What no installer would install: the result names what there is instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api.refusal import refusal
from abicheck.model.host import Interpreter
from abicheck.model.index import NotInstallable
from abicheck.read.hosts import open_host
from tests.judge.loader.machine import PROGRAM, host

if TYPE_CHECKING:
    from abicheck.model.report import Result

TEXT = "ERROR: No matching distribution found for demo==1.0"
FIRST = "There is no wheel of demo 1.0 for Python 3.13 on x86_64 with glibc 2.36."


def _refused(**more: object) -> Result:
    refused = NotInstallable("demo==1.0", TEXT, "1.0", **more)  # type: ignore[arg-type]
    return refusal("demo", refused, host({}, python=Interpreter(PROGRAM, (3, 13))), "/usr/lib/python3.13/site-packages")


@pytest.mark.parametrize(
    ("more", "message", "evidence", "commands"),
    [
        (
            {"pythons": ((3, 12), (3, 11)), "tags": ("cp312-cp312-x",), "sdist": True},
            f"{FIRST} The newest Python that has one is 3.12. There is one for 3.11, too.",
            (),
            ["uv venv --python 3.12", "pip install --upgrade demo", "pip wheel --no-deps 'demo==1.0'"],
        ),
        (
            {"pythons": ((3, 12),)},
            f"{FIRST} The newest Python that has one is 3.12.",
            (),
            ["uv venv --python 3.12", "pip install --upgrade demo"],
        ),
        (
            {"tags": ("cp313-cp313-win_amd64",)},
            FIRST,
            ("its wheels are for cp313-cp313-win_amd64",),
            ["pip install --upgrade demo"],
        ),
        ({"sdist": True}, FIRST, (), ["pip install --upgrade demo", "pip wheel --no-deps 'demo==1.0'"]),
    ],
)
def test_what_there_is_instead(more: dict[str, object], message: str, evidence: tuple[str, ...], commands: list[str]) -> None:
    result = _refused(**more)
    (finding,) = result.findings
    assert (result.verdict, result.predicted) == ("not-installable", TEXT)
    assert (finding.rule, finding.severity, finding.object) == ("no-wheel", "error", "demo==1.0")
    assert (finding.message, finding.evidence) == (message, evidence)
    assert [remedy.command for remedy in finding.remedies] == commands


@pytest.mark.parametrize(
    ("spec", "more", "told"),
    [
        ("alpine:3.22", {"tags": ("cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-win_amd64")}, True),
        ("alpine:3.22", {"tags": ("cp313-cp313-manylinux_2_28_aarch64",)}, False),
        (
            "alpine:3.22",
            {"pythons": ((3, 11),), "tags": ("cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-manylinux2014_x86_64")},
            False,
        ),
        ("debian:13", {"tags": ("cp313-cp313-manylinux_2_44_x86_64",)}, False),
    ],
)
def test_on_musl_what_there_is_for_glibc(spec: str, more: dict[str, object], told: bool) -> None:  # noqa: FBT001
    refused = NotInstallable("demo==1.0", TEXT, "1.0", **more)  # type: ignore[arg-type]
    (finding,) = refusal("demo", refused, open_host(spec), "/usr/lib/python3.12/site-packages").findings
    assert any("it has wheels for glibc only" in remedy.text for remedy in finding.remedies) is told
