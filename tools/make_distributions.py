"""Write the package's list of distributions from tools/inputs: `python tools/make_distributions.py` (`--check`: only compare)."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs"
OUTPUT = HERE.parent / "src" / "abicheck" / "read" / "hosts" / "data" / "distributions.json"

#: The inputs and where they are from; a changed file is refused until its new hash stands here.
SOURCES = {
    "host-profiles.json": "pep600_compliance 2d70275, endoflife.date a70eca3, Debian's archive 2026-11 (its `marks` say which)",
    "gcc-runtime-nodes.json": "gcc-mirror/gcc 05cfd7b0 (abi.xml) and Debian's packages",
    "distro-nodes.pep600.tsv": "pep600_compliance 2d70275",
    "distributions.toml": "this project",
}
FAMILIES = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "opensuse": "suse",
    "sles": "suse",
    "arch": "arch",
}
#: Debian's releases whose libraries are in libraries.ARCH.json.z as they are.
BUILDS = {
    "debian-11": "bullseye",
    "debian-12": "bookworm",
    "debian-13": "trixie",
    "debian-14": "forky",
    "debian-sid+glibc2.44": "experimental",
}


def made() -> str:
    """The list as JSON."""
    profiles = json.loads((INPUTS / "host-profiles.json").read_bytes())
    nodes = json.loads((INPUTS / "gcc-runtime-nodes.json").read_bytes())
    extra = tomllib.loads((INPUTS / "distributions.toml").read_text(encoding="utf-8"))
    found = {}
    for identity, profile in profiles.items():
        name = _name(identity)
        found[name] = _distribution(identity, profile, profiles[extra["same"].get(identity, identity)], nodes, extra)
    for version, row in extra["alpine"].items():
        found[f"alpine:{version}"] = _alpine(version, row)
    for name, image in [*extra["on"].items(), *_alpine_pythons(extra["alpine-python"])]:
        if image["base"] not in found:
            sys.exit(f"distributions.toml: on.{name}.base: {image['base']} is unknown")
        found[name] = image
    inputs = {
        name: {"source": source, "sha256": hashlib.sha256((INPUTS / name).read_bytes()).hexdigest()}
        for name, source in SOURCES.items()
    }
    document = {
        "marks": "V1 pep600_compliance, V2 endoflife.date, V3 Debian's packages, V4 aws-graviton-getting-started, V5 openela, "
        "V6 docker-library, V7 AWS, V8 Colab's backend-info, V9 Alpine's package pages; G: general knowledge, not verified",
        "inputs": inputs,
        "families": extra["family"],
        "aliases": extra["alias"],
        "cuda": extra["cuda"],
        "distributions": found,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _name(identity: str) -> str:
    product, _, version = identity.rpartition("-")
    if identity.startswith("manylinux") or not product:
        return identity
    return f"centos:stream{version}" if product == "centos-stream" else f"{product}:{version}"


def _distribution(
    identity: str, profile: dict[str, str], runtime: dict[str, str], nodes: dict[str, Any], extra: dict[str, Any]
) -> dict[str, Any]:
    glibc = int(profile["glibc"].split()[0].split(".")[1])
    markers = [f"GLIBC_{each}" for each in re.findall(r"ABI_\w+", runtime["GLIBC_ABI_markers_x86"].split("(")[0])]
    # Backported to the release branches in August 2025: a point release may have them.
    backported = {"GLIBC_ABI_DT_X86_64_PLT": range(34, 43), "GLIBC_ABI_GNU2_TLS": range(38, 43)}
    maybe = [name for name, versions in backported.items() if glibc in versions and name not in markers]
    python = re.match(r"(?:as )?(\S+?)[,; ]", profile["python"] + " ")
    version = python[1] if python else ""
    kernel = re.match(r"(\d+)\.(\d+)", profile["kernel"])
    level = re.match(r"v(\d)", profile["x86_64_level"])
    page = re.match(r"(\d+)K", profile["aarch64_page"])
    product = identity.partition("-")[0]
    if identity == "amazonlinux-2":
        version = "3.7"  # its 2.7 is no `python3`
    redhat = (
        product in ("rhel", "rocky", "almalinux")
        and {"7": "3.6", "8": "3.6", "9": "3.9", "10": "3.12"}[identity.rpartition("-")[2]]
    )
    return {
        "family": FAMILIES.get(product, "redhat"),
        "build": BUILDS.get(identity),
        "glibc": glibc,
        "highest": {
            "GLIBCXX": runtime["GLIBCXX_max"],
            "CXXABI": runtime["CXXABI_max"],
            "ZLIB": _zlib(identity, glibc),
            "GCC": {"x86_64": runtime["GCC_max_x86"], "aarch64": runtime["GCC_max_aarch64"]},
        },
        "gomp": _gomp(runtime["libstdc++_GCC"], nodes["libgomp.so.1"]),
        "markers": markers,
        "maybe": {"libc.so.6": maybe, **extra["maybe"].get(identity, {})},
        "python": redhat or (".".join(version.split(".")[:2]) if version[:1].isdigit() else None),
        "kernel": [int(kernel[1]), int(kernel[2]), 0] if kernel else None,
        "level": int(level[1]) if level else 1,
        "page": int(page[1]) if page else 4,
        "arches": ["x86_64"] if identity == "arch" else ["aarch64"] if identity == "manylinux_2_39" else ["x86_64", "aarch64"],
        "eol": profile["eol"] if profile["eol"] != "False" else "",
        "extended": profile["extended_eol"] if profile["extended_eol"] != "False" else "",
        "image": profile["images"],
        "source": {
            "nodes": profile["marks"],
            **{key: profile[field] for key, field in (("python", "python"), ("kernel", "kernel"), ("level", "x86_64_level"))},
            "page": profile["aarch64_page"],
            **({"libraries": profile["libraries"]} if "libraries" in profile else {}),
        },
    }


def _alpine(version: str, row: dict[str, Any]) -> dict[str, Any]:
    """A release of Alpine; from musl 1.2.6 on the loader finds one name more (ldso/dynlink.c, `get_lfs64`)."""
    maybe = ["posix_fallocate64"] if row["musl"] == ["1.2.5", "1.2.6"] else []
    return {
        "family": "alpine",
        "musl": row["musl"],
        "highest": {"ZLIB": "1.2.12"},
        "gomp": [],
        "markers": [],
        "maybe": {"libc": maybe} if maybe else {},
        "unread": [f"{name}.so.{row['openssl']}" for name in ("libcrypto", "libssl")],
        "python": row["python"] or None,
        "kernel": None,
        "level": 1,
        "page": 4,
        "arches": ["x86_64", "aarch64"],
        "eol": row["eol"],
        "extended": "",
        "image": f"alpine:{version}",
        "source": {
            "nodes": row["source"] if "V" in row["source"] else f"{' '.join(row['musl'])} ({row['source']})",
            "python": f"{row['python'] or 'not known'} (G)",
            "libraries": "musl, libz, libssl and libcrypto (G)",
            "level": "v1 (G)",
            "page": "4K (V4)",
        },
    }


def _alpine_pythons(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The images of Python on each release of Alpine, one of which is their usual one."""
    for version, row in table.items():
        if version == "uncertain":
            continue
        for python in row["pythons"]:
            image = {
                "base": f"alpine:{version}",
                "python": python,
                "path": f"/usr/local/bin/python{python}",
                "uncertain": [*table["uncertain"], f"libpython{python}.so.1.0"],
                "source": row["source"] if "V" in row["source"] else f"such an image ({row['source']})",
            }
            for name in [f"python:{python}-alpine{version}", *([f"python:{python}-alpine"] if row.get("default") else [])]:
                yield name, {**image, "image": name}


def _zlib(identity: str, glibc: int) -> str:
    """The newest node of libz, or where there is no row for it that of the distributions of its time."""
    lines = (INPUTS / "distro-nodes.pep600.tsv").read_text(encoding="utf-8").splitlines()
    head, *rows = (line.split("\t") for line in lines)
    found = [row[head.index("max_ZLIB")] for row in rows if row[head.index("distro")] == identity]
    return min(found, key=_release) if found else "1.2.12" if glibc >= 40 else "1.2.9" if glibc >= 26 else "1.2.5"


def _gomp(gcc: str, table: dict[str, list[str]]) -> list[str]:
    """The nodes of libgomp up to a release of GCC, as in `9.3/10`, `7.2+` or `4.8.3-4.8.5`."""
    last = max((*_release(each), 99) for each in re.findall(r"[\d.]+", gcc))
    return [node for release, nodes in table.items() if _release(release) <= last for node in nodes]


def _release(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def main(arguments: list[str]) -> int:
    """Write the list, or say whether it is as it would be made."""
    content = made()
    if "--check" in arguments:
        same = OUTPUT.exists() and OUTPUT.read_text(encoding="utf-8") == content
        print("as it would be made" if same else f"{OUTPUT} differs: run tools/make_distributions.py")
        return 0 if same else 1
    OUTPUT.write_text(content, encoding="utf-8")
    print(f"{OUTPUT}: {len(content):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
