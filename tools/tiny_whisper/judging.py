"""The model through faster-whisper itself: its WER, the head that follows the words, the clips that every setting gets right."""

from __future__ import annotations

import itertools
import json
import shutil
from typing import TYPE_CHECKING, Any

from faster_whisper import WhisperModel

from tools.tiny_whisper.words import mistakes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

#: A window has fewer words by far; a model that is not yet trained would go on to 224.
MOST_TOKENS = 40


def opened(model: Path, compute_type: str = "float32") -> WhisperModel:
    """The model as faster-whisper has it."""
    return WhisperModel(str(model), device="cpu", compute_type=compute_type, cpu_threads=1, local_files_only=True)


def heard(model: WhisperModel, sound: Path, **options: Any) -> list[str]:
    """The words that the model hears in a sound file."""
    return [word for segment in _segments(model, sound, **options) for word in segment.text.split()]


def _segments(model: WhisperModel, sound: Path, **options: Any) -> Any:
    settings = {"language": "en", "temperature": 0.0, "condition_on_previous_text": False, "max_new_tokens": MOST_TOKENS}
    return model.transcribe(str(sound), **(settings | options))[0]


def expected(folder: Path) -> dict[Path, list[str]]:
    """The sound files of a folder and their words."""
    words: dict[str, str] = json.loads((folder / "expected.json").read_bytes())
    return {folder / name: text.split() for name, text in words.items()}


def rate_of_errors(model: WhisperModel, clips: dict[Path, list[str]], **options: Any) -> float:
    """Mistakes in all clips for each of their words."""
    wrong = sum(mistakes(words, heard(model, sound, **options)) for sound, words in clips.items())
    return wrong / sum(map(len, clips.values()))


def best_head(model: Path, candidates: Iterable[tuple[int, int]], clips: dict[Path, list[str]]) -> tuple[int, int]:
    """The head (layer, head) by whose attention the words' times come out most evenly spaced, as espeak-ng speaks."""
    config = model / "config.json"
    before = config.read_text()
    found: dict[tuple[int, int], float] = {}
    try:
        for head in candidates:
            config.write_text(json.dumps(json.loads(before) | {"alignment_heads": [head]}))
            found[head] = _unevenness(opened(model), clips)
    finally:
        config.write_text(before)
    return min(found, key=lambda head: found[head])


def _unevenness(model: WhisperModel, clips: dict[Path, list[str]]) -> float:
    """Mean seconds between the words' middles and those that they would have if all words were as long."""
    apart = []
    for sound, words in clips.items():
        times = [word for segment in _segments(model, sound, word_timestamps=True, beam_size=1) for word in segment.words]
        if len(times) == len(words):
            length = times[-1].end - times[0].start
            even = [times[0].start + (place + 0.5) / len(words) * length for place in range(len(words))]
            apart.append(sum(abs((word.start + word.end) / 2 - at) for word, at in zip(times, even, strict=True)) / len(words))
    return sum(apart) / len(apart) if len(apart) > len(clips) / 2 else float("inf")


def agreed(model: Path, clips: dict[Path, list[str]], lengths: Sequence[int]) -> Iterator[tuple[Path, list[str]]]:
    """One clip of each number of words, without repeats, that every configuration gets right."""
    models = [opened(model, compute_type) for compute_type in ("float32", "int8")]
    settings = [
        {"beam_size": beam, "without_timestamps": untimed, "max_new_tokens": None}
        for beam, untimed in itertools.product((1, 5), (False, True))
    ]
    for length in lengths:
        for sound, words in clips.items():
            if len(words) != length or len(set(words)) < length:
                continue
            if all(heard(each, sound, **options) == words for each in models for options in settings):
                yield sound, words
                break


def ship(model: Path, clips: dict[Path, list[str]], lengths: Sequence[int], target: Path) -> int:
    """Copy such clips with their words; how many."""
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    texts = {}
    for number, (sound, words) in enumerate(agreed(model, clips, lengths), 1):
        shutil.copyfile(sound, fresh / f"clip{number}.wav")
        texts[f"clip{number}.wav"] = " ".join(words)
    (fresh / "expected.json").write_text(json.dumps(texts, indent=1) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return len(texts)
