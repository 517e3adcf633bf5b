"""The difference between two sets of results, and between what two artifacts ask of any host."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.model.gate import SEVERITIES, Change
from abicheck.model.report import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from abicheck.model.artifact import Distribution
    from abicheck.model.elf import SharedObject
    from abicheck.model.gate import ChangeKind
    from abicheck.model.lock import Selection
    from abicheck.model.report import Result, Verdict, Window
    from abicheck.model.requirements import Requirements

    _Versions = tuple[str | None, str | None]

_SAYS: dict[Verdict, str] = {
    "loads": "loads",
    "depends": "may or may not load",
    "fails": "does not load",
    "not-installable": "has no wheel",
}
_WORSE: dict[Verdict, ChangeKind] = {
    "fails": "newly-fails",
    "not-installable": "newly-not-installable",
    "depends": "newly-depends",
}
#: Without the hash that auditwheel puts into it.
_LIBRARY = re.compile(r"(lib[^/]*?)(?:-[0-9a-f]{8})?\.so[.\d]*")
#: So many symbols are named.
_SHOWN = 3
#: What keeps a distribution from a release that loads: the first that is to be done about it.
_PINS = "pin-excludes-loading"
_GONE = "is no longer installed"
#: Of these traits the value is told; the bytes of thread-local variables change with every build.
_TOLD = ("marker", "isa-level", "kernel", "page-size")


def compare_results(old: Sequence[Result], new: Sequence[Result]) -> tuple[list[Change], int]:
    """What changes package by package and host by host, alike hosts together; and how many pairs are as they were."""
    before, after = _by_place(old), _by_place(new)
    found: list[Change] = []
    unchanged = 0
    for place in dict.fromkeys((*before, *after)):
        change = _verdict(place, before.get(place), after.get(place))
        if change is None:
            unchanged += 1
        else:
            found.append(change)
    return together([*found, *_windows(before, after)]), unchanged


def believed(changes: Iterable[Change], *, old: bool, new: bool, pinned: AbstractSet[str] = frozenset()) -> Iterator[Change]:
    """The changes as far as they are known, where not all of `old` or `new` was judged, as these say.

    What was not judged is neither new nor gone, and what fails now may have failed before. Of the packages `pinned`, one lock
    tells that they are not in it, whatever was judged.
    """
    doubtful = {*(() if new else ("removed",)), *(() if old else ("added",))}
    for change in changes:
        if change.package in pinned:
            yield change
        elif not old and change.old is None and change.kind in _WORSE.values():
            yield change._replace(kind="still-fails", text=f"{change.text}; whether it did before is not known")
        elif change.kind not in doubtful:
            yield change


def changed_pins(old: Selection, new: Selection) -> list[Change]:
    """What a lock installs that the other one does not."""
    before, after = ({package.name: package.version for package in each.packages} for each in (old, new))
    added = [Change("added", name, None, version, "is new") for name, version in after.items() if name not in before]
    return [*added, *(Change("removed", name, before[name], None, _GONE) for name in before if name not in after)]


def compare_needs(package: str, versions: _Versions, old: Requirements, new: Requirements) -> list[Change]:
    """What the new artifact asks of any host that the old one did not, and the other way round."""
    gpus = [", ".join(_gpu(each)) or "no GPU" for each in (old, new)]
    found = list(_of_window(package, versions, old.window, new.window))
    if gpus[0] != gpus[1]:
        found.append(Change("gpu-changed", package, *versions, f"asks for {gpus[1]}, before for {gpus[0]}"))
    libraries, traits = [[names(each) for each in (old, new)] for names in (_libraries, _traits)]
    rows: tuple[tuple[ChangeKind, str, set[str]], ...] = (
        ("libraries-added", "needs {}", libraries[1] - libraries[0]),
        ("libraries-dropped", "no longer needs {}", libraries[0] - libraries[1]),
        ("trait-added", "asks for {}", traits[1] - traits[0]),
        ("trait-dropped", "no longer asks for {}", traits[0] - traits[1]),
    )
    found += [Change(kind, package, *versions, text.format(_listed(names))) for kind, text, names in rows if names]
    return _sorted(found)


def compare_pythons(package: str, versions: _Versions, old: AbstractSet[str], new: AbstractSet[str]) -> Iterator[Change]:
    """For which Pythons, as in `3.12`, there is a wheel and was none, and the other way round."""
    if new - old:
        yield Change("python-added", package, *versions, f"has wheels for Python {_listed(new - old)}, too")
    if old - new:
        yield Change("python-dropped", package, *versions, f"has no wheel for Python {_listed(old - new)} any more")


def newly_yanked(old: Sequence[Distribution], new: Sequence[Distribution]) -> Iterator[Change]:
    """The releases that their maintainers took back and that were not installed before."""
    before = {each.name: each.version for each in old}
    for each in new:
        version = before.get(each.name)
        if each.yanked is not None and each.version != version:
            reason = f": {each.yanked}" if each.yanked else ""
            yield Change("yanked", each.name, version, each.version, f"was taken back by its maintainers (yanked){reason}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=lambda name: (_numbers(name), name)))


def compare_exports(
    package: str, versions: _Versions, old: Mapping[str, SharedObject], new: Mapping[str, SharedObject]
) -> Iterator[Change]:
    """Which symbols the libraries that a package brings no longer define, and which libraries it no longer brings.

    `old` and `new` are its shared objects by path. Libraries are told apart by their names without hash and version.
    """
    before, after = (_by_library(each) for each in (old, new))
    gone = sorted(name for name in before if name not in after)
    if gone:
        yield Change("exports-dropped", package, *versions, f"no longer brings {', '.join(gone)}")
    for name in (each for each in before if each in after):
        dropped = sorted({*before[name].definitions} - {*after[name].definitions})
        if dropped:
            told = ", ".join(dropped[:_SHOWN]) + (", ..." if len(dropped) > _SHOWN else "")
            symbols = "symbol" if len(dropped) == 1 else "symbols"
            yield Change("exports-dropped", package, *versions, f"{name} no longer has {len(dropped):,} {symbols}: {told}")


def _by_library(objects: Mapping[str, SharedObject]) -> dict[str, SharedObject]:
    named = ((_LIBRARY.fullmatch(posixpath.basename(path)), facts) for path, facts in objects.items())
    return {f"{match[1]}.so": facts for match, facts in named if match}


def _libraries(asked: Requirements) -> set[str]:
    return {library.name for library in asked.libraries}


def _traits(asked: Requirements) -> set[str]:
    found = ((trait.kind, trait.value if trait.kind in _TOLD else None) for trait in asked.traits)
    return {" ".join(filter(None, (kind.replace("-", " "), value))) for kind, value in found}


def _by_place(results: Iterable[Result]) -> dict[tuple[str, str], Result]:
    return {(result.artifact.name, result.host.name): result for result in results}


def _verdict(place: tuple[str, str], old: Result | None, new: Result | None) -> Change | None:
    """How the verdict on one package on one host changes; None where nothing is to be said."""
    package, host = place
    versions = (old.artifact.version if old else None, new.artifact.version if new else None)
    if new is None:
        return Change("removed", package, *versions, _GONE, (host,))
    rank = [len(WORST_FIRST) if each is None else WORST_FIRST.index(each.verdict) for each in (old, new)]
    if rank[1] < rank[0] and new.verdict != "loads":
        kind, says = _worsened(new)
        return _explained(Change(kind, package, *versions, says, (host,)), new)
    if old is None:
        return Change("added", package, *versions, "is new, and loads", (host,))
    if new.verdict == "loads" and old.verdict != "loads":
        return Change("newly-fixed", package, *versions, f"loads; {old.artifact.version} {_SAYS[old.verdict]}", (host,))
    if new.verdict in ("fails", "not-installable"):
        return _explained(Change("still-fails", package, *versions, f"{_SAYS[new.verdict]}, as before", (host,)), new)
    return None


def _explained(change: Change, new: Result) -> Change:
    """A change with what the result says of why it does not load, and of what to do."""
    error = next((finding for finding in new.findings if finding.severity == "error"), None)
    pins = [finding for finding in new.findings if finding.rule == _PINS]
    return change._replace(
        predicted=new.predicted,
        remedies=(*(each for pin in pins for each in pin.remedies), *(error.remedies if error else ())),
        location=next((finding.location for finding in new.findings if finding.location and finding.rule != _PINS), None),
        rule=error.rule if error else None,
        why=tuple(pin.message for pin in pins),
    )


def _worsened(new: Result) -> tuple[ChangeKind, str]:
    """What to call a result that is worse than before; nothing to worry about where all its errors are excused."""
    excuses = dict.fromkeys(each.excuse for each in new.ignored if each.severity == "error" and each.excuse)
    if not excuses or any(finding.severity == "error" for finding in new.findings):
        return _WORSE[new.verdict], _SAYS[new.verdict]
    why = " and ".join(map(str, excuses))
    return "ignored", f"{_SAYS[new.verdict]}, which is ignored ({why})"


def _windows(before: Mapping[tuple[str, str], Result], after: Mapping[tuple[str, str], Result]) -> list[Change]:
    """Each package's window, which is the same on all hosts."""
    found: dict[Change, None] = {}
    for place, old in before.items():
        new = after.get(place)
        if new is not None and old.window is not None and new.window is not None:
            versions = old.artifact.version, new.artifact.version
            found |= dict.fromkeys(_of_window(place[0], versions, old.window, new.window))
    return list(found)


def _of_window(package: str, versions: _Versions, old: Window | None, new: Window | None) -> Iterator[Change]:
    if old is None or new is None:
        return
    if old.glibc_min != new.glibc_min:
        kind: ChangeKind = "narrowed" if _numbers(new.glibc_min or "") > _numbers(old.glibc_min or "") else "widened"
        says = f"needs glibc {new.glibc_min} or newer" if new.glibc_min else "needs no oldest glibc any more"
        yield Change(kind, package, *versions, f"{says} (before: {old.glibc_min or 'any'})")
    if old.glibc_max != new.glibc_max:
        # Without a newest one all are welcome.
        kind = "narrowed" if _numbers(new.glibc_max or "99") < _numbers(old.glibc_max or "99") else "widened"
        says = f"loads up to glibc {new.glibc_max} only" if new.glibc_max else "loads on the newest glibc, too"
        before = f"up to {old.glibc_max}" if old.glibc_max else "on all newer ones"
        yield Change(kind, package, *versions, f"{says} (before: {before})")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.rstrip("t").split(".") if part.isdigit())


def _gpu(asked: Requirements) -> tuple[str, ...]:
    return (*(f"CUDA {each}" for each in asked.gpu.cuda), *(f"cuDNN {each}" for each in asked.gpu.cudnn))


def together(changes: Iterable[Change]) -> list[Change]:
    """One change for all hosts of which the same is to be said, the worst first."""
    hosts: dict[Change, dict[str, None]] = {}
    for change in changes:
        hosts.setdefault(change._replace(hosts=()), {}).update(dict.fromkeys(change.hosts))
    return _sorted(change._replace(hosts=tuple(names)) for change, names in hosts.items())


def _sorted(changes: Iterable[Change]) -> list[Change]:
    """The worst first."""
    order = list(SEVERITIES)
    return sorted(changes, key=lambda change: order.index(change.kind))
