"""The training: one thread, no dropout, batches and rates by the step, so that the same machine makes the same weights again."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy, ctc_loss
from torch.nn.utils import clip_grad_norm_

from tools.tiny_whisper.batches import IGNORED, Batch, Batches, ahead
from tools.tiny_whisper.network import Size, Whisper
from tools.tiny_whisper.schedule import phase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Steps from one line of progress to the next.
LINE = 100


class Trainer:
    """A network, its optimizer, and how far they are."""

    def __init__(self, seed: int) -> None:
        torch.set_num_threads(1)  # two are several times slower where something else runs, and add up in another order
        torch.use_deterministic_algorithms(mode=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # a third of the time, and nothing here reads such
        torch.set_flush_denormal(True)
        torch.manual_seed(seed)
        self.network = Whisper(Size())
        learnt = [weight for weight in self.network.parameters() if weight.requires_grad]
        groups = [
            {"params": [weight for weight in learnt if weight.ndim > 1], "weight_decay": 0.01},
            {"params": [weight for weight in learnt if weight.ndim == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
        self.step = 0
        self.seconds = 0.0

    def save(self, path: Path) -> None:
        """Write the checkpoint, wholly or not at all."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        fresh = path.with_name(path.name + ".new")
        torch.save(state, fresh)
        os.replace(fresh, path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True)
        self.step, self.seconds = state["step"], state["seconds"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def train(work: Path, steps: int, seed: int, every: int, rate_of_errors: Callable[[Whisper], float]) -> Whisper:
    """Train, or go on with it; each `every` steps the WER is asked for and a checkpoint written."""
    trainer = Trainer(seed)
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint)
        print(f"going on from step {trainer.step}", flush=True)
    began = time.monotonic() - trainer.seconds
    losses = []
    for batch in ahead(Batches(work, steps, seed), trainer.step):
        losses.append(_step(trainer, batch, steps))
        trainer.seconds = time.monotonic() - began
        last = trainer.step == steps
        if trainer.step % every == 0 or last:
            trainer.save(checkpoint)
        if trainer.step % LINE == 0 or trainer.step % every == 0 or last:
            text, letters = (sum(column) / len(losses) for column in zip(*losses, strict=True))
            losses = []
            errors = f", WER {rate_of_errors(trainer.network):.2%}" if trainer.step % every == 0 or last else ""
            print(f"step {trainer.step}, {trainer.seconds:.0f} s: loss {text:.3f}, of letters {letters:.3f}{errors}", flush=True)
    return trainer.network


def _step(trainer: Trainer, batch: Batch, steps: int) -> tuple[float, float]:
    """One step down both losses, which it returns."""
    now = phase(trainer.step, steps)
    for group in trainer.optimizer.param_groups:
        group["lr"] = now.rate
    scores, letters = trainer.network(batch.mel, batch.padding, batch.text)
    text_loss = cross_entropy(scores.flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED)
    likely = letters[batch.spoken].log_softmax(-1).transpose(0, 1)
    letter_loss = ctc_loss(likely, batch.letters, batch.positions, batch.spelled, zero_infinity=True)
    trainer.optimizer.zero_grad()
    (text_loss + now.letters * letter_loss).backward()
    clip_grad_norm_(trainer.network.parameters(), 1.0)
    trainer.optimizer.step()
    trainer.step += 1
    return float(text_loss.detach()), float(letter_loss.detach())
