"""`confirm`: what was predicted beside what really happens, here or cell by cell of a matrix."""

from __future__ import annotations

from abicheck.act.confirm.speech import chosen as choose_speech
from abicheck.api.confirm.here import confirm_here
from abicheck.api.confirm.matrix import MatrixOptions, confirm_matrix

__all__ = ["MatrixOptions", "choose_speech", "confirm_here", "confirm_matrix"]
