"""A small program of our own with the bug of whisper.wasm, and with its fix: a gate on sources and a canary tell them apart."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from abicheck.act.confirm.canary import LANGUAGE, by_hand
from abicheck.api.confirm import confirm_modules
from abicheck.api.lint import lint
from abicheck.cli.main import main

HERE = Path(__file__).parent
BUILT = HERE / "built"
needs_node = pytest.mark.skipif(shutil.which("node") is None or sys.platform != "linux", reason="there is no Node.js here")


def _sung(directory: Path, name: str, host: str = "node") -> tuple[bool | None, str | None]:
    """Whether the language came back as it was, and what came instead."""
    report = confirm_modules([str(directory / f"{name}.js")], [host], canary=True, seconds=60)
    assert report.errors == ()
    *instances, canary = report.cells
    assert all(each.agree for each in instances)
    assert canary.cell.name.endswith(f"/{name}.js/canary")
    assert canary.observed is not None
    return canary.agree, canary.observed.text


def test_lint_finds_the_bug_and_not_its_fix() -> None:
    report = lint([str(HERE / f"{name}.cpp") for name in ("dangling", "owned")])
    assert report.errors == ()
    line = (HERE / "dangling.cpp").read_text(encoding="utf-8").splitlines().index("        params.language = lang.c_str();") + 1
    assert [(Path(each.file).name, each.line, each.rule) for each in report.findings] == [
        ("dangling.cpp", line, "pointer-into-thread")
    ]


@needs_node
def test_the_canary_tells_them_apart() -> None:
    agree, text = _sung(BUILT, "dangling")
    assert agree is False
    assert text is not None
    assert text.startswith("the language came back as '")
    assert LANGUAGE not in text
    assert _sung(BUILT, "owned") == (True, None)


@needs_node
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--canary", "--host", "node", "--format", "json"]
    for name, code in (("owned", 0), ("dangling", 1)):
        with pytest.raises(SystemExit) as leaving:
            main(["confirm", str(BUILT / f"{name}.js"), *arguments])
        assert leaving.value.code == code
        deeds = [each["deed"] for each in json.loads(capsys.readouterr().out)["results"]]
        assert deeds == ["instantiate", "canary"]


@needs_node
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("module.exports = {};", "it has no full_default"),
        ("module.exports = () => new Promise(() => {});", "it has no full_default"),
        ("throw new RangeError('too old\\nfor this');", "RangeError: too old"),
        ("module.exports = { full_default(a, b, c, d) {} };", "its full_default takes 4 arguments"),
        (
            "module.exports = { FS_createDataFile() {}, init: () => 0, full_default(a, b, c) {} };",
            "it does not take the model",
        ),
        ("module.exports = { FS_createDataFile() {}, full_default(a, b, c) { for (;;); } };", "it names no language within 2 s"),
    ],
)
def test_what_is_no_binding_is_said_in_a_line(tmp_path: Path, script: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    embedded = "//AGFzbQEAAAA=\n"  # the shortest of modules
    (tmp_path / "x.js").write_text(embedded + script, encoding="utf-8")
    with pytest.raises(SystemExit) as leaving:
        main(["confirm", str(tmp_path / "x.js"), "--canary", "--host", "node", "--limit", "2"])
    assert leaving.value.code == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert f": {said}" in line
    assert line.endswith("; the canary needs a build of whisper.cpp with full_default that runs there")


def test_a_language_that_came_back_empty(tmp_path: Path) -> None:
    script = "module.exports = { FS_createDataFile() {}, full_default(a, b, c) { console.warn('auto-detected language: zu') } };"
    (tmp_path / "x.js").write_text(f"//AGFzbQEAAAA=\n{script}", encoding="utf-8")
    agree, text = _sung(tmp_path, "x")
    assert agree is False
    assert text is not None
    assert text.startswith("the language came back as ''; ")


@pytest.mark.browser
def test_the_canary_tells_them_apart_in_a_page() -> None:
    agree, text = _sung(BUILT, "dangling", "chrome")
    assert agree is False
    assert text is not None
    assert text.startswith("the language came back as '")
    assert _sung(BUILT, "owned", "chrome") == (True, None)


@pytest.mark.browser
def test_a_script_is_loaded_as_what_it_is_in_a_page(tmp_path: Path) -> None:
    """As a script with a factory, as a module, and not at all."""
    binding = "{ FS_createDataFile() {}, full_default(a, b, c) { console.warn(`unknown language '${b}'`) } }"
    scripts = {
        "factory.js": f"var make = async () => ({binding});\nif (typeof module === 'object') module.exports = make;",
        "module.mjs": f"export default async () => ({binding});",
        "broken.js": "throw new Error('too old')",
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"//AGFzbQEAAAA=\n{script}", encoding="utf-8")
    report = confirm_modules([str(tmp_path / name) for name in scripts], ["chrome"], canary=True, seconds=8)
    sung = [each for each in report.cells if each.cell.deed == "canary"]
    assert [(each.result.artifact.name, each.agree) for each in sung] == [("factory.js", True), ("module.mjs", True)]
    (failure,) = report.errors
    assert failure.message.startswith("it has no full_default; ")


@pytest.mark.emscripten
def test_a_sanitizer_sees_the_bug_alone(tmp_path: Path) -> None:
    subprocess.run(["sh", str(HERE / "build.sh"), str(tmp_path), "-fsanitize=address", "-sINITIAL_MEMORY=300MB"], check=True)
    program, *arguments = shlex.split(by_hand("node", "{}"))
    said = {}
    for name in ("dangling", "owned"):
        command = [program, *(each.format(tmp_path / f"{name}.js") for each in arguments), "2"]
        said[name] = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stderr
    assert "heap-use-after-free" in said["dangling"]
    assert "Sanitizer" not in said["owned"]
    assert f"unknown language '{LANGUAGE}'" in said["owned"]


@pytest.mark.emscripten
def test_both_built_anew(tmp_path: Path) -> None:
    subprocess.run(["sh", str(HERE / "build.sh"), str(tmp_path)], check=True)
    assert _sung(tmp_path, "dangling")[0] is False
    assert _sung(tmp_path, "owned") == (True, None)
