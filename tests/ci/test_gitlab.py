"""The template for GitLab: its scripts as a runner calls them."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from junitparser import JUnitXml

from tests.ci.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE: dict[str, Any] = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text(encoding="utf-8"))
JOB: dict[str, Any] = TEMPLATE["abicheck"]


def _run(lines: list[str], project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """One shell for all lines, which ends with the first that fails."""
    assert variables.keys() <= JOB["variables"].keys()
    given = {**os.environ, **JOB["variables"], **variables}
    script = "\n".join(("set -e", *lines))
    return subprocess.run(["sh", "-c", script], cwd=project, env=given, capture_output=True, text=True, check=False)


@pytest.fixture
def installed(project: Path, program: Path) -> Path:
    """The project with what `before_script` makes."""
    (project / ".abicheck/bin").mkdir(parents=True)
    (project / ".abicheck/bin/abicheck").symlink_to(program)
    return project


@pytest.mark.parametrize(
    ("variables", "code", "failed"),
    [
        ({"ABICHECK_TARGET": "requirements.txt", "ABICHECK_HOSTS": "debian:12 debian:13"}, 1, [True, False]),
        ({"ABICHECK_OLD": "demo==1.0", "ABICHECK_NEW": "demo==2.0", "ABICHECK_HOSTS": "debian:12"}, 1, [True]),
        ({"ABICHECK_OLD": "demo==1.0", "ABICHECK_NEW": "demo==1.0", "ABICHECK_HOSTS": "debian:12"}, 0, [False]),
    ],
)
def test_it_ends_as_abicheck_does_and_leaves_a_test_report(
    variables: dict[str, str], code: int, failed: list[bool], installed: Path
) -> None:
    ran = _run(JOB["script"], installed, **variables, ABICHECK_ARGUMENTS="--python 3.12")
    assert ran.returncode == code, ran.stderr
    report = JUnitXml.fromstring((installed / JOB["artifacts"]["reports"]["junit"]).read_bytes())
    assert [not case.is_passed for suite in report for case in suite] == failed
    assert all((installed / path).stat().st_size for path in JOB["artifacts"]["paths"])


def test_variables_are_declared_and_read() -> None:
    used = set(re.findall(r"\$(ABICHECK_[A-Z]+)", "\n".join((*JOB["before_script"], *JOB["script"]))))
    assert used == set(JOB["variables"])
    assert JOB["artifacts"]["when"] == "always"
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    assert [name for name in JOB["variables"] if f"`{name}`" not in page] == []


@pytest.mark.network
def test_it_installs_what_it_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    lines = [*JOB["before_script"], *JOB["script"]]
    ran = _run(lines, project, ABICHECK_INSTALL=str(ROOT), ABICHECK_TARGET="/bin/true")
    assert ran.returncode == 0, ran.stderr
