"""`confirm`: what was predicted beside what really happens: here, cell by cell of a matrix, or module by module."""

from __future__ import annotations

from abicheck.act.confirm.speech import chosen as choose_speech
from abicheck.api.confirm.here import confirm_here
from abicheck.api.confirm.matrix import MatrixOptions, confirm_matrix
from abicheck.api.confirm.modules import confirm_modules

__all__ = ["MatrixOptions", "choose_speech", "confirm_here", "confirm_matrix", "confirm_modules"]
