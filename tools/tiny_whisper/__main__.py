"""Make the embedded model: `python -m tools.tiny_whisper --out DIR`, from the repository's root."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
from pathlib import Path

from tools.tiny_whisper.words import ToolError

STEPS, SEED, CLIPS, EVERY = 6000, 1, 16000, 400
PIP = 'pip install torch==2.13.0 ctranslate2==4.8.5 faster-whisper==1.2.1 "av<19"'


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "number above 0"  # what argparse calls it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.tiny_whisper",
        description="Train a tiny Whisper on espeak-ng's speech, convert it for faster-whisper, and listen to how good it is. "
        "An interrupted run goes on where it was. Exit code: 0 where the WER is below 2 %, else 1; 2 where something is missing.",
        epilog="example: python -m tools.tiny_whisper --out /tmp/whisper",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets tiny-whisper/, speech/ and work/ (800 MB)")
    parser.add_argument("--steps", type=_positive, default=STEPS, metavar="N", help="steps of training (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="of speech, weights, batches (default: %(default)s)")
    parser.add_argument("--clips", type=_positive, default=CLIPS, metavar="N", help="clips to train on (default: %(default)s)")
    parser.add_argument(
        "--every", type=_positive, default=EVERY, metavar="N", help="steps between checkpoints with a WER (default: %(default)s)"
    )
    return parser


def check_needs() -> None:
    """Say what is missing before minutes are spent."""
    if shutil.which("espeak-ng") is None:
        raise ToolError("espeak-ng is missing: apt-get install espeak-ng")
    for module in ("torch", "ctranslate2", "faster_whisper", "numpy", "av"):
        if importlib.util.find_spec(module) is None:
            raise ToolError(f"{module} is missing: {PIP}")


def main(arguments: list[str] | None = None) -> int:
    """Parse, check, make."""
    options = _parser().parse_args(arguments)
    try:
        check_needs()
        from tools.tiny_whisper.make import Settings, make  # noqa: PLC0415 - only now is torch known to be there

        settings = Settings(steps=options.steps, seed=options.seed, clips=options.clips)
        return 0 if make(options.out, settings, options.every) else 1
    except (ToolError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from the last checkpoint", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
