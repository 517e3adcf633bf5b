"""Write the package's table of glibc from tools/inputs: `python tools/make_glibc_table.py` (`--check`: only compare)."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
INPUT = HERE / "inputs" / "glibc-abilists.json"
OUTPUT = HERE.parent / "src" / "abicheck" / "read" / "hosts" / "data" / "glibc.json.z"

FIRST, LAST = 17, 44
LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}
#: The numbers that glibc's shlib-versions gives its libraries, the same on both architectures.
NUMBERS = {
    "libBrokenLocale": 1,
    "libanl": 1,
    "libc": 6,
    "libc_malloc_debug": 0,
    "libcrypt": 1,
    "libdl": 2,
    "libm": 6,
    "libmvec": 1,
    "libnsl": 1,
    "libpthread": 0,
    "libresolv": 2,
    "librt": 1,
    "libthread_db": 1,
    "libutil": 1,
}


def made(document: dict[str, Any]) -> bytes:
    """The table as the package holds it, before it is compressed.

    `{"first": 17, "last": 44, "arches": {arch: {soname: {node: {"first-last": names}}}}}`: minor versions, an empty one where
    nothing narrows it; names apart by blanks, data symbols with their size in bytes behind a colon.
    """
    table = document["table"]
    digest = hashlib.sha256(json.dumps(table, separators=(",", ":")).encode()).hexdigest()
    if digest != document["sha256"]:
        sys.exit(f"{INPUT}: its table has the hash {digest} and not the one that it says")
    arches = {
        arch: {
            _soname(arch, library): {
                node: {span: " ".join(_names(names)) for span, names in spans.items()} for node, spans in nodes.items()
            }
            for library, nodes in libraries.items()
        }
        for arch, libraries in table.items()
    }
    for arch, libraries in arches.items():
        for soname, nodes in libraries.items():
            for node, spans in nodes.items():
                _check(f"{arch} {soname} {node}", int(node.split(".")[1]), spans)
    return json.dumps({"first": FIRST, "last": LAST, "arches": arches}, separators=(",", ":")).encode()


def _soname(arch: str, library: str) -> str:
    return LOADERS[arch] if library == "ld" else f"{library}.so.{NUMBERS[library]}"


def _names(text: str) -> Iterator[str]:
    """The names of one group, as in `puts` or `_r_debug:40`."""
    for each in text.split(",") if re.search(r",| D0x", text) else text.split(" "):
        match = re.fullmatch(r"(\w+)(?: D(0x[0-9a-f]+))?", each)
        if match is None:
            sys.exit(f"{INPUT}: {each!r} is no symbol")
        yield f"{match[1]}:{int(match[2], 16)}" if match[2] else match[1]


def _check(where: str, minor: int, spans: dict[str, str]) -> None:
    """End where a span is none, or one version of glibc would have a symbol twice."""
    seen: dict[str, set[int]] = {}
    for span, names in spans.items():
        first, _, last = span.partition("-")
        versions = range(int(first or max(minor, FIRST)), int(last or LAST) + 1)
        if not versions or versions[0] < FIRST or versions[-1] > LAST:
            sys.exit(f"{INPUT}: {where}: {span} are no versions")
        for name in names.split():
            known = seen.setdefault(name.partition(":")[0], set())
            if not known.isdisjoint(versions):
                sys.exit(f"{INPUT}: {where}: {name} stands there twice")
            known.update(versions)


def main(arguments: list[str]) -> int:
    """Write the table, or say whether it is as it would be made (compared unpacked: zlib may pack the same otherwise)."""
    content = made(json.loads(INPUT.read_bytes()))
    if "--check" in arguments:
        same = OUTPUT.exists() and zlib.decompress(OUTPUT.read_bytes()) == content
        print("as it would be made" if same else f"{OUTPUT} differs: run tools/make_glibc_table.py")
        return 0 if same else 1
    packed = zlib.compress(content, 9)
    OUTPUT.write_bytes(packed)
    print(f"{OUTPUT}: {len(content):,} bytes, {len(packed):,} packed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
