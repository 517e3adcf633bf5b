"""docs/ci.md against what it is about, and all of it against the schemas of GitHub, GitLab and pre-commit."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ci.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
WORKFLOW, STEP, GITLAB, PRE_COMMIT = map(yaml.safe_load, EXAMPLES)


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def _uses() -> Iterator[dict[str, str]]:
    for step in (*WORKFLOW["jobs"]["gate"]["steps"], *STEP):
        if step["uses"].startswith("OWNER/abicheck@"):
            yield step["with"]


def test_examples_use_what_there_is() -> None:
    inputs, outputs = (set(_read("action.yml")[each]) for each in ("inputs", "outputs"))
    assert [set(given) <= inputs for given in _uses()] == [True, True]
    assert set(re.findall(r"steps\.abicheck\.outputs\.([\w-]+)", PAGE)) <= outputs
    assert GITLAB["abicheck"]["variables"].keys() <= _read("ci/gitlab.yml")["abicheck"]["variables"].keys()
    (repository,) = PRE_COMMIT["repos"]
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in _read(".pre-commit-hooks.yaml")]


@pytest.mark.network
@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("vendor.github-actions",), "action.yml"),
        (("vendor.github-workflows",), "workflow"),
        (("vendor.gitlab-ci", "--data-transform", "gitlab-ci"), "ci/gitlab.yml"),
    ],
)
def test_all_of_it_is_valid(options: tuple[str, ...], name: str, tmp_path: Path) -> None:
    path = ROOT / name
    if not path.exists():
        path = tmp_path / f"{name}.yml"
        path.write_text(EXAMPLES[0], encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.network
def test_hooks_and_their_example_are_valid(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(EXAMPLES[3], encoding="utf-8")
    for command in (["validate-manifest", ROOT / ".pre-commit-hooks.yaml"], ["validate-config", tmp_path / "config.yaml"]):
        ran = subprocess.run(
            [sys.executable, "-m", "pre_commit", *map(str, command)], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout
