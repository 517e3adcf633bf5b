"""No bytes make a reader of configurations or baselines raise anything but its own error."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from abicheck.errors import UsageError
from abicheck.read.baseline import read_baseline
from abicheck.read.configuration.document import read_configuration
from abicheck.read.configuration.find import find_configuration
from tests.property.effort import fewer

WHOLE = b"""\
[tool.abicheck]
hosts = ["debian:13", "prod.json"]
python = "3.12"
fail-on = "any"
require = ["cuda"]
strict = true
baseline = "known.json"

[[tool.abicheck.ignore]]
rule = "no-wheel"
package = "demo"
reason = "it is built there"
expires = 2030-01-31
"""
BASELINE = b'{"schema_version": 1, "known": [{"package": "demo", "host": "debian:13", "rule": "no-wheel"}]}'
#: What means something in one of the formats.
WORDS = st.sampled_from(
    [
        *(
            b"[tool.abicheck]\n",
            b"[[tool.abicheck.ignore]]\n",
            b"[[",
            b"]]",
            b"[",
            b"]",
            b"{",
            b"}",
            b'"',
            b"'",
            b'"""',
            b"=",
            b".",
        ),
        *(b"\n", b"\r", b",", b"hosts", b"ignore", b"expires = ", b"2030-01-31", b"2030-01-31T00:00:00Z", b"25:61:00", b"1e999"),
        *(b"true", b"nan", b"-1", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"9" * 5000, b"[" * 3000, b"schema_version"),
    ]
)


def _ask(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pyproject.toml"
        path.write_bytes(data)
        other = path.with_name("other.toml")
        other.write_bytes(data)
        with suppress(UsageError):
            find_configuration(directory)
        for name in (path, other):
            with suppress(UsageError):
                read_configuration(str(name))
        with suppress(UsageError):
            read_baseline(str(path))


@fewer
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _ask(data)


@fewer
@given(st.lists(WORDS, max_size=20).map(b"".join))
def test_any_words(data: bytes) -> None:
    _ask(data)


@fewer
@given(st.sampled_from([WHOLE, BASELINE]), st.data())
def test_damaged_files(content: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.sampled_from([0, 1, 2, 5, 40]))
        content = content[:start] + data.draw(st.one_of(WORDS, st.binary(max_size=4))) + content[start + length :]
    _ask(content)
