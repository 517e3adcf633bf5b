"""A new wheel in which shared objects are repaired: what changes, the archive itself, and the proof that nothing else did."""

from __future__ import annotations

import mmap
import os
import tempfile
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from abicheck.act.repair.edits import patch, spliced
from abicheck.act.repair.objects import repair_object
from abicheck.act.repair.record import check_listed, new_hash, record_edits
from abicheck.act.repair.rewrite import rewrite
from abicheck.errors import TargetError
from abicheck.model.artifact import Scheme
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.archive import Archive
from abicheck.read.artifacts.layout import directories_of, installed_paths
from abicheck.read.artifacts.wheel import open_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from abicheck.act.repair.rewrite import Opener
    from abicheck.model.artifact import Distribution
    from abicheck.model.repair import Change, Check
    from abicheck.read.artifacts.archive import Member

#: What is appended to the build tag of a wheel, or to 1 where it has none: pip prefers the higher one (PEP 427).
MARK = "abicheck"
_ANYWHERE = Scheme("/site-packages", "/bin", "/data")
_BLOCK = 1 << 20


class WheelPlan(NamedTuple):
    """What is to change in a wheel: shared objects by their names in it, and the whole text of WHEEL and RECORD."""

    archive: Archive
    distribution: Distribution
    file_name: str
    objects: int
    changes: Mapping[str, tuple[Change, ...]]
    texts: Mapping[str, bytes]


def plan_wheel(path: str, *, search_path: bool = False) -> WheelPlan:
    """What is to change in the wheel at `path`: nothing where no shared object needs a repair.

    With `search_path` relative entries of search paths, too. Raises `TargetError` for what is no wheel, what cannot be repaired,
    and what could not be verified afterwards.
    """
    archive = Archive(path, path)
    distribution = open_wheel(path, _ANYWHERE, path).distribution
    members = [member for member in archive.members.values() if member.is_elf]
    names, directories = _layout(archive, path)
    tops = {name.partition("/")[0] for name in archive.members if "/" in name}
    info = next(name for name in tops if name.endswith(".dist-info"))  # open_wheel has seen that there is one
    record = archive.read(f"{info}/RECORD", metadata.LIMIT) or b""
    rows = metadata.record(record)
    changes: dict[str, tuple[Change, ...]] = {}
    new: dict[str, tuple[str, int]] = {}
    for member in members:
        with _writable(archive, member) as content:
            below = names.get(member.name)  # site-packages: where the rest lands is up to the installer
            found = repair_object(content, below or member.name, directories if search_path and below else None)
            if found:
                changes[member.name] = found
                row = rows.get(member.name)
                check_listed(member.name, row and row.hash, archive.chunks(member))
                new[member.name] = new_hash(row.hash if row else "", content), member.size
    if not changes:
        return WheelPlan(archive, distribution, "", len(members), {}, {})
    _refuse(archive, distribution, info, path)
    file_name, build = _build(os.path.basename(path), path)
    wheel = _with_build(archive.read(f"{info}/WHEEL", metadata.LIMIT) or b"", build)
    row = rows.get(f"{info}/WHEEL")
    new[f"{info}/WHEEL"] = new_hash(row.hash if row else "", wheel), len(wheel)
    texts = {f"{info}/WHEEL": wheel, f"{info}/RECORD": spliced(record, record_edits(record, new))}
    return WheelPlan(archive, distribution, file_name, len(members), changes, texts)


def make_wheel(plan: WheelPlan, directory: str, check: Callable[[str], tuple[Check, ...]]) -> tuple[str, tuple[Check, ...]]:
    """Write the new wheel into a directory, compared with the old one and checked; its path, and what `check` says of it.

    It appears there when all that is done. Raises `TargetError` for what cannot be written or is not as planned.
    """
    target = os.path.join(directory, plan.file_name)
    try:
        os.makedirs(directory, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".abicheck-", dir=directory) as work:
            draft = os.path.join(work, plan.file_name)
            _write(plan, draft)
            _verify(plan, Archive(draft, plan.archive.path))
            checks = check(draft)
            os.replace(draft, target)
    except OSError as error:
        raise TargetError(
            f"cannot be written ({os.strerror(error.errno or 0)}); name another directory with -o", target
        ) from None
    return target, checks


def _write(plan: WheelPlan, path: str) -> None:
    members = plan.archive.members
    changed: dict[int, Opener] = {}
    for name, text in plan.texts.items():
        changed[members[name].number] = partial(_text, text)
    for name, changes in plan.changes.items():
        changed[members[name].number] = partial(_writable, plan.archive, members[name], changes)
    with open(plan.archive.path, "rb") as source, open(path, "xb") as target:
        rewrite(source, target, changed, plan.archive.path)
        target.flush()
        os.fsync(target.fileno())


def _text(content: bytes) -> AbstractContextManager[bytes]:
    return nullcontext(content)


def _layout(archive: Archive, given: str) -> tuple[dict[str, str], set[str]]:
    """Where members lie below site-packages, and the directories there."""
    library = _ANYWHERE.library + "/"
    places = installed_paths(archive.members, _ANYWHERE, frozenset(), given)
    names = {member: place[len(library) :] for place, member in places.items() if place.startswith(library)}
    return names, {each[len(library) :] for each in directories_of(places)}


@contextmanager
def _writable(archive: Archive, member: Member, changes: tuple[Change, ...] = ()) -> Iterator[bytearray | mmap.mmap]:
    """The content of a member in memory that is this process's own, with the changes made."""
    with archive.inflated(member) as data:
        content = data if isinstance(data, mmap.mmap) else bytearray(data)
        patch(content, [change.edit for change in changes])
        yield content


def _refuse(archive: Archive, distribution: Distribution, info: str, given: str) -> None:
    """Raise for what would not be the same afterwards, or could not be told to be."""
    for name in ("RECORD.jws", "RECORD.p7s"):
        if f"{info}/{name}" in archive.members:
            raise TargetError(f"it is signed ({name}), and the signature would no longer hold; ask its maintainers", given)
    for problem in distribution.problems:
        if problem.kind != "not-in-record":
            raise TargetError(f"it is damaged: {problem.path} {problem.detail}; fetch it again", given)


def _build(file_name: str, given: str) -> tuple[str, str]:
    """The name of the new wheel, and its build tag."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 -- most wheels need no repair

    try:
        parse_wheel_filename(file_name)
    except InvalidWheelFilename as error:
        raise TargetError(f"no name that pip takes for a wheel ({error}); give it its own name back", given) from None
    name, version, *build, python, abi, platform = file_name.split("-")
    tag = (build[0] if build else "1") + MARK
    return f"{name}-{version}-{tag}-{python}-{abi}-{platform}", tag


def _with_build(wheel: bytes, build: str) -> bytes:
    """WHEEL with this build tag, every other line as it was."""
    lines = wheel.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    ending = b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    new = f"Build: {build}".encode() + ending
    old = next((number for number in range(end) if lines[number].lower().startswith(b"build:")), None)
    if old is None:
        if end and not lines[end - 1].endswith(b"\n"):
            lines[end - 1] += ending
        lines.insert(end, new)
    else:
        lines[old] = new
    return b"".join(lines)


def _verify(plan: WheelPlan, new: Archive) -> None:
    """Read both wheels again: what was to change did, and nothing else."""
    old = plan.archive
    rows = metadata.record(next(text for name, text in plan.texts.items() if name.endswith("/RECORD")))
    same = list(old.members) == list(new.members) and not new.oddities
    for name, member in old.members.items() if same else ():
        fresh = new.members[name]
        if name in plan.texts:
            same &= new.read(name, metadata.LIMIT) == plan.texts[name]
        elif name in plan.changes:
            with _writable(old, member, plan.changes[name]) as wanted:
                same &= metadata.record_hash("sha256", [wanted]) == metadata.record_hash("sha256", new.chunks(fresh))
            same &= not rows[name].hash or metadata.hash_matches(rows[name].hash, new.chunks(fresh))
        else:
            same &= member._replace(data=0) == fresh._replace(data=0) and _raw(old, member) == _raw(new, fresh)
    if not same:
        raise TargetError("the new wheel is not what was planned, so it is not kept; report this to abicheck", old.path)


def _raw(archive: Archive, member: Member) -> str:
    """A hash of the member as it lies in the archive, compressed or not."""
    with open(archive.path, "rb") as file:
        file.seek(member.data)
        left = range(0, member.compressed, _BLOCK)
        return metadata.record_hash("sha256", (file.read(min(_BLOCK, member.compressed - at)) for at in left))
