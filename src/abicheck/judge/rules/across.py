"""All rules that look at more than the errors of one load, in the order in which their findings are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.rules import environment, gpu, objects, packaging, python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abicheck.judge.rules.context import Context
    from abicheck.model.report import Finding

RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    python.python_mismatch,
    python.extension_silently_missing,
    python.no_wheel_for_default_python,
    objects.exec_stack_enabled,
    objects.grafted_glibc,
    objects.private_symbol,
    packaging.tag_understates,
    packaging.record_mismatch,
    packaging.yanked_release,
    environment.duplicate_library,
    environment.duplicate_openmp,
    python.gil_reenabled,
    gpu.gpu_library_missing,
    objects.relative_rpath,
    objects.text_relocation,
    objects.allocator_interposed,
    packaging.no_native_code,
)


def findings(context: Context) -> tuple[Finding, ...]:
    """What the rules find about one distribution in its environment."""
    return tuple(finding for rule in RULES for finding in rule(context))
