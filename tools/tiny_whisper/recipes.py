"""What espeak-ng is asked to say, and how: drawn by a seed, so that the same speech is made again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tools.tiny_whisper.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection

#: Training, the WER printed along the way, the WER that counts, the same by voices that are nowhere else.
Kind = Literal["train", "development", "held-out", "unseen-voices"]

ACCENTS = (*["en-us"] * 6, *["en-gb"] * 3, "en-gb-x-gbclan", "en-us-nyc", "en-gb-x-gbcwmd")
VARIANTS = ("", "", "", "+m1", "+m2", "+m3", "+m4", "+m6", "+m7", "+f1", "+f2", "+f4", "+f5")
UNSEEN = ("en-us+m5", "en-us+f3", "en-gb-x-rp", "en-gb+m8")
#: How many clips of 1, 2 ... 7 words.
LENGTHS = {"train": (10, 14, 18, 18, 16, 12, 10), "other": (1, 3, 5, 6, 5, 4, 2)}
#: How often a word of the training's is the one before it again, which a decoder else learns to leave out.
REPEATS = 0.05


@dataclass(frozen=True, slots=True)
class Recipe:
    """One clip: its words, the voice, words a minute, pitch, pause between words in 10 ms, loudness."""

    text: str
    voice: str
    speed: int
    pitch: int
    gap: int
    loudness: int

    def command(self) -> list[str]:
        """The call that writes the clip to its standard output."""
        options = {"-v": self.voice, "-s": self.speed, "-p": self.pitch, "-g": self.gap, "-a": self.loudness}
        return ["espeak-ng", *(str(part) for option in options.items() for part in option), "--stdout", self.text]


def drawn(kind: Kind, number: int, seed: int, taken: Collection[str] = ()) -> list[Recipe]:
    """Recipes of a kind; what is not for training says nothing of `taken`, at speeds and pitches that training never has."""
    source = random.Random(f"{kind} {seed}")
    training = kind == "train"
    speeds = [speed for speed in range(125, 206) if (speed % 5 == 0) == training]
    pitches = [pitch for pitch in range(25, 76) if (pitch % 5 == 0) == training]
    found: list[Recipe] = []
    while len(found) < number:
        text = _text(source, LENGTHS["train" if training else "other"], REPEATS if training else 0)
        if not training and text in taken:
            continue
        voice = source.choice(UNSEEN) if kind == "unseen-voices" else source.choice(ACCENTS) + source.choice(VARIANTS)
        gap, loudness = source.choice((0, 0, 0, 1, 2, 4)), source.choice((60, 80, 100, 100, 120))
        found.append(Recipe(text, voice, source.choice(speeds), source.choice(pitches), gap, loudness))
    return found


def _text(source: random.Random, lengths: tuple[int, ...], repeats: float) -> str:
    words: list[str] = []
    for _ in range(source.choices(range(1, len(lengths) + 1), lengths)[0]):
        words.append(words[-1] if words and source.random() < repeats else source.choice(WORDS))
    return " ".join(words)
