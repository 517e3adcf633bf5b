"""A repaired wheel differs from the old one where it is said to, whatever lies in it and however it lies there."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from abicheck.act.repair.wheel import make_wheel, plan_wheel
from abicheck.errors import TargetError
from abicheck.read.artifacts.wheel import open_wheel
from tests.act.repairing import NAME, demo
from tests.elfwriter import write_elf
from tests.property.effort import fewer
from tests.wheelwriter import INFO, SCHEME

OBJECTS = st.builds(
    write_elf,
    stack=st.sampled_from([4, 5, 6, 7]),
    soname=st.sampled_from([None, "libs", "libx.so"]),
    runpath=st.sampled_from([None, "$ORIGIN", "demo.libs.of.this", "", "/opt:demo.libs"]),
    bss=st.integers(0, 9),
)
MEMBERS = st.dictionaries(
    st.from_regex(r"demo/[a-z,\" é]{1,6}", fullmatch=True), st.one_of(OBJECTS, st.binary(max_size=80)), max_size=6
)


@fewer
@given(MEMBERS, st.data())
def test_only_what_is_said(members: dict[str, bytes], data: st.DataObject) -> None:
    files = demo(members)
    order = data.draw(st.permutations(list(files)))
    with tempfile.TemporaryDirectory() as directory:
        old = str(Path(directory) / NAME)
        with zipfile.ZipFile(old, "w") as archive:
            for name in order:
                archive.writestr(name, files[name], data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))
        try:
            plan = plan_wheel(old, search_path=data.draw(st.booleans()))
        except TargetError as error:
            plan = plan_wheel(old)  # what cannot be refused without search paths
            if not error.message.endswith("use patchelf --set-rpath"):
                raise
        new, _ = make_wheel(plan, directory, lambda _path: ())
        found = _members(new)
        assert list(found) == list(order)
        for name, changes in plan.changes.items():
            content = bytearray(files[name])
            for change in changes:
                end = change.edit.offset + len(change.edit.new)
                assert content[change.edit.offset : end] == change.edit.old
                content[change.edit.offset : end] = change.edit.new
            assert found[name] == content
        same = set(order) - set(plan.changes) - {f"{INFO}/WHEEL", f"{INFO}/RECORD"}
        assert all(found[name] == files[name] for name in same)
        assert not open_wheel(new, SCHEME, new, verify=True).distribution.problems
        assert not plan_wheel(new).changes


def _members(path: str) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        return {each.filename: archive.read(each) for each in archive.infolist()}
