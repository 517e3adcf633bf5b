"""Write the package's table of musl's symbols from tools/inputs: `python tools/make_musl_table.py` (`--check`: only compare).

    python tools/make_musl_table.py --collect DIR

makes the input anew. DIR holds Debian's roots (`make_debian_roots.py DIR`) and the wheels of ziglang that `WHEELS` names (`pip
download --no-deps`): Zig ships musl's source, and a list of all that the shared library of that release defines.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abicheck.model.elf import SharedObject
from abicheck.read.elf import read_elf
from abicheck.read.hosts.ldso import parse_musl_version

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
INPUT = HERE / "inputs" / "musl-exports.json"
OUTPUT = HERE.parent / "src" / "abicheck" / "read" / "hosts" / "data" / "musl.json.z"
#: The releases of ziglang that are the first with their musl.
WHEELS = ("0.10.1.post1", "0.11.0", "0.13.0")
SUITES = ("bookworm", "trixie", "forky")
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
LIST, VERSION = "ziglang/lib/libc/musl/libc.S", "ziglang/lib/libc/musl/src/internal/version.h"
KINDS = {"function": 2, "object": 1}
#: Not defined for other programs: where the loader itself starts.
START = "_dlstart"


def upstream(wheel: Path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """One release as upstream builds it, by Zig's list: what it is, and by machine the kind of each symbol."""
    with zipfile.ZipFile(wheel) as archive:
        text, header = archive.read(LIST), archive.read(VERSION).decode()
    number = re.search(r'"([\d.]+)"', header)
    assert number is not None
    source = f"{'-'.join(wheel.name.split('-')[:2])}, {LIST}"
    build = {"release": number[1], "by": "upstream", "source": source, "sha256": hashlib.sha256(text).hexdigest()}
    return build, {arch: listed(text.decode(), arch) for arch in MACHINES}


def listed(text: str, arch: str) -> dict[str, str]:
    """The symbols in Zig's list for a 64-bit machine, each with its kind as `type binding`."""
    kinds: dict[str, str] = {}
    bindings: dict[str, int] = {}
    for line in _preprocessed(text, arch):
        match = re.match(r"(?:\.(globl|weak)|(WEAK64)) (\S+)", line)
        if match:
            bindings[match[3]] = 1 if match[1] == "globl" else 2
        match = re.match(r"\.type (\S+), %(\w+);", line)
        if match and match[1] != START:
            kinds[match[1]] = f"{KINDS[match[2]]} {bindings[match[1]]}"
    return kinds


def _preprocessed(text: str, arch: str) -> Iterator[str]:
    """The lines that hold for a machine; conditions there are `PTR64`, `PTR32` and machines that it must not be."""
    holds: list[bool] = []
    for line in text.splitlines():
        if line.startswith("#if"):
            others = re.findall(r"!defined\(ARCH_(\w+)\)", line)
            holds.append(arch not in others if others else line == "#ifdef PTR64")
        elif line.startswith("#else"):
            holds[-1] = not holds[-1]
        elif line.startswith("#endif"):
            holds.pop()
        elif all(holds):
            yield line


def debian(directory: Path, suite: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """One release as Debian builds it."""
    symbols, hashes, versions = {}, [], []
    for arch, name in MACHINES.items():
        path = directory / f"{suite}-{name}" / "usr/lib" / f"{arch}-linux-musl" / "libc.so"
        data, facts = path.read_bytes(), read_elf(str(path))
        version = parse_musl_version(data)
        assert version is not None
        assert isinstance(facts, SharedObject)
        hashes.append(hashlib.sha256(data).hexdigest())
        versions.append(".".join(map(str, version)))
        symbols[arch] = {name: f"{each[0].type} {each[0].binding}" for name, each in facts.definitions.items() if name != START}
    assert len(set(versions)) == 1
    source = f"libc.so of the package musl in {suite}, {' and '.join(MACHINES.values())}"
    return {"release": versions[0], "by": "Debian", "source": source, "sha256": " ".join(hashes)}, symbols


def collected(directory: Path) -> str:
    """The input: which builds define each symbol, by machine and kind."""
    wheels = [next(directory.glob(f"ziglang-{version}-*.whl")) for version in WHEELS]
    found = [*map(upstream, wheels), *(debian(directory, suite) for suite in SUITES)]
    arches: dict[str, Any] = {}
    for arch in MACHINES:
        by_name: dict[str, dict[str, list[str]]] = {}
        for number, (_, symbols) in enumerate(found):
            for name, kind in symbols[arch].items():
                by_name.setdefault(name, {}).setdefault(kind, []).append(str(number))
        groups: dict[str, dict[str, list[str]]] = {}
        for name, kinds in sorted(by_name.items()):
            for kind, numbers in kinds.items():
                groups.setdefault(kind, {}).setdefault(" ".join(numbers), []).append(name)
        arches[arch] = {
            kind: {numbers: " ".join(names) for numbers, names in sorted(each.items())} for kind, each in sorted(groups.items())
        }
    return json.dumps({"builds": [build for build, _ in found], "arches": arches}, indent=1) + "\n"


def made() -> bytes:
    """The table: the input without its sources, but for its own hash."""
    text = INPUT.read_bytes()
    document = json.loads(text)
    builds = [{"release": each["release"], "by": each["by"]} for each in document["builds"]]
    table = {"sha256": hashlib.sha256(text).hexdigest(), "builds": builds, "arches": document["arches"]}
    return json.dumps(table, separators=(",", ":")).encode()


def main(arguments: list[str]) -> int:
    """Write the table, with `--collect` its input, too, or compare it (unpacked: zlib may pack the same otherwise)."""
    if arguments[:1] == ["--collect"]:
        INPUT.write_text(collected(Path(arguments[1])), encoding="utf-8")
    content = made()
    if "--check" in arguments:
        same = OUTPUT.exists() and zlib.decompress(OUTPUT.read_bytes()) == content
        print("as it would be made" if same else f"{OUTPUT} differs: run tools/make_musl_table.py")
        return 0 if same else 1
    OUTPUT.write_bytes(zlib.compress(content, 9))
    print(f"{OUTPUT}: {len(content):,} bytes, {OUTPUT.stat().st_size:,} packed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
