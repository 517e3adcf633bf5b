"""Repairs for a reader: what became of each artifact, which bytes changed, what it does not do, and the next step."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING

from abicheck.report.lines import Line, count, escape, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.repair import Check, Repair, RepairReport

_HEADS = {
    "repaired": ("✓", "green"),
    "undone": ("✓", "green"),
    "repairable": ("!", "yellow"),
    "undoable": ("!", "yellow"),
}
_DOES = {"loads": "loads", "fails": "does not load", "depends": "may load or not", "not-installable": "cannot be installed"}
_LIMITS = {
    "exec-stack-refused": (
        "Most libraries have the mark by accident. One that really runs code on its stack (nested functions of GCC, for example)",
        "would crash without it, and nobody can tell from the file: try what you do with it.",
    ),
    "relative-rpath": ("The search path leads to where the libraries lie beside each other, wherever the program runs.",),
}


def render(report: RepairReport, *, colour: bool) -> str:
    """The report as text; with `colour` for a terminal that has it."""
    told = [repair for repair in report.repairs if repair.state != "nothing-to-do"]
    idle = [repair for repair in report.repairs if repair.state == "nothing-to-do"]
    lines = [line for repair in told for line in _repair(repair)]
    return join([*lines, *_idle(idle, alone=not told)], colour=colour)


def _repair(repair: Repair) -> Iterator[Line]:
    yield Line(f" {escape(repair.name)} {escape(repair.version)} {_state(repair)}", *_HEADS[repair.state])
    yield Line()
    for change in repair.changes:
        yield Line(f"  {escape(change.object)}")
        edit = change.edit
        what = "byte" if len(edit.old) == 1 else "bytes from"
        yield Line(f"    {what} {edit.offset}: {edit.old.hex(' ')} → {edit.new.hex(' ')} ({escape(change.meaning)})")
    others = [name for name in repair.files if name not in {change.object for change in repair.changes}]
    if repair.changes:
        names = " and ".join(dict.fromkeys(posixpath.basename(name) for name in others))
        yield Line(f"  {escape(names)}: hashes{' and the build tag' if repair.kind == 'wheel' else ''}; nothing else changes")
    else:
        yield from (Line(f"  {escape(name)}") for name in others)
    yield from (Line(f"  {_checked(check)}") for check in repair.checks)
    last = [line for rule in dict.fromkeys(change.rule for change in repair.changes) for line in _LIMITS[rule]]
    last += _next(repair)
    yield from (Line(f"  {line}" if line else "") for line in (["", *last] if last else []))
    yield Line()


def _state(repair: Repair) -> str:
    if repair.state == "repaired":
        return f"repaired: {escape(repair.output)}" if repair.output else f"repaired in {escape(posixpath.dirname(repair.path))}"
    if repair.state == "repairable":
        where = f" as {escape(repair.output)}" if repair.output else ""
        return f"would be repaired{where} (nothing was written)"
    return "is as it was installed" if repair.state == "undone" else "would be as it was installed (nothing was written)"


def _checked(check: Check) -> str:
    python = f" with Python {check.python}" if check.python else ""
    before = f" (before: {escape(check.before_text)})" if check.before_text else ""
    after = f": {escape(check.after_text)}" if check.after_text else ""
    return f"on {escape(check.host)}{python} it {_DOES[check.after]}{after}{before}"


def _next(repair: Repair) -> Iterator[str]:
    if repair.state == "repaired":
        yield "Nothing else was touched: no C library, no other version of anything, no cache of an installer."
    if repair.state == "repaired" and repair.output:
        yield f"→ install it: pip install --force-reinstall --no-deps {escape(shlex.quote(repair.output))}"
    elif repair.state == "repaired":
        library = escape(shlex.quote(posixpath.dirname(repair.path)))
        yield "It is gone when the distribution is installed anew."
        yield f"→ to undo it: abicheck repair --undo --env {library} {escape(repair.name)}"


def _idle(repairs: list[Repair], *, alone: bool) -> Iterator[Line]:
    """Where nothing had to be done: by name where that is all there is, else as a number."""
    objects = sum(repair.objects for repair in repairs)
    if len(repairs) == 1 and alone:
        yield Line(
            f" {escape(repairs[0].name)} {escape(repairs[0].version)}: nothing to repair in {count(objects, 'object')}",
            "✓",
            "green",
        )
    elif repairs:
        yield Line(f" nothing to repair in {count(len(repairs), 'distribution')} with {count(objects, 'object')}", "✓", "green")
    elif alone:
        yield Line("nothing to do")
