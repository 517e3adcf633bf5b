"""The distributions of one environment on one host: what importing and starting what they bring would say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import HostError
from abicheck.judge import loader, order, roots, verdict
from abicheck.judge.interpreter import vouched_interpreter
from abicheck.model.files import FileId
from abicheck.model.process import Missing
from abicheck.model.report import WORST_FIRST, Artifact, Assumption, HostSummary, Judgement, PythonSummary, Result, RootResult
from abicheck.read.files import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from abicheck.model.artifact import Package
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process
    from abicheck.model.report import RootKind, Verdict

#: A device that no file system has, for the interpreter that is not there.
_NOWHERE = -1


class Load(NamedTuple):
    """One root of a distribution, loaded."""

    path: str
    link_map: LinkMap
    judgement: Judgement


class _AbsentPython(NamedTuple):
    """The target Python where the host lacks it, as the overlay takes it."""

    path: str
    facts_of_it: ElfFile

    def entries(self) -> Mapping[str, FileId]:
        return {self.path: FileId(_NOWHERE, 1, 0, 0, 0)}

    def facts(self, file: FileId) -> ElfFile:  # noqa: ARG002 -- there is but one
        return self.facts_of_it


class EnvironmentRun:
    """Packages that are (or would be) installed together on a host whose Python has started; `beside` finds what else is."""

    def __init__(self, host: Host, packages: Sequence[Package], beside: Callable[[], Sequence[Package]]) -> None:
        layers: list[Layer] = list(packages)
        assert host.python is not None
        if not host.python.at_hand:
            layers.append(_AbsentPython(host.python.path, vouched_interpreter(host)))
            version = ".".join(map(str, host.python.version or ()))
            vouched = Assumption("interpreter", f"Python {version} is not on the host; the wheel's tag vouches for its symbols")
            host = host._replace(assumptions=(*host.assumptions, vouched))
        self.host = host._replace(files=Overlay(host.files, *layers))
        self._packages = packages
        self._beside = beside
        self._memo = loader.Memo()
        self._process = self._start(host.python.path)

    def _start(self, python: str) -> Process:
        link_map, process = loader.start(self.host, python, self._memo)
        if link_map.predicted is not None:
            message = f"its Python {python} does not start ({link_map.predicted}); name another with --python"
            raise HostError(message, self.host.name)
        return process

    def facts(self, path: str) -> ElfFile | None:
        """The facts of a binary, None where it is not there."""
        file = self.host.files.stat(path)
        return None if isinstance(file, int) else self.host.files.facts(file)

    def result(self, package: Package) -> Result:
        """The verdict on one distribution: the worst of its roots."""
        loads, unjudged = self.loads(package)
        best = self._judged_as_sets(loads)
        worst = verdict_of(load.judgement for load in best)
        deciding = next((load.judgement for load in best if load.judgement.verdict == worst), None)
        return self._assemble(package, loads, worst, deciding, unjudged)

    def loads(self, package: Package) -> tuple[list[Load], dict[str, str]]:
        """Every root of the distribution, loaded, and why its other binaries are none."""
        kinds: dict[str, RootKind] = {}
        unjudged: dict[str, str] = {}
        for path in package.distribution.binaries:
            facts = self.facts(path)
            role = roots.Role(None, "it is not there") if facts is None else roots.role(path, facts, self.host)
            if role.kind is None:
                unjudged[path] = role.reason
            else:
                kinds[path] = role.kind
        loads = [self._load(path, kind, package) for path, kind in kinds.items() if kind != "library"]
        reached = {(item.file.device, item.file.inode) for load in loads for item in load.link_map.objects if item.file}
        for path, kind in kinds.items():
            file = self.host.files.stat(path)
            if kind == "library" and not isinstance(file, int) and (file.device, file.inode) not in reached:
                if any(load.judgement.kind != "library" for load in loads):
                    unjudged[path] = "a library that no extension or program of the distribution loads"
                else:
                    loads.append(self._load(path, kind, package))
        return loads, unjudged

    def _load(self, path: str, kind: RootKind, package: Package) -> Load:
        if kind == "executable":
            link_map, _ = loader.start(self.host, path, self._memo)
        else:
            link_map, _ = loader.dlopen(self._process, path, self.host, self._memo)
        judgement = verdict.judge(link_map, kind)
        if link_map.errors and kind != "executable":
            missing = self._cure(path, link_map, package)
            if missing is not None:
                judgement = judgement._replace(verdict="depends", missing_facts=(missing,))
        return Load(path, link_map, judgement)

    def _cure(self, path: str, failed: LinkMap, package: Package) -> Missing | None:
        """What may make a load succeed that lacks something: another distribution's import, or what its own Python opens."""
        others = [self._neighbour(other) for other in (*self._packages, *self._beside()) if other is not package]
        cure = order.cured_by(path, failed, self._process, self.host, self._memo, others)
        if cure is not None:
            return cure[0]
        if all(error.kind in ("library-missing", "symbol-missing") for error in failed.errors):
            for preload in package.sources().preloads:
                what = preload.name or "libraries"
                return Missing(
                    "preload", f"{preload.path}:{preload.line} opens {what} by itself before, which may bring what lacks"
                )
        return None

    def _neighbour(self, package: Package) -> order.Neighbour:
        binaries = package.distribution.binaries
        kinds = {path: facts for path in binaries if (facts := self.facts(path)) is not None}
        extensions = tuple(path for path, facts in kinds.items() if roots.role(path, facts, self.host).kind == "extension")
        return order.Neighbour(package.distribution.name, extensions, binaries)

    def _judged_as_sets(self, loads: Sequence[Load]) -> list[Load]:
        """Of each set of binaries of which one is enough only the best."""
        needed = {load.path: self._needed(load.path) for load in loads}
        by_path = {load.path: load for load in loads}
        for members in roots.alternatives(needed):
            ranked = sorted(members, key=lambda path: WORST_FIRST.index(by_path[path].judgement.verdict))
            for path in ranked[:-1]:
                del by_path[path]
        return list(by_path.values())

    def _needed(self, path: str) -> tuple[str, ...]:
        dynamic = getattr(self.facts(path), "dynamic", None)
        return dynamic.needed if dynamic is not None else ()

    def _assemble(
        self, package: Package, loads: Sequence[Load], worst: Verdict, deciding: Judgement | None, unjudged: Mapping[str, str]
    ) -> Result:
        distribution, host = package.distribution, self.host
        python = host.python
        assert python is not None
        version = ".".join(map(str, python.version)) if python.version else None
        suffix = "t" if python.free_threaded else ""
        findings = dict.fromkeys(finding for load in loads for finding in load.judgement.findings)
        missing = dict.fromkeys(each for load in loads for each in load.judgement.missing_facts)
        return Result(
            artifact=Artifact(
                name=distribution.name,
                version=distribution.version,
                kind=distribution.kind,
                path=distribution.given,
                sha256=distribution.sha256,
                arch=host.arch,
                tags=distribution.tags,
            ),
            host=HostSummary(host.name, host.kind, host.arch, host.libc.kind, ".".join(map(str, host.libc.version))),
            python=PythonSummary(
                version=version,
                abi=f"cp{version.replace('.', '')}{suffix}" if version else None,
                path=python.path if python.at_hand else None,
            ),
            verdict=worst,
            predicted=deciding.predicted if deciding is not None else None,
            prefix=distribution.scheme.library,
            capabilities=(("cpu", worst),),
            roots=tuple(
                RootResult(load.path, load.judgement.kind, load.judgement.verdict, load.judgement.predicted) for load in loads
            ),
            findings=tuple(findings),
            assumptions=host.assumptions,
            missing_facts=tuple(missing),
            objects=len({item.path for load in loads for item in load.link_map.objects}),
            references=sum(load.judgement.references for load in loads),
            unjudged=tuple(unjudged.items()),
        )


def verdict_of(judgements: Iterable[Judgement]) -> Verdict:
    """The worst of these verdicts; what has no native code at all loads."""
    found = {judgement.verdict for judgement in judgements}
    return next((each for each in WORST_FIRST if each in found), "loads")
