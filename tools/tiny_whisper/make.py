"""All steps from nothing to the model and its clips. What a former run has made is taken over."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.tiny_whisper.conversion import convert
from tools.tiny_whisper.judging import best_head, expected, opened, rate_of_errors, ship
from tools.tiny_whisper.speech import replace, write_clips, write_training
from tools.tiny_whisper.training import train
from tools.tiny_whisper.words import ToolError

if TYPE_CHECKING:
    from tools.tiny_whisper.network import Whisper
    from tools.tiny_whisper.recipes import Kind

#: The share of wrong words from which on a model is not worth shipping.
LIMIT = 0.02
#: The share from which on nothing more is listened to: such a model talks for minutes.
HOPELESS = 0.2
#: What is listened to: how many clips of each kind.
LISTENED: dict[Kind, int] = {"development": 60, "held-out": 400, "unseen-voices": 200}
#: Numbers of words of the clips that are shipped.
LENGTHS = (2, 3, 4, 5, 6, 7)
#: The most bytes of the model with its clips.
MOST_BYTES = 3_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What decides about the weights."""

    steps: int
    seed: int
    clips: int


def make(out: Path, settings: Settings, every: int) -> bool:
    """Make the model; whether it is good enough."""
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    _same_settings(work / "settings.json", settings)
    began = time.monotonic()
    _speak(work, settings)
    print(f"speech: {time.monotonic() - began:.0f} s", flush=True)
    development = expected(work / "development")
    network = train(work, settings.steps, settings.seed, every, lambda network: _errors_now(network, development))
    model = out / "tiny-whisper"
    convert(network, _all_heads(network), model)
    if rate_of_errors(opened(model), development, beam_size=1, max_new_tokens=16) > HOPELESS:
        print(f"not good enough: the WER of the development clips is above {HOPELESS:.0%}")
        return False
    _choose_head(network, model, dict(itertools.islice(development.items(), 30)))
    return _good(model, work, out / "speech")


def _good(model: Path, work: Path, speech: Path) -> bool:
    """Listen to what the model hears in speech that it does not know, and ship clips with it where that is good enough."""
    rates = {}
    for kind, number in itertools.islice(LISTENED.items(), 1, None):
        rates[kind] = rate_of_errors(opened(model), expected(work / kind))
        print(f"WER, {kind}, faster-whisper, float32, beam 5: {rates[kind]:.2%} of {number} clips", flush=True)
    if rates["held-out"] >= LIMIT:
        print(f"not good enough: the WER of the held-out clips has to be below {LIMIT:.0%}")
        return False
    number = ship(model, expected(work / "held-out"), LENGTHS, speech)
    size = sum(path.stat().st_size for folder in (model, speech) for path in folder.iterdir())
    print(f"{model}, {number} clips in {speech}: {size:,} bytes")
    if number < len(LENGTHS) or size > MOST_BYTES:
        print(f"not good enough: {len(LENGTHS)} clips and at most {MOST_BYTES:,} bytes are wanted")
        return False
    return True


def _same_settings(path: Path, settings: Settings) -> None:
    """Remember the settings, and go on with no work that has others."""
    if path.exists() and (former := json.loads(path.read_bytes())) != asdict(settings):
        said = ", ".join(f"--{name} {value}" for name, value in former.items())
        raise ToolError(f"{path.parent} was begun with {said}: give the same, or another --out, or delete it")
    replace(path, json.dumps(asdict(settings)).encode())


def _speak(work: Path, settings: Settings) -> None:
    """Training first: no other clip says what one of its does."""
    write_training(work, settings.clips, settings.seed)
    taken = set(json.loads((work / "train.json").read_bytes())["texts"])
    for kind, number in LISTENED.items():
        write_clips(work, kind, number, settings.seed, taken)


def _all_heads(network: Whisper) -> list[tuple[int, int]]:
    return list(itertools.product(range(network.size.decoder), range(network.size.heads)))


def _errors_now(network: Whisper, clips: dict[Path, list[str]]) -> float:
    """The WER of a network that is still being trained."""
    with tempfile.TemporaryDirectory() as folder:
        convert(network, _all_heads(network), Path(folder) / "model")
        return rate_of_errors(opened(Path(folder) / "model"), clips, beam_size=1, max_new_tokens=16)


def _choose_head(network: Whisper, model: Path, clips: dict[Path, list[str]]) -> None:
    """Convert again, with the one head that follows the words best."""
    convert(network, [best_head(model, _all_heads(network), clips)], model)
