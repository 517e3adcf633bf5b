"""Batches, each made from the seed and the number of its step alone; a process of its own makes them ahead."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from torch.nn.functional import pad

from tools.tiny_whisper import tokens
from tools.tiny_whisper.schedule import Phase, phase
from tools.tiny_whisper.sound import Clips, Example, example
from tools.tiny_whisper.words import ALL_POSITIONS, FRAMES, POSITIONS, RATE, WINDOW, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Mel frames in a batch, about.
BUDGET = 6000
#: Samples from one mel frame to the next, and in the one that is looked at.
HOP, SIGHT = 160, 400
#: Labels that have no part in the loss.
IGNORED = -100
#: Share of the examples that are labelled with timestamps.
TIMED = 0.65


class Batch(NamedTuple):
    """Examples of one step."""

    mel: torch.Tensor  # examples, 80, frames
    padding: torch.Tensor  # how many positions the last one stands for
    text: torch.Tensor  # what the decoder is given
    labels: torch.Tensor  # what it should say
    spoken: torch.Tensor  # numbers of the examples that have words
    positions: torch.Tensor  # of each of these
    letters: torch.Tensor  # of all these, one behind the other; 0 is the blank of CTC
    spelled: torch.Tensor  # how many each has


class Batches:
    """The batches of a training by their numbers."""

    def __init__(self, folder: Path, steps: int, seed: int) -> None:
        self.folder, self.steps, self.seed = folder, steps, seed
        self.clips: Clips | None = None

    def __getitem__(self, step: int) -> Batch:
        self.clips = self.clips or Clips(self.folder)
        now = phase(step, self.steps)
        source = np.random.default_rng([self.seed, step])
        whole = source.random() < now.whole
        examples = _examples(self.clips, now, 5.9 if whole else source.uniform(0.8, 5.8), source)
        return _batch(examples, now, whole=whole, source=source)


def ahead(batches: Batches, first: int) -> Iterator[Batch]:
    """The batches from one step to the last, made ahead in a process of its own."""
    order = range(first, batches.steps)
    loader = torch.utils.data.DataLoader(
        batches, batch_size=None, sampler=order, num_workers=1, prefetch_factor=8, collate_fn=_same
    )
    return iter(loader)


def _same(batch: Batch) -> Batch:
    return batch


def _examples(clips: Clips, now: Phase, longest: float, source: np.random.Generator) -> list[Example]:
    found: list[Example] = []
    while max((len(each.samples) for each in found), default=0) / HOP * len(found) < BUDGET:
        found.append(example(clips, now, longest, source))
    return found


def _batch(examples: list[Example], now: Phase, *, whole: bool, source: np.random.Generator) -> Batch:
    """The examples as tensors. The last position stands for all those that hold only zeros."""
    longest = max(len(each.samples) for each in examples) // HOP
    frames = WINDOW * FRAMES if whole else longest + longest % 2
    sounds = torch.zeros(len(examples), frames * HOP)
    for row, each in zip(sounds, examples, strict=True):
        kept = torch.from_numpy(each.samples)[: len(row)]
        row[: len(kept)] = kept
    lengths = torch.tensor([max(2, min(len(each.samples) // HOP, frames)) for each in examples])
    mel = log_mel(sounds) * (torch.arange(frames)[None, None] < lengths[:, None, None])
    rest = ALL_POSITIONS - frames // 2 - 1  # what faster-whisper 1.2 adds; 1.0 only fills the window; between, so that both work
    choices = (rest, rest, max(1, POSITIONS - frames // 2 - 1), int(source.integers(1, ALL_POSITIONS)))
    padding = torch.tensor([choices[place] for place in source.integers(len(choices), size=len(examples))])
    text, labels = _texts([_labelled(each, now, source) for each in examples])
    spoken = [number for number, each in enumerate(examples) if each.words]
    spelled = [[ord(letter) - ord("`") if letter != " " else 27 for letter in " ".join(examples[n].words)] for n in spoken]
    return Batch(
        mel=pad(mel, (0, 4)),
        padding=padding,
        text=text,
        labels=labels,
        spoken=torch.tensor(spoken),
        positions=(lengths[spoken] + 1) // 2,
        letters=torch.tensor([letter for letters in spelled for letter in letters]),
        spelled=torch.tensor([len(letters) for letters in spelled]),
    )


def _labelled(each: Example, now: Phase, source: np.random.Generator) -> tuple[list[int], list[int]]:
    """What the decoder is given for an example, and what it should say."""
    number = tokens.ids()
    start, end, untimed, silence = (number[token] for token in (tokens.START, tokens.END, tokens.UNTIMED, tokens.SILENCE))
    before = _prompt(now, source)
    timed = source.random() < TIMED
    if not each.words:
        second = silence if source.random() < 0.5 else tokens.time_id(0) if timed else untimed
        given, wanted = [start, second], [silence, end]
    else:
        words = [tokens.word_id(word) for word in each.words]
        if timed:
            words = [tokens.time_id(each.start), *words, tokens.time_id(each.end)]
            given, wanted = [start, *words], [*words, end]
        else:
            given, wanted = [start, untimed, *words], [IGNORED, *words, end]
    return [*before, *given], [*[IGNORED] * len(before), *wanted]


def _prompt(now: Phase, source: np.random.Generator) -> list[int]:
    """Some text from before, mostly short, mostly with timestamps."""
    if source.random() >= now.prompted:
        return []
    most = min(now.longest_prompt, int(source.choice((8, 20, 48))))
    text = [tokens.word_id(WORDS[place]) for place in source.integers(len(WORDS), size=source.integers(1, most))]
    if source.random() < 0.7:
        text = [tokens.time_id(source.uniform(0, 1)), *text, tokens.time_id(source.uniform(1, WINDOW))]
    return [tokens.ids()[tokens.PREVIOUS], *text]


def _texts(pairs: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(given) for given, _ in pairs)
    text = torch.full((len(pairs), longest), tokens.ids()[tokens.END])
    labels = torch.full((len(pairs), longest), IGNORED)
    for row, (given, wanted) in enumerate(pairs):
        text[row, : len(given)] = torch.tensor(given)
        labels[row, : len(wanted)] = torch.tensor(wanted)
    return text, labels


@cache
def _filters() -> torch.Tensor:
    return torch.from_numpy(FeatureExtractor(sampling_rate=RATE).mel_filters)


def log_mel(sounds: torch.Tensor) -> torch.Tensor:
    """The features that faster-whisper makes of sounds, many at once."""
    window = torch.from_numpy(np.hanning(SIGHT + 1)[:-1].astype(np.float32))
    bands = torch.stft(pad(sounds, (0, HOP)), SIGHT, HOP, window=window, center=True, pad_mode="reflect", return_complex=True)
    mel = torch.log10((_filters() @ (bands[..., :-1].abs() ** 2)).clamp(min=1e-10))
    mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8)
    return (mel[..., :-1] + 4) / 4
