"""What a module was found to use, each feature at its first place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.wasm import Use

if TYPE_CHECKING:
    from abicheck.model.wasm import UseForm


class Uses:
    """Collects the uses of features; `function` is the index of the function that is being read."""

    def __init__(self) -> None:
        self.found: dict[str, Use] = {}
        self.function: int | None = None

    def note(self, feature: str, offset: int, form: UseForm) -> None:
        """The feature is used here; only the first place counts."""
        self.found.setdefault(feature, Use(feature, offset, form, self.function))
