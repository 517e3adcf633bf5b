"""What the model knows and how its windows are cut; how far what it heard is from what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = """
zero one two three four five six seven eight nine ten yes no on off up down left right go stop open close start pause play next
back home door window light music volume red green blue yellow black white hello world computer system check
"""
#: All that the model can say.
WORDS = tuple(_WORDS.split())
#: Samples in a second, as every Whisper wants them.
RATE = 16000
#: Mel frames in a second; the encoder makes one position of two frames.
FRAMES = 100
#: Seconds in a window (`chunk_length` of preprocessor_config.json): the model is trained for no longer ones.
WINDOW = 6
#: Encoder positions that may carry sound.
POSITIONS = WINDOW * FRAMES // 2
#: Encoder positions of every Whisper: faster-whisper fills up to them with zeros, whatever the window.
ALL_POSITIONS = 1500
#: Decoder positions: faster-whisper prompts with up to 223 tokens and decodes up to 224 more.
TEXT_POSITIONS = 448


class ToolError(Exception):
    """What the user can do something about, in one line."""


def mistakes(said: Sequence[str], heard: Sequence[str]) -> int:
    """The least number of words to change, add or leave out that makes one of the other.

    >>> mistakes("go back home".split(), "go home now".split())
    2
    """
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        diagonal, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other))
    return row[-1]
