"""The embedded model and recordings, or those of the user."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from abicheck.errors import DataError, UsageError
from abicheck.model.confirm import Clip, Speech

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATA = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data")
MODEL = os.path.join(_DATA, "tiny-whisper")
CLIPS = os.path.join(_DATA, "speech")


def embedded() -> Speech:
    """The model that ships with abicheck, and recordings with the words in them. Raises `DataError`."""
    try:
        with open(os.path.join(CLIPS, "expected.json"), encoding="utf-8") as file:
            expected: dict[str, str] = json.load(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{error}; install abicheck anew", "expected.json") from None
    return Speech(MODEL, tuple(Clip(os.path.join(CLIPS, name), words) for name, words in expected.items()))


def chosen(model: str | None, audio: Sequence[str], expect: Sequence[str], *, local_only: bool = False) -> Speech:
    """What the user named, and the embedded for the rest; `model` may be the name of one on a hub unless `local_only`.

    Raises:
        UsageError: a file is not there, an expectation is lacking, or a model of one's own has no recording to go with it.

    """
    if len(audio) != len(expect):
        raise UsageError(f"{len(audio)} times --audio and {len(expect)} times --expect: say for each recording what is in it")
    if model is not None and not audio:
        raise UsageError("--model needs --audio and --expect: the embedded recordings are for the embedded model")
    for name in audio:
        if not os.path.isfile(name):
            raise UsageError(f"--audio {name}: no such file; give the path of a recording")
    if model is not None and not os.path.isdir(model) and (local_only or os.path.exists(model) or model.startswith((".", "/"))):
        raise UsageError(f"--model {model}: no directory with a converted model (model.bin) in it; give its path")
    known = embedded()
    clips = tuple(Clip(os.path.abspath(name), words) for name, words in zip(audio, expect, strict=True)) or known.clips
    directory = os.path.abspath(model) if model is not None and os.path.isdir(model) else model
    return Speech(directory or known.model, clips)
