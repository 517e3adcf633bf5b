"""The GitHub action: its script as a runner calls it, and action.yml against the script."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.ci.conftest import ACTION, ROOT
from tests.elfwriter import write_elf
from tests.report.sarif_standard import VALIDATOR

if TYPE_CHECKING:
    from collections.abc import Callable

(STEP,) = ACTION["runs"]["steps"]
SCRIPT = ROOT / "ci/action.sh"


class Ran(NamedTuple):
    """What a step left."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@pytest.fixture
def action(tmp_path: Path, program: Path, project: Path) -> Callable[..., Ran]:
    """A step that uses the action, with these inputs and the defaults of the others."""
    runner = tmp_path / "runner"
    runner.mkdir()
    output, summary = runner / "output", runner / "summary"
    output.write_text("before=1\n", encoding="utf-8")
    summary.write_text("Before.\n", encoding="utf-8")

    def run(**inputs: str) -> Ran:
        given = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
        given |= {"command": str(program)} | {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() == ACTION["inputs"].keys()
        variables = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], str(value))
            for name, value in STEP["env"].items()
        }
        variables |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        variables |= {"RUNNER_TEMP": str(runner), "GITHUB_ACTION_PATH": str(ROOT)}
        command = ["bash", "-e", "-o", "pipefail", "-c", STEP["run"]]
        ran = subprocess.run(command, env={**os.environ, **variables}, cwd=project, capture_output=True, text=True, check=False)
        lines = output.read_text(encoding="utf-8").splitlines()
        assert lines[0] == "before=1"
        outputs = dict(line.partition("=")[::2] for line in lines[1:])
        told = summary.read_text(encoding="utf-8")
        assert told.startswith("Before.\n")
        return Ran(ran.returncode, ran.stdout, outputs, told.removeprefix("Before.\n"))

    return run


def test_what_does_not_load_is_in_log_summary_outputs_and_code_scanning(action: Callable[..., Ran], project: Path) -> None:
    ran = action(target="requirements.txt", hosts="debian:12", python="3.12", sarif="a.sarif")
    assert ran.code == 1
    annotation, verdict = ran.log.splitlines()
    assert annotation.startswith("::error file=requirements.txt,line=2,title=demo 2.0%3A no-wheel::ERROR: No matching")
    assert verdict.startswith("✗ 1 artifact · 1 host · ")
    assert ran.outputs == {"verdict": "fails", "exit-code": "1", "sarif": "a.sarif"}
    assert ran.summary.startswith("### ✗ demo 2.0 cannot be installed on debian:12 ")
    document = json.loads((project / "a.sarif").read_text(encoding="utf-8"))
    VALIDATOR.validate(document)
    (result,) = document["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 2}


def test_targets_are_lines_and_hosts_are_words(action: Callable[..., Ran]) -> None:
    ran = action(target="good requirements.txt\n\nrequirements.txt\n", hosts=" debian:12\n  debian:13", python="3.12")
    assert ran.code == 1
    assert ran.log.splitlines()[-1].startswith("✗ 2 artifacts · 2 hosts · ")


def test_what_loads_passes(action: Callable[..., Ran]) -> None:
    ran = action(target="good requirements.txt", hosts="debian:12", python="3.12", arguments="--strict  --no-deps")
    assert (ran.code, ran.outputs["verdict"], ran.log[:2]) == (0, "passes", "✓ ")


def test_what_cannot_be_judged_is_told(action: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    ran = action(target="good requirements.txt", hosts="debian:12", python="3.12", arguments="--offline")
    assert (ran.code, ran.outputs["verdict"]) == (4, "not-judged")
    assert ran.log.startswith("::error ")


def test_an_upgrade_is_gated(action: Callable[..., Ran]) -> None:
    ran = action(old="demo==1.0", new="demo==2.0", hosts="debian:12", python="3.12")
    assert (ran.code, ran.outputs["verdict"]) == (1, "fails")
    assert ran.log.startswith("::error title=demo 2.0%3A no-wheel::demo 1.0 → 2.0 has no wheel ")
    assert ran.summary.startswith("### ✗ 1 change for the worse on debian:12\n")


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_changed_lock_file_is_gated_at_the_line_of_the_pin(action: Callable[..., Ran], project: Path) -> None:
    lock = project / "requirements.txt"
    lock.write_text("demo==1.0\n", encoding="utf-8")
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@example.org commit -q -m 1.0"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    lock.write_text("# pinned\ndemo==2.0\n", encoding="utf-8")
    ran = action(old="git:HEAD:requirements.txt", new="requirements.txt", hosts="debian:12", python="3.12")
    assert (ran.code, ran.outputs["verdict"]) == (1, "fails")
    assert ran.log.startswith("::error file=requirements.txt,line=2,title=demo 2.0%3A no-wheel::demo 1.0 → 2.0 has no wheel ")


def test_fail_on_decides_what_a_gate_counts(action: Callable[..., Ran], project: Path) -> None:
    for name, needed in (("old.so", []), ("new.so", ["libmore.so.1"])):
        (project / name).write_bytes(write_elf(soname="lib.so", needed=["libc.so.6", *needed]))
    assert action(old="old.so", new="old.so").code == 0
    codes = [action(old="old.so", new="new.so", fail_on=fail_on).code for fail_on in ("new", "narrowed", "any")]
    assert codes == [0, 0, 1]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "give target, or old and new"),
        ({"old": "demo==1.0"}, "give both old and new"),
        ({"new": "demo==1.0"}, "give both old and new"),
        ({"target": "a.so", "old": "b.so", "new": "c.so"}, "give either target, or old and new"),
        ({"target": "a.so", "hosts": "nonsense"}, "abicheck ended with the exit code 2 and no report; what it said stands above"),
        (
            {"target": "a.so", "command": "/none"},
            "abicheck ended with the exit code 127 and no report; what it said stands above",
        ),
    ],
)
def test_wrong_usage_is_told(inputs: dict[str, str], message: str, action: Callable[..., Ran]) -> None:
    assert action(**inputs) == Ran(2, f"::error title=abicheck::{message}\n", {}, "")


def test_no_input_is_a_command(action: Callable[..., Ran], project: Path) -> None:
    text = 'a";touch made;"$(touch made)`touch made`*'
    for name in ("target", "hosts", "python", "arguments", "sarif"):
        action(**{"target": "a.so", "hosts": "local", name: text})
    action(old=text, new=text, fail_on=text)
    assert not list(project.rglob("made"))


def test_a_python_that_is_too_old_is_told(action: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python3", "python"):
        (tmp_path / f"bin/{name}").write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
        (tmp_path / f"bin/{name}").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    ran = action(target="a.so", command="")
    assert (ran.code, ran.log) == (
        2,
        "::error title=abicheck::abicheck runs on Python 3.10 or newer; let actions/setup-python come first\n",
    )


@pytest.mark.network
@pytest.mark.parametrize("version", ["", "0.0.0.1"])
def test_it_installs_itself_or_a_release(version: str, action: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    ran = action(target="/bin/true", command="", version=version)
    if version:
        assert (ran.code, ran.log) == (2, "::error title=abicheck::pip could not install abicheck-env==0.0.0.1\n")
    else:
        assert (ran.code, ran.outputs["verdict"]) == (0, "passes")


class TestActionYml:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    script = SCRIPT.read_text(encoding="utf-8")

    def test_inputs_are_declared_and_passed_and_read(self) -> None:
        declared = set(ACTION["inputs"])
        assert set(re.findall(r"\binputs\.([\w-]+)", self.text)) == declared
        assert all(each["description"] and isinstance(each["default"], str) for each in ACTION["inputs"].values())
        passed = {f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in declared}
        assert STEP["env"] == passed
        assert set(re.findall(r"\bINPUT_[A-Z_]+", self.script)) == set(passed)

    def test_outputs_are_written(self) -> None:
        outputs = {name: each["value"] for name, each in ACTION["outputs"].items()}
        assert outputs == {name: f"${{{{ steps.{STEP['id']}.outputs.{name} }}}}" for name in outputs}
        assert re.findall(r'"([\w-]+)=\$\w+"', self.script.partition("printf '%s\\n' ")[2].partition("\n")[0]) == list(outputs)

    def test_only_what_every_runner_sets_is_taken_from_it(self) -> None:
        known = {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ACTION_PATH", "RUNNER_TEMP"}
        assert set(re.findall(r"\b(?:GITHUB|RUNNER)_[A-Z_]+", self.script)) == known

    def test_it_is_a_composite_action_whose_script_holds_no_input(self) -> None:
        assert ACTION["runs"]["using"] == "composite"
        assert STEP["shell"] == "bash"
        assert "${{" not in STEP["run"]
        assert Path(STEP["run"].split('"')[1].replace("$GITHUB_ACTION_PATH", str(ROOT))) == SCRIPT

    def test_it_is_documented(self) -> None:
        page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
        assert [name for name in (*ACTION["inputs"], *ACTION["outputs"]) if f"`{name}`" not in page] == []
