"""Signals that end a command which has something to put in order first."""

from __future__ import annotations

import signal


def end_in_order() -> None:
    """Let SIGTERM end this process as Ctrl-C does: what was begun is put in order."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 -- the signature of a handler
    raise KeyboardInterrupt
