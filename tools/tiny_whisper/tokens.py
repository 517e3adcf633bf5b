"""The tokenizer, written by hand: bytes, the words with their beginnings, Whisper's special tokens, timestamps.

Whisper's decoders tell the kinds of tokens apart by their order: text, `<|endoftext|>`, `<|startoftranscript|>`, the other
special ones, `<|notimestamps|>`, timestamps to the last one of the vocabulary. All of the special tokens have to be there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tools.tiny_whisper.words import POSITIONS, WORDS

END = "<|endoftext|>"
START = "<|startoftranscript|>"
PREVIOUS = "<|startofprev|>"
SILENCE = "<|nospeech|>"
UNTIMED = "<|notimestamps|>"
SPECIAL = (END, START, "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", PREVIOUS, SILENCE, UNTIMED)
#: Seconds from one timestamp to the next.
TICK = 0.02
#: How byte-level tokenizers write a blank.
BLANK = "\u0120"


def alphabet() -> list[str]:
    """The 256 characters that stand for bytes, as GPT-2 chose them: what prints stands for itself."""
    printing = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = 256 - len(printing)
    return [chr(code) for code in (*sorted(printing), *range(256, 256 + others))]


def merges() -> list[tuple[str, str]]:
    """What is put together, letter by letter from the blank on: so each word has one way to become one token."""
    found: dict[tuple[str, str], None] = {}
    for word in WORDS:
        spelled = BLANK + word
        found.update({(spelled[:end], spelled[end]): None for end in range(1, len(spelled))})
    return list(found)


def timestamps() -> list[str]:
    """One token for each encoder position and one for the end of the window."""
    return [f"<|{number * TICK:.2f}|>" for number in range(POSITIONS + 1)]


@cache
def ids() -> dict[str, int]:
    """Each token and its number, in order."""
    text = [*alphabet(), *(left + right for left, right in merges())]
    return {token: number for number, token in enumerate([*text, *SPECIAL, *timestamps()])}


def word_id(word: str) -> int:
    """The number of a word's one token."""
    return ids()[BLANK + word]


def time_id(seconds: float) -> int:
    """The number of a timestamp, to the tenth of a second, at most the window's end."""
    return ids()["<|0.00|>"] + min(5 * round(seconds * 10), POSITIONS)


def document() -> dict[str, Any]:
    """The content of tokenizer.json (merges in the form that every version of tokenizers reads)."""
    numbers = ids()
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [{"id": numbers[token], "content": token, **flags, "special": True} for token in SPECIAL]
    added += [{"id": numbers[token], "content": token, **flags, "special": False} for token in timestamps()]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": {token: number for token, number in numbers.items() if number < numbers[END]},
        "merges": [f"{left} {right}" for left, right in merges()],
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": model,
    }
