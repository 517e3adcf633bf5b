"""What was observed so far, so that a run that was interrupted can go on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any

from abicheck.errors import AbicheckError
from abicheck.model.confirm import Heard, Observed

if TYPE_CHECKING:
    from collections.abc import Sequence


class Journal:
    """Observations of one matrix in a file, a line each, by a key that holds all that they follow from.

    The file goes when a run comes to its end: a later run observes everything anew. Raises `AbicheckError` when it cannot be
    written.
    """

    def __init__(self, path: str, *, fresh: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        if fresh:
            self.finish()
        self._known = self._read()

    def __len__(self) -> int:
        return len(self._known)

    def recall(self, key: str) -> Observed | None:
        """What was observed before the interruption."""
        return self._known.get(key)

    def note(self, key: str, observed: Observed) -> None:
        """Store an observation; a line that was cut short by the end of the machine is passed over when it is read."""
        try:
            with self._lock:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                with open(self._path, "a", encoding="utf-8") as file:
                    file.write(json.dumps([key, observed]) + "\n")
        except OSError as error:
            message = f"observations cannot be saved there ({error.strerror}); free some space, or set ABICHECK_CACHE"
            raise AbicheckError(message, self._path) from error

    def finish(self) -> None:
        """Forget everything."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _read(self) -> dict[str, Observed]:
        known = {}
        with contextlib.suppress(FileNotFoundError), open(self._path, encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError, TypeError):
                    key, fields = json.loads(line)
                    known[key] = _observed(*fields)
        return known


def key(*facts: object) -> str:
    """A short name for everything that an observation follows from."""
    return hashlib.blake2b(repr(facts).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _observed(verdict: Any, text: Any, heard: Sequence[Any], seconds: Any, extensions: Sequence[Any], output: Any) -> Observed:
    clips = tuple(Heard(audio, expected, said, tuple(wrong)) for audio, expected, said, wrong in heard)
    return Observed(verdict, text, clips, seconds, tuple((path, said) for path, said in extensions), output)
