"""What a target is, from its spelling and from what lies there."""

from __future__ import annotations

import os
import re
from typing import Literal, TypeAlias

from abicheck.api.wheelhouse import is_wheelhouse
from abicheck.read.locks import is_lock

Kind: TypeAlias = Literal["file", "wheel", "wheelhouse", "environment", "lock", "installed", "requirement", "module"]

#: A project's name, and extras (PEP 508).
NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[\w.,\s-]*\])?")
_SUFFIXES: dict[Kind, tuple[str, ...]] = {"wheel": (".whl",), "module": (".wasm", ".js", ".mjs", ".cjs")}
_SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")


def kind_of(target: str) -> Kind:
    """What a target is, from its spelling and from what lies there."""
    if os.path.isdir(target):
        return "wheelhouse" if is_wheelhouse(target) else "environment"
    if "://" in target:
        return "requirement"
    if is_lock(target):
        return "lock"
    for kind, suffixes in _SUFFIXES.items():
        if target.endswith(suffixes):
            return kind
    if os.path.exists(target) or os.sep in target or _SHARED_OBJECT.search(target):
        return "file"
    return "requirement" if re.search(r"[<>=!~@]", target) else "installed"


def is_name(given: str) -> bool:
    """Whether that is the name of a distribution, with extras or without."""
    return NAME.fullmatch(given) is not None
