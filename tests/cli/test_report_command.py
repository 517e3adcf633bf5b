from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from abicheck.cli.main import main
from tests.elfparts import Symbol
from tests.elfwriter import write_elf

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
FORM = Path(__file__).parents[2] / ".github" / "ISSUE_TEMPLATE" / "does-not-load.yml"


def _report(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["host", "--report", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The site-packages of an environment in which one distribution lacks a library."""
    binaries = tmp_path / "env" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python3").symlink_to(sys.executable)
    (tmp_path / "env" / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\nversion = {VERSION}.1\n")
    site = tmp_path / "env" / f"lib/python{VERSION}/site-packages"
    info = site / "demo-1.5.dist-info"
    info.mkdir(parents=True)
    name = f"demo/_ext.cpython-{VERSION.replace('.', '')}-x86_64-linux-gnu.so"
    (site / "demo").mkdir()
    (site / name).write_bytes(write_elf(needed=["libnowhere.so.1"], symbols=[Symbol("PyInit__ext", defined=True)]))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.5\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-linux_x86_64\n")
    (info / "RECORD").write_text(
        "".join(f"{each},,\n" for each in (name, *(f"{info.name}/{one}" for one in ("METADATA", "WHEEL", "RECORD"))))
    )
    return site


@pytest.mark.skipif(sys.platform != "linux", reason="the host local is a Linux machine")
def test_what_a_maintainer_asks_for_is_in_it(site: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.md"
    assert _report("--env", str(site.parents[2]), "-o", str(output)) == 0
    text = output.read_text()
    assert text.startswith("<details><summary>abicheck report: 1 of 1 distribution may not load</summary>\n\n```text\n")
    assert text.endswith("\ndemo==1.5\n```\n\n</details>\n")
    told = ("PRETTY_NAME=", "Linux ", f"Python {VERSION} (", " of a virtual environment)", "executable stacks: ", "NVIDIA driver")
    assert [each for each in told if each not in text] == []
    assert "ImportError: libnowhere.so.1: cannot open shared object file: No such file or directory" in text


@pytest.mark.parametrize("more", [["debian:13"], ["--format", "json"]])
def test_it_is_about_this_machine_alone(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _report(*more) == 2
    assert "--report is about this machine" in capsys.readouterr().err


def test_the_issue_form_asks_for_it() -> None:
    form = yaml.safe_load(FORM.read_text())
    assert {"name", "description", "body"} <= set(form)
    parts = {part["id"]: part for part in form["body"]}
    assert "abicheck host --report" in parts["report"]["attributes"]["description"]
    assert all(part["type"] in ("textarea", "input") and part["attributes"]["label"] for part in parts.values())
