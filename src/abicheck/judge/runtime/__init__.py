"""A module on a runtime: does it load there, and what does it need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.rules.pages import finding
from abicheck.judge.runtime.isolation import ISOLATION
from abicheck.judge.runtime.words import floors, has, megabytes, spelled
from abicheck.model.process import Missing
from abicheck.model.report import Judgement
from abicheck.model.wasm import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.report import Finding, Verdict
    from abicheck.model.wasm import Module, Runtime, Use, WasmFile

__all__ = ["inexact", "judge"]

_CALL = "CompileError: WebAssembly.Module(): "


def judge(file: WasmFile, runtime: Runtime, name: str, *, strict: bool = False) -> Judgement:
    """What the runtime makes of the module `name`.

    Of a runtime given as `16` the newest 16.x is judged; with `strict` the verdict depends on that, where it matters.
    """
    if isinstance(file, Damaged):
        return Judgement("module", "fails", _damage_text(file, runtime), (_corrupt(file, runtime, name),))
    missing = tuple(_missing(file, runtime, strict=strict))
    known = not _is_newer(runtime)
    lacking = [use for use in file.uses if not has(runtime, use.feature)]
    failing = [use for use in lacking if runtime.features[use.feature].loading]
    alone = _is_unisolated(file, runtime)
    barred = alone and runtime.isolated is False
    verdict: Verdict = "fails" if (failing or barred) and known else "depends" if missing else "loads"
    lacking.sort(key=lambda use: use not in failing)
    findings = [_feature(use, file, runtime, name, known=known) for use in lacking]
    if alone:
        found = _fill("wasm-not-isolated", name, runtime, offered=megabytes(file))
        findings.append(found._replace(severity="error") if barred and known else found)
    findings.append(_needs(file, runtime, name))
    text = _feature_text(failing[0], runtime) if failing else runtime.family.unisolated
    predicted = text if verdict == "fails" else None
    return Judgement("module", verdict, predicted, tuple(findings), () if verdict == "fails" else missing, objects=1)


def _missing(module: Module, runtime: Runtime, *, strict: bool) -> Iterator[Missing]:
    """What would have to be known for a verdict."""
    title, version = runtime.family.title, spelled(runtime.version)
    if _is_newer(runtime):
        known = f"{spelled(runtime.family.newest)} (the table is of {runtime.table})"
        yield Missing("runtime-version", f"abicheck knows {title} up to {known}; take a newer abicheck")
    if module.unknown is not None:
        yield Missing("instruction", f"it uses {module.unknown}")
    if _is_unisolated(module, runtime) and runtime.isolated is None:
        yield Missing(ISOLATION, "its memory is shared, and the page's headers decide whether it gets any")
    for use in inexact(module, runtime) if strict else ():
        feature, since = runtime.features[use.feature].title, spelled(runtime.family.since[use.feature])
        yield Missing("release", f"of {title} {version} only {since} and later have {feature}")


def inexact(module: Module, runtime: Runtime) -> tuple[Use, ...]:
    """What the first releases of a runtime given as `16` do not have, and the newest one has."""
    size = len(runtime.version)
    since = ((use, runtime.family.since.get(use.feature, ())) for use in module.uses)
    return tuple(use for use, first in since if first[:size] == runtime.version and any(first[size:]))


def _is_newer(runtime: Runtime) -> bool:
    newest = runtime.family.newest
    return runtime.version[: len(newest)] > newest


def _is_unisolated(module: Module, runtime: Runtime) -> bool:
    """Whether the module's memory is one that a page gets only where it is isolated from others, and it is not known to be."""
    since = runtime.family.isolated_since
    shared = any(memory.shared for memory in module.memories)
    return shared and since is not None and since[: len(runtime.version)] <= runtime.version and not runtime.isolated


def _fill(rule: str, name: str, runtime: Runtime, **fields: str | None) -> Finding:
    return finding(rule, {"object": name, "file": name, "path": name, "host": runtime.name, **fields})


def _feature(use: Use, module: Module, runtime: Runtime, name: str, *, known: bool) -> Finding:
    """One feature that the runtime lacks; an error where that is certain, and keeps the module from loading."""
    family, feature = runtime.family, runtime.features[use.feature]
    since = family.since.get(use.feature)
    told = f"since {spelled(since)}" if since else f"in no version up to {spelled(family.newest)}, unless by a flag"
    where = f" in function {use.function}" if use.function is not None else ""
    found = finding(
        "wasm-feature-missing",
        {
            "object": name,
            "host": runtime.name,
            "name": feature.title,
            "offered": f"{family.title} has it {told}",
            "others": floors([use], runtime, without=family),
            "needed": feature.build,
            "loading": f"{family.title} {spelled(since)}" if since else None,
        },
        evidence=[f"first used{where} at byte {use.offset:,} of {module.size:,}"],
    )
    return found if known and feature.loading else found._replace(severity="warning")


def _needs(module: Module, runtime: Runtime, name: str) -> Finding:
    titles = [runtime.features[use.feature].title for use in module.uses]
    return _fill(
        "wasm-needs",
        name,
        runtime,
        needed=", ".join(titles) or "nothing that the first engines had not",
        offered=megabytes(module),
        others=floors([use for use in module.uses if runtime.features[use.feature].loading], runtime) or None,
    )


def _corrupt(file: Damaged, runtime: Runtime, name: str) -> Finding:
    whole = file.kind in ("truncated", "malformed")
    fields = {"reason": file.detail, "needed": "yes" if whole else None, "pin": "yes" if file.kind == "pointer" else None}
    found = _fill("wasm-module-corrupt", name, runtime, **fields)
    # What contradicts the format as we know it may be of a proposal that came later.
    return found._replace(confidence="likely") if file.kind == "malformed" else found


def _damage_text(file: Damaged, runtime: Runtime) -> str | None:
    """What the runtime says of the damage; where a feature before it is missing, too, that is not known."""
    since = runtime.family.section_lengths_since
    if since is None or not all(has(runtime, use.feature) for use in file.uses if runtime.features[use.feature].loading):
        return None
    text = file.text if since[: len(runtime.version)] <= runtime.version else file.older_text
    return None if text is None else _CALL + text


def _feature_text(use: Use, runtime: Runtime) -> str | None:
    """What the runtime says of the first feature that it does not have, where that was seen."""
    text = runtime.family.texts.get(f"{use.feature}-{use.form}")
    return None if text is None or runtime.version >= runtime.family.texts_until else _CALL + text.format(**use._asdict())
