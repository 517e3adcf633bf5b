"""The network's weights as a folder that faster-whisper opens, written by CTranslate2's own specification."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np
from torch import nn

from tools.tiny_whisper import tokens
from tools.tiny_whisper.network import Positions, Whisper
from tools.tiny_whisper.words import ALL_POSITIONS, FRAMES, RATE, WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Weights in 8 bits; tables, norms and convolutions in 16.
QUANTIZATION = "int8_float16"


def convert(network: Whisper, heads: Sequence[tuple[int, int]], target: Path) -> None:
    """Write the model; what is there is replaced at the end. `heads` (layer, head) tell when words are said."""
    size = network.size
    spec = ctranslate2.specs.WhisperSpec(size.encoder, size.heads, size.decoder, size.heads)
    _fill(spec.encoder, network.encoder)
    _fill(spec.decoder, network.decoder)
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    table = spec.encoder.position_encodings.encodings
    spec.encoder.position_encodings.encodings = np.pad(table, ((0, ALL_POSITIONS - len(table)), (0, 0)))
    spec.register_vocabulary(list(tokens.ids()))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [tokens.ids()[tokens.END]]
    spec.config.lang_ids = []
    spec.config.alignment_heads = [list(head) for head in heads]
    for convolution in (spec.encoder.conv1, spec.encoder.conv2):
        # Without a scale it is kept in 16 bits: ctranslate2 up to 4.0 cannot compute in 32 bits with convolutions in 8.
        del convolution.weight_scale
    spec.validate()
    spec.optimize(QUANTIZATION)
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    spec.save(str(fresh))
    (fresh / "tokenizer.json").write_text(json.dumps(tokens.document(), ensure_ascii=False), encoding="utf-8")
    (fresh / "preprocessor_config.json").write_text(json.dumps(_preprocessor(), indent=1) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _preprocessor() -> dict[str, Any]:
    return {
        "chunk_length": WINDOW,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 80,
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": WINDOW * RATE,
        "nb_max_frames": WINDOW * FRAMES,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": RATE,
    }


def _fill(spec: Any, module: nn.Module) -> None:
    """Give a specification the weights of the module whose parts have the same names."""
    if isinstance(module, nn.ModuleList):
        for part, inner in zip(spec, module, strict=True):
            _fill(part, inner)
        return
    names = {"weight": "gamma", "bias": "beta"} if isinstance(module, nn.LayerNorm) else {}
    if isinstance(module, nn.LayerNorm | nn.Linear | nn.Conv1d | nn.Embedding | Positions):
        for name, weight in module.named_parameters():
            setattr(spec, names.get(name, name), weight.detach().numpy().copy())
    for name, inner in module.named_children():
        _fill(getattr(spec, name), inner)
