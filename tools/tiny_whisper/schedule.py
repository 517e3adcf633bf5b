"""What changes during the training, by the number of the step and nothing else: no clock is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass

PEAK = 2e-3
WARM_UP = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """How one step is trained."""

    rate: float  # of learning
    letters: float  # weight of the loss of the encoder alone, which learns to spell and so learns to listen
    prompted: float  # share of examples that have a text before them
    longest_prompt: int  # words
    joined: int  # clips in one example, at most
    dull: float  # share of examples whose treble is cut off
    whole: float  # share of batches as long as the window


def phase(step: int, steps: int) -> Phase:
    """The phase of a step, counted from 0: easier examples in the first half, whole windows in the last sixth."""
    done = step / steps
    warm = min(1.0, (step + 1) / WARM_UP)
    early = done < 0.5
    return Phase(
        rate=PEAK * warm * (0.98 * 0.5 * (1 + math.cos(math.pi * done)) + 0.02),
        letters=0.5 if done < 0.7 else 0.2,
        prompted=0.2 if early else 0.35,
        longest_prompt=11 if early else 48,
        joined=3 if early else 4,
        dull=0.0 if early else 0.12,
        whole=0.05 if done < 0.84 else 1.0,
    )
