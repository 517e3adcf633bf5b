"""The report of a run: what every output format is rendered from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from abicheck.model.host import Assumption
    from abicheck.model.process import Binding, Found, Missing

SCHEMA_VERSION = 1

Verdict: TypeAlias = Literal["loads", "fails", "depends", "not-installable"]
Severity: TypeAlias = Literal["error", "warning", "note"]
Confidence: TypeAlias = Literal["certain", "likely", "possible"]
RootKind: TypeAlias = Literal["extension", "executable", "library", "module"]

#: Those of the CPU, which every artifact has, and of the GPU's libraries that it opens by name.
CAPABILITIES = ("cpu", "cuda")

#: In summaries the worse verdict wins.
WORST_FIRST: tuple[Verdict, ...] = ("fails", "not-installable", "depends", "loads")


class Tool(NamedTuple):
    """What made the report."""

    name: str
    version: str


class Artifact(NamedTuple):
    """Something to deploy: `path` as it was given; `sha256` None where it was not asked for; `arch` None where it has none."""

    name: str
    path: str
    kind: Literal["file", "wheel", "distribution", "requirement", "module"] = "file"
    version: str | None = None
    sha256: str | None = None
    arch: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether it is one file by itself, and no distribution."""
        return self.kind in ("file", "module")


class HostSummary(NamedTuple):
    """A host in a few words; a runtime of WebAssembly has no C library of its own, and is the same on every machine."""

    name: str
    kind: str
    arch: str | None = None
    libc: str | None = None
    libc_version: str | None = None

    def facts(self, python: str | None = None, *, arch: bool = True) -> str:
        """What decides there, as in `glibc 2.41, Python 3.12, x86_64`; "" for a runtime, whose name says it."""
        libc = f"{self.libc} {self.libc_version}" if self.libc else None
        return ", ".join(filter(None, (libc, f"Python {python}" if python else None, self.arch if arch else None)))


class PythonSummary(NamedTuple):
    """The target Python; `version` as in `3.12` and `abi` as in `cp312` are None where they could not be told."""

    version: str | None
    abi: str | None
    path: str | None


class Window(NamedTuple):
    """The glibc releases on which all of it loads: None where nothing bounds them.

    `known_to` is the newest that abicheck knows; None where even up to there nothing is certain (GLIBC_PRIVATE).
    """

    glibc_min: str | None
    glibc_max: str | None
    known_to: str | None


class RootResult(NamedTuple):
    """One thing that was loaded or started."""

    path: str
    kind: RootKind
    verdict: Verdict
    predicted: str | None


class Remedy(NamedTuple):
    """What to do about a finding."""

    kind: str
    text: str
    command: str | None = None


class Excuse(NamedTuple):
    """Why a finding does not count: `by` is the file that says so (None: the baseline), `reason` what it says."""

    by: str | None
    reason: str

    def __str__(self) -> str:
        return f"{self.by}: {self.reason}" if self.by else self.reason


class Finding(NamedTuple):
    """One problem: the rule that it breaks, the object that it is about, and what shows it.

    `excuse` is there where the project has decided that it does not count.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    object: str
    message: str
    evidence: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    location: str | None = None
    excuse: Excuse | None = None


class TreeEntry(NamedTuple):
    """One object that was loaded: by which name, found how and where, on behalf of which object, and what was tried before.

    `found` is None for a name that was not found at all.
    """

    name: str
    path: str | None
    found: Found | None
    owner: str | None
    needed_by: str | None
    tried: tuple[tuple[str, str], ...] = ()


class Judgement(NamedTuple):
    """What a link map says about one root: `objects` counts what it loaded, `references` the symbols that it looked up."""

    kind: RootKind
    verdict: Verdict
    predicted: str | None
    findings: tuple[Finding, ...] = ()
    missing_facts: tuple[Missing, ...] = ()
    objects: int = 0
    references: int = 0


class Result(NamedTuple):
    """One artifact on one host.

    `tree` and `bindings` are there where they were asked for. `objects` counts what was loaded and `references` the symbols that
    were looked up. `unjudged` are the binaries that nothing on the host would load, each with the reason. `ignored` are findings
    that the user or the project wants neither shown nor counted; they leave the verdict as it is.

    Of a grid: `gpu` are the majors of the GPU's libraries that the artifact asks for, as in `CUDA 12`; `cell` is the name of the
    matrix's cell, and `variant` what sets the result apart from others of the artifact: what is installed beside it, or done.
    """

    artifact: Artifact
    host: HostSummary
    python: PythonSummary
    verdict: Verdict
    predicted: str | None
    prefix: str | None = None
    window: Window | None = None
    capabilities: tuple[tuple[str, Verdict], ...] = ()
    roots: tuple[RootResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    missing_facts: tuple[Missing, ...] = ()
    objects: int = 0
    references: int = 0
    tree: tuple[TreeEntry, ...] | None = None
    bindings: tuple[Binding, ...] | None = None
    unjudged: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Finding, ...] = ()
    gpu: tuple[str, ...] | None = None
    cell: str | None = None
    variant: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether it is one that a run must not pass over.

        A failure counts by its errors, which may be ignored; what cannot be installed counts unless it is excused.
        """
        if any(finding.severity == "error" for finding in self.findings):
            return True
        if self.verdict == "not-installable":
            return not any(finding.excuse for finding in self.ignored)
        return self.verdict == "fails" and not self.ignored


class Failure(NamedTuple):
    """A target or a host that could not be judged, and why; or an ignore that has expired, by its place."""

    target: str
    message: str


class Report(NamedTuple):
    """Everything that a run found out.

    `symbol` is what `Result.bindings` are about; `seconds` is how long it took. `required` are the capabilities that count.
    `configured` says which settings are a configuration's, as in `hosts from pyproject.toml`. `outdated` counts the entries of
    the baseline that are no longer found, `expired` are ignores whose day is over.
    """

    tool: Tool
    results: tuple[Result, ...]
    errors: tuple[Failure, ...] = ()
    symbol: str | None = None
    seconds: float = 0.0
    required: tuple[str, ...] = ()
    configured: str = ""
    outdated: int = 0
    expired: tuple[Failure, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict of all results, None where nothing could be judged."""
        return worst_of({result.verdict for result in self.results})

    @property
    def exit_code(self) -> int:
        """What the run exits with.

        1 a counted error or something not installable, 4 something not judged or an expired ignore, 3 depends on an unknown
        fact, else 0.

        A required capability counts as its verdict says, whatever findings are ignored.
        """
        required = {verdict for result in self.results for name, verdict in result.capabilities if name in self.required}
        if any(result.counts for result in self.results) or not required.isdisjoint(("fails", "not-installable")):
            return 1
        if self.errors or self.expired:
            return 4
        return 3 if "depends" in {*required, *(result.verdict for result in self.results)} else 0


def worst_of(verdicts: AbstractSet[Verdict]) -> Verdict | None:
    """The worst of these verdicts, None of none."""
    return next((verdict for verdict in WORST_FIRST if verdict in verdicts), None)
