"""The script around a module: does it fit the module, and is there what it starts threads with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.rules.pages import finding
from abicheck.judge.runtime.words import some
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.report import Finding, Judgement
    from abicheck.model.wasm import Extern, Glue, Module, Runtime

__all__ = ["with_glue", "with_workers"]

#: The namespace of the imports whose names emscripten has shortened; then both sides have the same names, to the last one.
_SHORTENED = "a"
_CALL = "WebAssembly.Instance(): Import #{number} {place}: {text}"


class _Gap(NamedTuple):
    """What does not fit.

    `imports` are those that the script does not give, with their numbers, `nowhere` the namespaces of which it gives nothing.
    `exports` it asks for in vain; `surplus` it gives in vain, where that tells two builds apart.
    """

    imports: tuple[tuple[int, Extern], ...]
    nowhere: frozenset[str | None]
    exports: tuple[str, ...]
    surplus: tuple[str, ...]


def with_glue(judged: Judgement, module: Module, glue: Glue, runtime: Runtime, name: str) -> Judgement:
    """The judgement of a module together with the script `name` that loads it."""
    offer = min(glue.offers, key=lambda each: len(_lacking(module, each)), default=None)
    if offer is None and module.imports:
        if judged.verdict == "fails":
            return judged
        reason = f"abicheck does not see in {name} what it gives to the module, which imports {len(module.imports)} names"
        return judged._replace(verdict="depends", missing_facts=(*judged.missing_facts, Missing("imports", reason)))
    gap = _gap(module, offer or {}, glue)
    if not (gap.imports or gap.exports or gap.surplus):
        return judged
    return _failing(judged, _mismatch(gap, name, runtime), _text(gap, runtime))


def with_workers(judged: Judgement, module: Module, absent: Sequence[str], runtime: Runtime, name: str) -> Judgement:
    """The judgement of a module together with the workers of the script `name`, of which these scripts are not there.

    A module without shared memory has no threads, and the workers are something else's.
    """
    if not absent or not any(memory.shared for memory in module.memories):
        return judged
    files = ", ".join(each.rpartition("/")[2] for each in absent)
    fields = {"object": name, "file": name, "host": runtime.name, "name": files}
    found = finding("wasm-worker-missing", fields, evidence=[f"looked for: {each}" for each in absent], confidence="likely")
    text = runtime.family.link_texts.get("worker")
    return _failing(judged, found, text and text.format(path=absent[0]))


def _failing(judged: Judgement, found: Finding, text: str | None) -> Judgement:
    """The judgement with one more error, behind those that there are; the first one's text is what the runtime says."""
    first = next((number for number, each in enumerate(judged.findings) if each.severity != "error"), len(judged.findings))
    findings = (*judged.findings[:first], found, *judged.findings[first:])
    predicted = judged.predicted if judged.verdict == "fails" else text
    return judged._replace(verdict="fails", predicted=predicted, findings=findings, missing_facts=())


def _lacking(module: Module, offer: Mapping[str, frozenset[str] | None]) -> tuple[tuple[int, Extern], ...]:
    """The imports that are not among what a script gives; what it gives without showing all its names may have any."""
    offered = ((number, each, offer.get(each.module or "", frozenset())) for number, each in enumerate(module.imports))
    return tuple((number, each) for number, each, names in offered if names is not None and each.name not in names)


def _gap(module: Module, offer: Mapping[str, frozenset[str] | None], glue: Glue) -> _Gap:
    """What does not fit. Of the objects that may be the exports the one that fits best is taken to be them.

    One that has nothing in common with them may be anything else; where imports are lacking, nothing need fit.
    """
    exports = frozenset(each.name for each in module.exports)
    imports = _lacking(module, offer)
    asked = max(glue.asks, key=lambda names: (0 if imports else len(names & exports), len(names)), default=frozenset())
    in_vain = sorted(asked - exports) if asked & exports or imports else ()
    nowhere = frozenset(each.module for _, each in imports if each.module not in offer)
    return _Gap(imports, nowhere, tuple(in_vain), tuple(sorted(_surplus(module, offer))))


def _surplus(module: Module, offer: Mapping[str, frozenset[str] | None]) -> frozenset[str]:
    """What a script gives to a module with shortened names, and this one does not import."""
    imported = frozenset(each.name for each in module.imports if each.module == _SHORTENED)
    given = offer.get(_SHORTENED)
    return given - imported if imported and given else frozenset()


def _mismatch(gap: _Gap, name: str, runtime: Runtime) -> Finding:
    told = {
        "needed": ("imported, not given", [f"{each.module}.{each.name}" for _, each in gap.imports]),
        "name": ("asked for, not exported", gap.exports),
        "others": ("given, not imported", gap.surplus),
    }
    evidence = [f"{what} ({len(names)}): {some(names, 60)}" for what, names in told.values() if names]
    fields = {field: some(names, 6) for field, (_, names) in told.items() if names}
    found = finding("wasm-glue-mismatch", {"object": name, "file": name, "host": runtime.name, **fields}, evidence=evidence)
    return found if gap.imports else found._replace(confidence="likely")


def _text(gap: _Gap, runtime: Runtime) -> str | None:
    """What the runtime says of the first import that it is not given, where that was seen; a namespace is missed first."""
    places = runtime.family.link_places.get(str(runtime.version[0]))
    if places is None or not gap.imports:
        return None
    whole = [(number, each) for number, each in gap.imports if each.module in gap.nowhere]
    number, first = (whole or gap.imports)[0]
    text = runtime.family.link_texts.get("namespace" if whole else first.kind)
    place = places[0 if whole else 1].format(module=first.module, name=first.name)
    said = _CALL.format(number=number, place=place, text=text)
    return None if text is None else f"{'TypeError' if whole else 'LinkError'}: {said}"
