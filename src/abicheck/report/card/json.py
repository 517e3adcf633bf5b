"""The card as JSON; `schema/show.json` beside the reports describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from abicheck.model.requirements import Card, CardReport, HostLibrary
    from abicheck.model.wasm import ModuleCard


def render(report: CardReport) -> str:
    """All cards as one JSON document, in ASCII, so that file names in no encoding at all pass unharmed."""
    return json.dumps(document(report), indent=1) + "\n"


def document(report: CardReport) -> dict[str, Any]:
    """The cards as plain dictionaries, lists and strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "cards": [_card(card) for card in report.cards],
        "modules": [_module(card) for card in report.modules],
        "errors": [failure._asdict() for failure in report.errors],
    }


def _card(card: Card) -> dict[str, Any]:
    asks = card.requirements
    return {
        "artifact": {"name": card.name, "version": card.version, "kind": card.kind, "path": card.path, "arch": asks.arch},
        "libc": asks.libc,
        "window": asks.window and asks.window._asdict(),
        "promised_glibc": asks.promised,
        "python": asks.python._asdict(),
        "libraries": [_library(library) for library in asks.libraries],
        "traits": [trait._asdict() for trait in asks.traits],
        "opened": [opened._asdict() for opened in asks.opened],
        "gpu": asks.gpu._asdict(),
        "roots": asks.roots,
        "objects": asks.objects,
        "passed_over": [{"object": path, "reason": reason} for path, reason in card.passed_over],
        "apart": {"objects": asks.apart, "window": asks.apart_window and asks.apart_window._asdict()},
    }


def _module(card: ModuleCard) -> dict[str, Any]:
    module = card.module
    return {
        "artifact": {"name": card.name, "kind": "module", "path": card.path, "file": card.file, "sha256": card.sha256},
        "size": module.size,
        "floors": dict(card.floors),
        "features": [{**need._asdict(), "since": dict(need.since)} for need in card.needs],
        "unknown": module.unknown,
        "memories": [memory._asdict() for memory in module.memories],
        "tables": [table._asdict() for table in module.tables],
        "imports": [{"kind": each.kind, "name": each.name, "module": each.module} for each in module.imports],
        "exports": [{"kind": each.kind, "name": each.name} for each in module.exports],
        "producers": dict(module.producers),
        "target_features": module.target_features,
        "module_name": module.name,
        "table": card.table,
    }


def _library(library: HostLibrary) -> dict[str, Any]:
    return {
        "name": library.name,
        "needed_by": library.needed_by,
        "versions": [
            {"name": node.name, "family": node.family, "uses": [use._asdict() for use in node.uses]} for node in library.nodes
        ],
    }
