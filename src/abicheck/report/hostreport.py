"""A report about a machine, to be pasted into an issue: `triage` reads it, and so does a maintainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import count, escape
from abicheck.report.markup import block_of
from abicheck.report.terminal import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.description import Description, HostReport, SystemFacts


def render(found: HostReport) -> str:
    """The report in markdown: one line, and the rest to unfold."""
    results = found.report.results
    bad = sum(result.verdict != "loads" for result in results)
    summary = f"{bad:,} of {count(len(results), 'distribution')} may not load" if bad else "everything that is installed loads"
    return f"<details><summary>abicheck report: {summary}</summary>\n\n{block_of(list(_body(found)))}\n\n</details>\n"


def _body(found: HostReport) -> Iterator[str]:
    report = found.report
    yield f"abicheck {report.tool.version}, report 1"
    yield from map(escape, _machine(found.host, found.system))
    for result in report.results:
        if result.verdict != "loads" or any(finding.severity != "note" for finding in result.findings):
            yield ""
            yield from described(result).rstrip("\n").split("\n")
    yield from (f"not judged: {escape(error.target)}: {escape(error.message)}" for error in report.errors)
    yield ""
    yield f"{count(len(report.results), 'distribution')} installed:"
    yield from sorted({f"{escape(each.artifact.name)}=={escape(each.artifact.version or '?')}" for each in report.results})


def _machine(host: Description, system: SystemFacts) -> Iterator[str]:
    """The facts that maintainers ask for, spelled as the programs spell them that print them."""
    inside = f" in a container ({system.container})" if system.container else ""
    yield f'PRETTY_NAME="{system.distribution or "not told"}"{inside}'
    libc, machine = host.libc, host.machine
    vendor = f" ({libc.vendor})" if libc.vendor else ""
    yield " ".join((f"{libc.kind} {libc.version}{vendor}", *libc.markers))
    level = f", CPU level x86-64-v{machine.isa_level}" if machine.isa_level else ""
    yield f"Linux {machine.kernel} {host.arch}{level}, pages of {machine.page_size:,} bytes"
    yield f"executable stacks: {host.policy.exec_stack}"
    if host.python is None:
        yield f"no Python: {host.no_python}"
    else:
        kind = f" of a {system.environment}" if system.environment else ""
        yield f"Python {host.python.version}{'t' if host.python.free_threaded else ''} ({host.python.path}{kind})"
    yield f"NVIDIA driver {system.driver}" if system.driver else "no NVIDIA driver"
    yield from (f"{name}={value}" for name, value in host.environment)
