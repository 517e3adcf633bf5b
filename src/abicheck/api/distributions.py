"""The distributions of one environment on one host: what importing and starting what they bring would say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from abicheck.api.absent import absent_python
from abicheck.api.capabilities import gpu_capability, opened_for_gpu, unknown_for_gpu
from abicheck.api.loads import Loads
from abicheck.api.options import Options
from abicheck.api.started import started
from abicheck.api.summaries import artifact_of, python_of, summary_of
from abicheck.judge import explain, order, roots, verdict
from abicheck.judge.requirements import window
from abicheck.judge.rules import across
from abicheck.judge.rules.context import Context, Load, NoWheel, Opened, Reached, Target
from abicheck.judge.rules.environment import reached
from abicheck.judge.rules.subject import Subject
from abicheck.model.artifact import Sources
from abicheck.model.elf import SharedObject
from abicheck.model.host import Assumption
from abicheck.model.process import LinkMap, Missing
from abicheck.model.report import WORST_FIRST, Judgement, Result, RootResult, worst_of
from abicheck.read.files import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abicheck.model.artifact import Distribution, Layer, Package
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.process import Binding
    from abicheck.model.report import RootKind, TreeEntry, Window

_DEFAULT = Options()
_MACHINES = {"x86_64": 62, "aarch64": 183}


class _Root(NamedTuple):
    """One root, loaded and judged."""

    load: Load
    judgement: Judgement


class _Loaded(NamedTuple):
    """A distribution with its roots, why its other binaries are none, and the glibc versions on which all of it loads."""

    package: Package
    roots: tuple[_Root, ...]
    opened: tuple[Opened, ...]
    unjudged: Mapping[str, str]
    window: Window | None


class _Binaries(Mapping[str, "ElfFile"]):
    """The facts of every binary of some distributions by its path on the host, read when they are asked for."""

    def __init__(self, host: Host, distributions: Sequence[Distribution]) -> None:
        self._host = host
        self._paths = dict.fromkeys(path for each in distributions for path in each.binaries)
        self._found: dict[str, ElfFile] = {}

    def __getitem__(self, path: str) -> ElfFile:
        if path not in self._found:
            file = self._host.files.stat(path) if path in self._paths else 0
            if isinstance(file, int):
                raise KeyError(path)
            self._found[path] = self._host.files.facts(file)
        return self._found[path]

    def get(self, path: str, default: Any = None) -> Any:
        """As of any mapping; rules ask the same ones again and again."""
        found = self._found.get(path)
        return super().get(path, default) if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


class EnvironmentRun:
    """Packages that are (or would be) installed together on a host whose Python has started.

    `along` are packages that would be installed with them, `beside` finds what is installed there already. They are not judged.
    `no_wheel` says that one of them (the first, if it names none) has no wheel for the host's own Python. Runs that share `loads`
    share what they load.
    """

    def __init__(
        self,
        host: Host,
        packages: Sequence[Package],
        beside: Callable[[], Sequence[Package]],
        options: Options = _DEFAULT,
        along: Sequence[Package] = (),
        no_wheel: NoWheel | None = None,
        loads: Loads | None = None,
    ) -> None:
        python = host.python
        assert python is not None
        layers: list[Layer] = [*packages, *along]
        if any(package.distribution.kind == "distribution" and package.entries() for package in packages):
            layers += beside()  # an environment of this machine that a root is shown, all of it
        if not python.at_hand:
            layers.append(absent_python(host))
            version = ".".join(map(str, python.version or ()))
            vouched = Assumption("interpreter", f"Python {version} is not on the host; the wheel's tag vouches for its symbols")
            host = host._replace(assumptions=(*host.assumptions, vouched))
        self._host = host._replace(files=Overlay(host.files, *layers))
        self._packages = packages
        self._options = options
        self._along = along
        self._no_wheel = no_wheel
        self._lacking = (no_wheel and no_wheel.name) or packages[0].distribution.name
        self._beside = beside
        self._distributions = [package.distribution for package in packages]
        self._facts = _Binaries(self._host, self._distributions)
        self._loads = loads or Loads()
        self._loader = self._loads.on(self._host)
        self._process = started(self._loader.start(python.path), self._host)

    def results(self) -> list[Result]:
        """The verdict on each distribution: the worst of its roots."""
        loaded = [self._load_all(package) for package in self._packages]
        loads = tuple(root.load for each in loaded for root in each.roots)
        together = reached(loads)
        return [self._result(each, loads, together) for each in loaded]

    def _load_all(self, package: Package) -> _Loaded:
        """Load every root: extensions and programs, and libraries where there is nothing else."""
        kinds: dict[str, RootKind] = {}
        unjudged: dict[str, str] = {}
        for path in package.distribution.binaries:
            facts = self._facts.get(path)
            role = roots.Role(None, "it is not there") if facts is None else roots.role(path, facts, self._host)
            if role.kind is None:
                unjudged[path] = role.reason
            else:
                kinds[path] = role.kind
        libraries = [path for path, kind in kinds.items() if kind == "library"]
        first = [path for path, kind in kinds.items() if kind != "library"]
        glibcs = self._window(package, first or libraries)
        done = [self._load(path, kinds[path], package, glibcs) for path in first]
        reached = {(item.file.device, item.file.inode) for root in done for item in root.load.link_map.objects if item.file}
        for path in libraries:
            file = self._host.files.stat(path)
            assert not isinstance(file, int)
            if not first:
                done.append(self._load(path, "library", package, glibcs))
            elif (file.device, file.inode) not in reached:
                unjudged[path] = "a library that no extension or program of the distribution loads"
        done += self._lost(package)
        opened = opened_for_gpu(package, [root.load for root in done], self._loader)
        return _Loaded(package, tuple(done), opened, unjudged, glibcs)

    def _lost(self, package: Package) -> list[_Root]:
        """The extensions that RECORD lists and that are not there: Python's own search says so, before any loader is asked."""
        distribution = package.distribution
        found = []
        for problem in distribution.problems:
            module = roots.module_of(problem.path, self._host) if problem.kind == "missing" else None
            if module is not None:
                path = f"{distribution.scheme.library}/{problem.path}"
                text = f"python: ModuleNotFoundError: No module named '{module}'"
                subject = Subject(self._host, (distribution,))
                evidence = (f"{problem.path}: {problem.detail}",)
                finding = subject.finding("record-mismatch", path, evidence=evidence, severity="error", others="1 missing")
                link_map = LinkMap(path, objects=(), errors=(), missing=(), scope=(), process=self._process)
                judgement = Judgement("extension", "fails", text, (finding,))
                found.append(_Root(Load(distribution.name, path, "extension", link_map), judgement))
        return found

    def _window(self, package: Package, paths: Sequence[str]) -> Window | None:
        if self._host.libc.kind != "glibc":
            return None
        binaries = package.distribution.binaries
        files = tuple(self._host.files.stat(path) for path in binaries)
        return self._loads.once((self._host.arch, binaries, files, tuple(paths)), lambda: self._find_window(package, paths))

    def _find_window(self, package: Package, paths: Sequence[str]) -> Window | None:
        machine = _MACHINES[self._host.arch]
        objects = {
            path: facts
            for path in package.distribution.binaries
            if isinstance(facts := self._facts.get(path), SharedObject) and not facts.foreign and facts.header.machine == machine
        }
        return window(objects, [path for path in paths if path in objects], self._host.arch)

    def _load(self, path: str, kind: RootKind, package: Package, glibcs: Window | None) -> _Root:
        distribution = package.distribution
        if kind == "executable":
            link_map, _ = self._loader.start(path)
        else:
            link_map, _ = self._loader.dlopen(self._process, path)
        others = [each for each in self._distributions if each is not distribution]
        judgement = verdict.judge(link_map, kind, self._host, (distribution, *others), glibcs, strict=self._options.strict)
        if link_map.errors and kind != "executable":
            missing = self._cure(path, link_map, package)
            if missing is not None:
                judgement = judgement._replace(verdict="depends", findings=(), missing_facts=(*judgement.missing_facts, missing))
        return _Root(Load(distribution.name, path, kind, link_map), judgement)

    def _cure(self, path: str, failed: LinkMap, package: Package) -> Missing | None:
        """What may make a load succeed that lacks something: another distribution's import, or what its own Python opens."""
        if any(error.kind not in order.CURABLE for error in failed.errors):
            return None
        others = [each for each in (*self._packages, *self._along, *self._beside()) if each is not package]
        neighbours = [self._neighbour(each) for each in others]
        own = self._neighbour(package)
        cure = order.cured_by(path, self._process, self._host, self._loader.memo, own.binaries, neighbours)
        if cure is not None:
            return cure
        complete = order.required(package.distribution.requires) <= {each.distribution.name for each in others}
        state = failed, self._process, self._host, self._loader.memo, (own, *neighbours)
        for preload in package.sources().preloads:
            if not complete or order.may_be_brought(preload.name, path, *state):
                what = preload.name or "libraries"
                reason = f"{preload.path}:{preload.line} opens {what} by itself, which may bring what is lacking"
                return Missing("preload", reason)
        return None

    def _neighbour(self, package: Package) -> order.Neighbour:
        binaries = package.distribution.binaries
        facts = _Binaries(self._host, [package.distribution])
        extensions = tuple(
            path for path in binaries if path in facts and roots.role(path, facts[path], self._host).kind == "extension"
        )
        return order.Neighbour(package.distribution.name, extensions, binaries)

    def _counted(self, done: Sequence[_Root]) -> list[_Root]:
        """All roots, but of each set of binaries of which one is enough only the best."""
        by_path = {root.load.path: root for root in done}
        needed = {path: self._needed(path) for path in by_path}
        for members in roots.alternatives(needed):
            ranked = sorted(members, key=lambda path: WORST_FIRST.index(by_path[path].judgement.verdict))
            for path in ranked[:-1]:
                del by_path[path]
        return list(by_path.values())

    def _needed(self, path: str) -> tuple[str, ...]:
        facts = self._facts.get(path)
        dynamic = facts.dynamic if isinstance(facts, SharedObject) else None
        return dynamic.needed if dynamic is not None else ()

    def _result(self, loaded: _Loaded, loads: tuple[Load, ...], together: Reached) -> Result:
        distribution = loaded.package.distribution
        counted = self._counted(loaded.roots)
        worst = worst_of({root.judgement.verdict for root in counted}) or "loads"
        deciding = next((root.judgement for root in counted if root.judgement.verdict == worst), None)
        findings = [finding for root in counted for finding in root.judgement.findings]
        findings += across.findings(self._context(loaded, loads, together))
        missing = [each for root in counted for each in root.judgement.missing_facts]
        return Result(
            artifact=artifact_of(distribution, self._host.arch),
            host=summary_of(self._host),
            python=python_of(self._host),
            verdict=worst,
            predicted=deciding.predicted if deciding is not None else None,
            prefix=distribution.scheme.library,
            window=loaded.window,
            capabilities=(("cpu", worst), *gpu_capability(worst, loaded.opened)),
            roots=tuple(RootResult(load.path, judged.kind, judged.verdict, judged.predicted) for load, judged in loaded.roots),
            findings=tuple(dict.fromkeys(findings)),
            assumptions=self._host.assumptions,
            missing_facts=tuple(dict.fromkeys([*missing, *unknown_for_gpu(worst, loaded.opened)])),
            objects=len({item.path for load, _ in loaded.roots for item in load.link_map.objects}),
            references=sum(root.judgement.references for root in loaded.roots),
            unjudged=tuple(loaded.unjudged.items()),
            tree=self._tree(loaded) if self._options.tree else None,
            bindings=self._bindings(loaded, self._options.symbol) if self._options.symbol else None,
        )

    def _tree(self, loaded: _Loaded) -> tuple[TreeEntry, ...]:
        """What all roots loaded; what two of them load alike stands there once."""
        return tuple(dict.fromkeys(entry for root in loaded.roots for entry in verdict.tree(root.load.link_map)))

    def _bindings(self, loaded: _Loaded, symbol: str) -> tuple[Binding, ...]:
        """What a symbol binds to in each load, alike ones once."""
        loads = (root.load.link_map for root in loaded.roots)
        return tuple(dict.fromkeys(each for load in loads for each in explain.explain(load, self._host, symbol)))

    def _context(self, loaded: _Loaded, loads: tuple[Load, ...], together: Reached) -> Context:
        python = self._host.python
        assert python is not None
        distribution = loaded.package.distribution
        failed = any(root.judgement.verdict != "loads" for root in loaded.roots)
        unseen = any(reason.startswith("an extension for") for reason in loaded.unjudged.values())
        return Context(
            host=self._host,
            distribution=distribution,
            facts=self._facts,
            loads=loads,
            others=tuple(each for each in self._distributions if each is not distribution),
            python=Target(python.version, python.free_threaded),
            sources=loaded.package.sources() if failed or unseen else Sources(),
            window=loaded.window,
            reached=together,
            no_wheel=self._no_wheel if distribution.name == self._lacking else None,
        )
