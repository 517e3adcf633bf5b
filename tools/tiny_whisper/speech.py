"""espeak-ng's speech, on disk: one array for the training, sound files for what is listened to by faster-whisper."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import wave
from multiprocessing import Pool
from typing import TYPE_CHECKING

import numpy as np

from tools.tiny_whisper.recipes import Recipe, drawn
from tools.tiny_whisper.words import RATE, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tools.tiny_whisper.recipes import Kind

#: Length of the header that espeak-ng writes, whose sizes are wrong where it writes to a pipe.
HEADER = 44
#: What is softer than this (of 1) at a clip's ends is cut away, but for so many samples before and behind.
SOFT = 0.004
BEFORE, BEHIND = 320, 480


def said(recipe: Recipe) -> tuple[int, bytes]:
    """What espeak-ng says: its rate, its 16-bit samples."""
    done = subprocess.run(recipe.command(), capture_output=True, check=False)
    if done.returncode or len(done.stdout) <= HEADER:
        reason = done.stderr.decode(errors="replace").strip() or f"it ended with {done.returncode}"
        raise ToolError(f"espeak-ng could not say {recipe.text!r} as {recipe.voice}: {reason}")
    return int.from_bytes(done.stdout[24:28], "little"), done.stdout[HEADER:]


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """The same sound at the rate of the model, by its spectrum."""
    divisor = int(np.gcd(rate, RATE))
    period = rate // divisor  # samples in which both rates meet
    padded = np.pad(samples, (0, -len(samples) % period))
    length = len(padded) // period * (RATE // divisor)
    spectrum = np.fft.rfft(padded)[: length // 2 + 1]
    return np.fft.irfft(spectrum, length) * (length / len(padded))


def _trained(recipe: Recipe) -> np.ndarray:
    """A clip as the training has it: without the silence at its ends."""
    rate, content = said(recipe)
    sound = resampled(np.frombuffer(content, "<i2") / 32768, rate)
    loud = np.flatnonzero(np.abs(sound) > SOFT)
    kept = sound[max(0, loud[0] - BEFORE) : loud[-1] + BEHIND]
    return np.clip(kept * 32767, -32768, 32767).astype(np.int16)


def write_training(folder: Path, number: int, seed: int) -> None:
    """`train.npy` (all clips, one behind the other) and `train.json` (words and end of each), where they are not yet."""
    if (folder / "train.json").exists():
        return
    recipes = drawn("train", number, seed)
    with Pool() as pool:
        clips = pool.map(_trained, recipes, chunksize=64)
    ends = np.cumsum([len(clip) for clip in clips]).tolist()
    with (folder / "train.npy").open("wb") as stream:
        np.save(stream, np.concatenate(clips))
    replace(folder / "train.json", json.dumps({"texts": [each.text for each in recipes], "ends": ends}).encode())


def write_clips(folder: Path, kind: Kind, number: int, seed: int, taken: Iterable[str]) -> None:
    """Sound files as espeak-ng makes them, with `expected.json`: file name to words."""
    target = folder / kind
    if target.exists():
        return
    fresh = folder / f"{kind}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    expected = {}
    recipes = drawn(kind, number, seed, set(taken))
    with Pool() as pool:
        for place, (recipe, (rate, content)) in enumerate(zip(recipes, pool.imap(said, recipes, chunksize=16), strict=True)):
            name = f"{place:03d}.wav"
            (fresh / name).write_bytes(wav(rate, content))
            expected[name] = recipe.text
    (fresh / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    fresh.rename(target)


def wav(rate: int, content: bytes) -> bytes:
    """A sound file of one channel of 16-bit samples."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(content)
    return buffer.getvalue()


def replace(path: Path, content: bytes) -> None:
    """Write a file that is there wholly or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    os.replace(fresh, path)
