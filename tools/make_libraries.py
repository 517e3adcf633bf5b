"""Make `libraries.ARCH.json.z`: what the shared libraries of Debian's base systems define, as their own files say.

    python tools/make_libraries.py DIR          writes the tables
    python tools/make_libraries.py --check DIR  says whether they are as they would be made

DIR holds an unpacked root file system of each Debian release and machine; `python tools/make_debian_roots.py DIR` makes them.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zlib
from pathlib import Path
from typing import Any

from abicheck.model.elf import SharedObject
from abicheck.read.elf import read_elf
from abicheck.read.hosts import Wanted, open_host

DATA = Path(__file__).parent.parent / "src/abicheck/read/hosts/data"
SUITES = ("bullseye", "bookworm", "trixie", "forky", "experimental")
SPECIAL = ("tls-static", "tls-descriptor", "size")
MACHINES = {62: "x86_64", 183: "aarch64"}


def packages(root: Path) -> dict[str, str]:
    """The versions of the source packages that the table is about, from their changelogs (nothing was installed)."""
    found = {}
    for path in sorted(root.glob("usr/share/doc/*/changelog.Debian.gz")):
        if path.parent.name == "libc6" or re.fullmatch(r"gcc-\d+-base", path.parent.name):
            line = gzip.decompress(path.read_bytes()).decode("utf-8", "replace").partition("\n")[0]
            found[path.parent.name] = re.sub(r"^\S+ \((.*?)\).*", r"\1", line)
    return found


def shape(facts: SharedObject) -> dict[str, Any]:
    """All that a loader looks at in one library, but for its symbols."""
    dynamic = facts.dynamic
    assert dynamic is not None
    return {
        "needed": dynamic.needed,
        "bind_now": dynamic.bind_now,
        "soname": dynamic.soname,
        "flags": [dynamic.flags, dynamic.flags_1],
        "segments": [list(each) for each in facts.segments],
        "header": [facts.header.type, facts.header.phoff, facts.header.ident.hex()],
        "size": facts.size,
        "phdr": facts.phdr_address,
        "versions": facts.versions_in_use,
        "relr": dynamic.has_relr,
        "isa": facts.properties.x86_isa_needed,
        "tag": facts.properties.abi_tag,
        "interpreter": facts.interpreter,
        "nodes": [[each.name, each.index, each.flags] for each in facts.version_definitions],
        "special": [
            [each.name, each.version and [each.version.name, each.version.file], each.kind, each.type, each.weak, each.plt_class]
            for each in dict.fromkeys(each._replace(in_plt=False) for each in facts.references if each.kind in SPECIAL)
        ],
    }


def build(root: Path, symbols: dict[str, Any], number: int) -> dict[str, Any]:
    """One release on one machine; its symbols go to `symbols`, by soname, node and kind, with the builds that have them."""
    host = open_host(f"rootfs:{root}", python=Wanted("3.0", may_lack=True))
    directory = f"usr/lib/{host.loader.lib.rpartition('/')[2]}"
    libraries: dict[str, Any] = {}
    links = {}
    for path in sorted((root / directory).glob("*.so*")):
        if path.name.startswith("libapt-"):
            continue  # nothing but apt is linked to these, and they are large
        if path.is_symlink():
            links[path.name] = path.readlink().name
            continue
        facts = read_elf(str(path))
        if not isinstance(facts, SharedObject) or facts.dynamic is None or MACHINES.get(facts.header.machine) != host.arch:
            continue
        libraries[path.name] = shape(facts)
        soname = facts.dynamic.soname or path.name
        for name, definitions in facts.definitions.items():
            for each in definitions:
                node = each.version.name if each.version else ""
                kind = f"{each.type} {each.binding} {each.visibility} {int(each.hidden)} {each.index if not each.version else 0}"
                kinds = symbols.setdefault(soname, {}).setdefault(node, {})
                kinds.setdefault(kind, {}).setdefault(name, []).append(number)
    loader = host.loader
    return {
        "name": root.name,
        "arch": host.arch,
        "packages": packages(root),
        "glibc": host.libc.version[1],
        "loader": {
            "path": loader.path,
            "system_dirs": loader.system_dirs,
            "lib": loader.lib,
            "hwcaps": [each for each in ("x86-64-v4", "x86-64-v3", "x86-64-v2") if host.libc.version >= (2, 33)]
            if host.arch == "x86_64"
            else [],
            "execstack": loader.execstack_tunable_max,
            "tunables": sorted(loader.tunables or ()),
            "min_kernel": loader.min_kernel,
        },
        "libraries": libraries,
        "links": {name: target for name, target in links.items() if target in libraries},
    }


def made(roots: list[Path]) -> bytes:
    """The table."""
    symbols: dict[str, Any] = {}
    builds = [build(root, symbols, number) for number, root in enumerate(roots)]
    for nodes in symbols.values():
        for kinds in nodes.values():
            for kind, names in kinds.items():
                groups: dict[str, list[str]] = {}
                for name, numbers in sorted(names.items()):
                    groups.setdefault(" ".join(map(str, dict.fromkeys(numbers))), []).append(name)
                kinds[kind] = {numbers: " ".join(group) for numbers, group in sorted(groups.items())}
    source = "the shared libraries in Debian's packages of the versions that `packages` names, read by abicheck itself"
    return json.dumps({"source": source, "builds": builds, "symbols": symbols}, separators=(",", ":"), sort_keys=True).encode()


def _age(root: Path) -> int:
    return SUITES.index(root.name.partition("-")[0])


def main(arguments: list[str]) -> int:
    """Write the tables, or compare them (unpacked: zlib may pack the same otherwise)."""
    directories = [Path(each) for each in arguments if not each.startswith("-")]
    roots = sorted((root for directory in directories for root in directory.glob("*-a*64")), key=_age)
    if len(roots) != 2 * len(SUITES):
        sys.exit(f"{len(roots)} roots of {2 * len(SUITES)}: run tools/make_debian_roots.py DIR, and give DIR")
    differing = False
    for arch, debian in (("x86_64", "amd64"), ("aarch64", "arm64")):
        content = made([root for root in roots if root.name.endswith(debian)])
        output = DATA / f"libraries.{arch}.json.z"
        if "--check" in arguments:
            same = output.exists() and zlib.decompress(output.read_bytes()) == content
            differing |= not same
            print(f"{output}: {'as it would be made' if same else 'differs: run tools/make_libraries.py'}")
        else:
            output.write_bytes(zlib.compress(content, 9))
            print(f"{output}: {len(content):,} bytes, {output.stat().st_size:,} packed")
    return int(differing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
