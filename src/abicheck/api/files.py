"""Files given by their path: what `dlopen` of just that path would say."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any

from abicheck import __version__
from abicheck.api.summaries import python_of, summary_of
from abicheck.errors import TargetError
from abicheck.model.report import Artifact, Finding, Judgement, Remedy, Result, RootResult
from abicheck.read.files import Trace, Traced
from abicheck.read.hosts.targets import digest
from abicheck.read.hosts.tree import machine_name
from abicheck.read.verdicts import Shelf, cache_directory, code_state

if TYPE_CHECKING:
    from abicheck.api.options import Options
    from abicheck.judge.loader import Memo
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process
    from abicheck.read.hosts.targets import Target


class HostRun:
    """One host with one view of its files, and the process that its Python is once it has started."""

    def __init__(self, target: Target, options: Options) -> None:
        self._host = target.host
        if self._host.python is not None and not self._host.python.at_hand:
            from abicheck.api.absent import with_python  # noqa: PLC0415 -- most hosts have theirs

            self._host = with_python(self._host)
        self._options = options
        self._memo: Memo | None = None
        self._process: Process | None = None
        self._start = Trace()
        self._shelf = None
        if options.stored and not (options.tree or options.symbol or options.cross_check):
            key = (code_state(__version__), _fingerprint(target.host), repr(target.view), repr((options.digests, options.strict)))
            self._shelf = Shelf(cache_directory(os.environ), key)

    def close(self) -> None:
        """Store what was judged."""
        if self._shelf is not None:
            self._shelf.save()

    def result(self, target: Target) -> Result:
        """The verdict on one target: the stored one where nothing has changed since."""
        stored = self._shelf.get(target.path, self._host.files) if self._shelf is not None else None
        if stored is not None:
            arch, sha256, plain = stored
            return self._assemble(target, arch, sha256, _restored(plain))
        trace = Trace()
        facts = self._facts(target)
        link_map, judgement = self._judge(target, facts, trace)
        header = facts.header
        arch = machine_name(header.machine, header.elf_class, header.data) if header is not None else None
        sha256 = digest(target) if self._options.digests else None
        if self._shelf is not None:
            self._shelf.put(target.path, (arch, sha256, judgement), (self._start, trace))
        return self._detailed(self._assemble(target, arch, sha256, judgement), link_map)

    def _facts(self, target: Target) -> ElfFile:
        file = self._host.files.stat(target.path)
        if isinstance(file, int):
            raise TargetError(f"{os.strerror(file)}; it went away while abicheck ran, so run it again", target.given)
        return self._host.files.facts(file)

    def _judge(self, target: Target, facts: ElfFile, trace: Trace) -> tuple[LinkMap, Judgement]:
        """Load the target into a fresh process of the host's Python, or start it where it is a program."""
        from abicheck.judge import loader, verdict  # noqa: PLC0415 -- a run that finds all its verdicts stored judges nothing

        host = self._host._replace(files=Traced(self._host.files, trace))
        if self._memo is None:
            self._memo = loader.Memo()
        kind = verdict.root_kind(facts, target.path, host.python.version if host.python else None)
        if kind == "executable":
            link_map, _ = loader.start(host, target.path, self._memo)
        else:
            link_map, _ = loader.dlopen(self._python(self._memo), target.path, host, self._memo)
        return link_map, verdict.judge(link_map, kind, host, strict=self._options.strict)

    def _python(self, memo: Memo) -> Process:
        """The host's Python, started."""
        if self._process is None:
            from abicheck.api.started import start_python  # noqa: PLC0415 -- as above

            host = self._host._replace(files=Traced(self._host.files, self._start))
            self._process = start_python(host, memo)
        return self._process

    def _assemble(self, target: Target, arch: str | None, sha256: str | None, judgement: Judgement) -> Result:
        host = self._host
        return Result(
            artifact=Artifact(name=posixpath.basename(target.path), path=target.given, sha256=sha256, arch=arch),
            host=summary_of(host),
            python=python_of(host),
            verdict=judgement.verdict,
            predicted=judgement.predicted,
            capabilities=(("cpu", judgement.verdict),),
            roots=(RootResult(target.path, judgement.kind, judgement.verdict, judgement.predicted),),
            findings=judgement.findings,
            assumptions=host.assumptions,
            missing_facts=judgement.missing_facts,
            objects=judgement.objects,
            references=judgement.references,
        )

    def _detailed(self, result: Result, link_map: LinkMap) -> Result:
        """The result with what `--tree` and `--why` ask for."""
        if not (self._options.tree or self._options.symbol):
            return result
        from abicheck.judge import explain, verdict  # noqa: PLC0415 -- as above

        return result._replace(
            tree=verdict.tree(link_map) if self._options.tree else None,
            bindings=explain.explain(link_map, self._host, self._options.symbol) if self._options.symbol else None,
        )


def _fingerprint(host: Host) -> str:
    """All facts of a host that no trace of questions about files covers, spelled alike by every process.

    A set's order changes from one process to the next (PYTHONHASHSEED), so the only one is spelled in order.
    """
    tunables = sorted(host.loader.tunables or ())
    loader = host.loader._replace(cache=None, tunables=None), tunables
    rest = [value for name, value in host._asdict().items() if name not in ("files", "loader")]
    return repr((loader, host.files.stat("/etc/ld.so.cache"), rest))


def _restored(plain: list[Any]) -> Judgement:
    """The judgement that JSON made lists of."""
    judgement = Judgement(*plain)
    if judgement.missing_facts:
        from abicheck.model.process import Missing  # noqa: PLC0415 -- as above

        judgement = judgement._replace(missing_facts=tuple(Missing(*each) for each in judgement.missing_facts))
    findings = (Finding(*each) for each in judgement.findings)
    return judgement._replace(
        findings=tuple(
            each._replace(evidence=tuple(each.evidence), remedies=tuple(Remedy(*remedy) for remedy in each.remedies))
            for each in findings
        ),
    )
