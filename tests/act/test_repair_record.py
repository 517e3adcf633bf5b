from __future__ import annotations

import pytest

from abicheck.act.repair.edits import inverse, spliced
from abicheck.act.repair.record import record_edits
from abicheck.errors import TargetError


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (b"a.so,sha256=old,10\nb.py,sha256=x,1\n", b"a.so,sha256=new,10\nb.py,sha256=x,1\n"),
        (b'"a.so",sha256=old,9\r\n', b'"a.so",sha256=new,10\r\n'),
        (b"b.py,,\na.so,sha256=old,", b"b.py,,\na.so,sha256=new,"),
        (b"./a.so,sha256=old,10", b"./a.so,sha256=new,10"),
        (b"\xff\0,,\n\na.so,sha256=old,10\n", b"\xff\0,,\n\na.so,sha256=new,10\n"),
        (b"a.so,sha256=old,10\na.so,sha256=old,10\n", b"a.so,sha256=new,10\na.so,sha256=new,10\n"),
    ],
)
def test_every_other_byte_stays(record: bytes, wanted: bytes) -> None:
    edits = record_edits(record, {"a.so": ("sha256=new", 10)}, lambda path: path.removeprefix("./"))
    assert spliced(record, edits) == wanted
    assert spliced(wanted, inverse(edits)) == record


@pytest.mark.parametrize("record", [b"", b"b.so,sha256=x,1\n", b"a.so\n", b'a.so,"sha256=old",10\n', b"a.so,sha256=old,010\n"])
def test_a_line_that_is_no_installers_is_refused(record: bytes) -> None:
    with pytest.raises(TargetError, match=r"no line for a\.so"):
        record_edits(record, {"a.so": ("sha256=new", 10)})


def test_a_quoted_name_with_commas_is_no_hash() -> None:
    with pytest.raises(TargetError, match="no line for a,b,c"):
        record_edits(b'"a,b,c"\n', {"a,b,c": ("sha256=new", 10)})
