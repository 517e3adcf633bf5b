"""What the Node.js of this machine, if it has one, says of a module for each feature and of files that are none."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from abicheck.judge.runtime import judge
from abicheck.read.runtimes import open_runtime
from abicheck.read.wasm import read_wasm
from tests.wasmwriter import FEATURES, SHARED, program

if TYPE_CHECKING:
    from pathlib import Path

NODE = shutil.which("node")
WHOLE = program(b"\x41\x00\xc0\x1a", memories=(SHARED,))
CASES = {
    **FEATURES,
    **{f"cut-{size}": WHOLE[:size] for size in range(len(WHOLE) + 1)},
    "html": b"<!doctype html>",
    "version": b"\0asm\2\0\0\0",
}
SCRIPT = """
const fs = require("fs");
const told = process.argv.slice(1).map((file) => {
  try { new WebAssembly.Module(fs.readFileSync(file)); return null; } catch (error) { return `${error.name}: ${error.message}`; }
});
console.log(JSON.stringify(told));
"""


@pytest.mark.skipif(NODE is None, reason="there is no Node.js here")
def test_node_says_what_is_predicted(tmp_path: Path) -> None:
    runtime = open_runtime("node")
    if runtime.version[:1] > runtime.family.newest:
        pytest.skip("this Node.js is newer than the table")
    for name, data in CASES.items():
        (tmp_path / name).write_bytes(data)
    assert NODE is not None
    command = [NODE, "-e", SCRIPT, *(str(tmp_path / name) for name in CASES)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    judged = {name: judge(read_wasm(data), runtime, name) for name, data in CASES.items()}
    observed = dict(zip(CASES, told, strict=True))
    assert {name: each.verdict == "loads" for name, each in judged.items()} == {
        name: text is None for name, text in observed.items()
    }
    predicted = {name: each.predicted for name, each in judged.items() if each.predicted is not None}
    assert predicted == {name: observed[name] for name in predicted}
