"""The training's examples: clips joined, moved, made softer, noisy and dull; silence and hum."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tools.tiny_whisper.words import RATE, WINDOW

if TYPE_CHECKING:
    from pathlib import Path

    from tools.tiny_whisper.schedule import Phase

#: Share of examples in which nobody speaks.
SPEECHLESS = 0.03


class Example(NamedTuple):
    """A sound, its words, and when the first one begins and the last one ends, in seconds."""

    samples: np.ndarray
    words: list[str]
    start: float
    end: float


class Clips:
    """The training's clips on disk, mapped: all processes share them."""

    def __init__(self, folder: Path) -> None:
        index = json.loads((folder / "train.json").read_bytes())
        self.texts: list[str] = index["texts"]
        self.ends: list[int] = index["ends"]
        self.samples = np.load(folder / "train.npy", mmap_mode="r")

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, number: int) -> tuple[str, np.ndarray]:
        return self.texts[number], self.samples[self._start(number) : self.ends[number]].astype(np.float32) / 32768

    def seconds(self, number: int) -> float:
        """How long a clip is."""
        return (self.ends[number] - self._start(number)) / RATE

    def _start(self, number: int) -> int:
        return self.ends[number - 1] if number else 0


def example(clips: Clips, phase: Phase, longest: float, source: np.random.Generator) -> Example:
    """One example of at most about so many seconds."""
    if source.random() < SPEECHLESS:
        return Example(_speechless(longest, source), [], 0, 0)
    while True:
        found = _joined(_chosen(clips, phase, longest, source), source)
        if found.end <= WINDOW - 0.1:
            break
    samples = found.samples * 10 ** source.uniform(-1, 0)
    if source.random() < 0.6:
        loudness = np.sqrt((samples**2).mean())
        samples = samples + _noise(len(samples), source) * loudness * 10 ** (-source.uniform(8, 50) / 20)
    if source.random() < phase.dull:
        spectrum = np.fft.rfft(samples)
        spectrum[int(len(spectrum) * source.uniform(3300, 4500) / (RATE / 2)) :] = 0
        samples = np.fft.irfft(spectrum, len(samples))
    return found._replace(samples=samples.astype(np.float32))


def _chosen(clips: Clips, phase: Phase, longest: float, source: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """Clips that fit together into so many seconds, fewer where more do not."""
    number = max(1, int(source.integers(phase.joined + 1))) if longest > 2.2 else 1
    for _ in range(50):
        chosen = source.integers(len(clips), size=number).tolist()
        if sum(clips.seconds(place) + 0.35 for place in chosen) < longest:
            break
        number = max(1, number - 1)
    return [clips[place] for place in chosen]


def _joined(chosen: list[tuple[str, np.ndarray]], source: np.random.Generator) -> Example:
    """The clips with gaps between, some silence before and behind."""
    lead = int(RATE * source.uniform(0, source.choice((0, 0.25, 1.0))))
    parts, words, end = [np.zeros(lead, np.float32)], [], lead
    for place, (text, samples) in enumerate(chosen):
        if place:
            gap = int(RATE * source.uniform(0.05, 0.6))
            parts.append(np.zeros(gap, np.float32))
            end += gap
        parts.append(samples * 10 ** source.uniform(-0.15, 0.15))
        words += text.split()
        end += len(samples)
    parts.append(np.zeros(int(RATE * source.uniform(0, source.choice((0, 0.3, 0.8)))), np.float32))
    return Example(np.concatenate(parts)[: WINDOW * RATE], words, lead / RATE, end / RATE)


def _speechless(longest: float, source: np.random.Generator) -> np.ndarray:
    samples = np.zeros(int(RATE * source.uniform(0.3, longest)), np.float32)
    if source.random() < 0.8:
        samples += _noise(len(samples), source) * 10 ** source.uniform(-5, -1.5)
    if source.random() < 0.4:
        pitch = source.choice((50, 100, 440, 1000, source.uniform(60, 3000)))
        samples += 10 ** source.uniform(-2, -0.4) * np.sin(np.arange(len(samples)) * (2 * np.pi * pitch / RATE))
    return samples.astype(np.float32)


def _noise(length: int, source: np.random.Generator) -> np.ndarray:
    """White noise, or noise with less treble."""
    samples = source.standard_normal(length, np.float32)
    if source.random() < 0.5:
        samples = np.convolve(samples, np.exp(-np.arange(24) / source.uniform(1, 8)).astype(np.float32), "same")
    return samples / (samples.std() + 1e-9)
