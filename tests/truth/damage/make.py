"""Makes the damaged objects of `damaged.toml`, each beside what it needs, so that its search paths lead where they led."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.truth.damage.sample import is_sound, sample
from tests.truth.roots import RECIPES, open_host

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.truth.damage.edits import Edit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIST = Path(__file__).parents[1] / "damaged.toml"
#: So many sets of variants stay in the cache, those used last.
KEPT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """The object `damages` of the tree `source` is damaged, and `opens` of that tree is opened, on `machine` ("": on any)."""

    number: int
    machine: str
    source: Path
    damages: str
    opens: str

    @property
    def name(self) -> str:
        """Where its variants lie."""
        return f"{self.number:02}-{Path(self.damages).name.partition('.')[0]}"

    def data(self) -> bytes:
        """The sound object."""
        return (self.source / self.damages).read_bytes()


def make_damaged(directory: Path, wheels: list[Path], seed: int | None, machines: Collection[str]) -> list[dict[str, str]]:
    """Make every variant under `directory`, unless they are there, and list them: the fields of a `Subject`."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    chosen = [
        (victim, _edits(victim, listed["count"], listed["seed"] if seed is None else seed))
        for victim in _victims(listed, wheels, machines)
    ]
    target = directory / f"damaged-{_digest(chosen)}"
    if not target.exists():
        with tempfile.TemporaryDirectory(prefix=".damaged.", dir=directory) as work:
            into = Path(work, target.name)
            made = [item for victim, edits in chosen for item in _variants(victim, edits, into)]
            (into / "list.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
            into.rename(target)
    os.utime(target)
    for old in sorted(directory.glob("damaged-*"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old)
    items: list[dict[str, str]] = json.loads((target / "list.json").read_text(encoding="utf-8"))
    return items


def _victims(listed: dict[str, Any], wheels: list[Path], machines: Collection[str]) -> Iterator[Victim]:
    wanted = [(group, path, path) for group in listed["object"] for path in group["paths"]]
    wanted += [(pair, pair["damages"], pair["opens"]) for pair in listed["dependency"]]
    for number, (entry, damages, opens) in enumerate(wanted):
        machine = entry.get("machine", "x86_64").replace("any", "")
        if machine and machine not in machines:
            continue
        origin = entry["from"]
        source = open_host(origin).root if origin in RECIPES else next(wheel for wheel in wheels if wheel.name.startswith(origin))
        yield Victim(number=number, machine=machine, source=source, damages=damages, opens=opens)


def _edits(victim: Victim, counts: dict[str, int], seed: int) -> list[tuple[str, Edit]]:
    """The family and the edit of each variant."""
    data = victim.data()
    if not is_sound(data):
        raise ValueError(f"{victim.damages} has tables that cannot be read: choose another object")
    name = f"{seed} {victim.number} {victim.damages}"
    return [(family, edit) for family, count in counts.items() for edit in sample(data, family, count, name)]


def _digest(chosen: list[tuple[Victim, list[tuple[str, Edit]]]]) -> str:
    """Changes with everything that the variants depend on, so that a path always names the same bytes."""
    digest = blake2b(digest_size=6)
    for victim, edits in chosen:
        digest.update(victim.data())
        digest.update(repr((victim.name, victim.machine, victim.opens, edits)).encode())
    return digest.hexdigest()


def _variants(victim: Victim, edits: list[tuple[str, Edit]], into: Path) -> Iterator[dict[str, str]]:
    data = victim.data()
    prefix = "dependency " if victim.opens != victim.damages else ""
    for number, (family, edit) in enumerate(edits):
        opened = _write(victim, into / victim.name, number, edit.apply(data))
        path = f"{into.name}/{opened.relative_to(into)}"
        yield {"path": path, "family": prefix + family, "edit": f"{edit.kind}: {edit.name}", "machine": victim.machine}


def _write(victim: Victim, tree: Path, number: int, content: bytes) -> Path:
    """Write one variant and return the path to open."""
    if victim.opens == victim.damages:
        # Beside the original's neighbours, which all its variants share.
        _link_neighbours(victim, tree)
        variant = tree / victim.damages
        variant = variant.with_name(f"{number:03}-{variant.name}")
        variant.parent.mkdir(parents=True, exist_ok=True)
    else:
        # The wanted name must lead to the damaged file, so that each variant has a tree of its own.
        tree /= f"{number:03}"
        _link_neighbours(victim, tree)
        variant = tree / victim.damages
        variant.unlink(missing_ok=True)
    variant.write_bytes(content)
    return variant if victim.opens == victim.damages else tree / victim.opens


def _link_neighbours(victim: Victim, tree: Path) -> None:
    """Hard links to the libraries that came with the object, and to what is opened."""
    if tree.exists():
        return
    tree.mkdir(parents=True)
    for libraries in victim.source.glob("*.libs"):
        shutil.copytree(libraries, tree / libraries.name, copy_function=os.link)
    opens = tree / victim.opens
    if victim.opens != victim.damages and not opens.exists():
        opens.parent.mkdir(parents=True, exist_ok=True)
        os.link(victim.source / victim.opens, opens)
