"""Whisper's network, its parts named as CTranslate2's specification names them.

faster-whisper fills each window with zeros up to 30 seconds, which nobody would train through on a CPU. All positions that see
only zeros are alike where no position table tells them apart. So the table ends with the window, and the encoder here takes the
sound's positions and one more that stands for all the others: its key gets the logarithm of their number added, which is the same
in every softmax as if it were there so often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import gelu, linear, pad, scaled_dot_product_attention

from tools.tiny_whisper import tokens
from tools.tiny_whisper.words import POSITIONS, TEXT_POSITIONS

MELS = 80
#: Letters, the blank between words, and that of CTC.
LETTERS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The network's dimensions."""

    width: int = 96
    heads: int = 3
    encoder: int = 3
    decoder: int = 2


class Attention(nn.Module):
    """Attention to oneself (queries, keys and values in one product) or to the encoder, the norm before and the sum behind."""

    def __init__(self, size: Size, *, to_self: bool) -> None:
        super().__init__()
        width, self.heads = size.width, size.heads
        self.layer_norm = nn.LayerNorm(width)
        shapes = ((width, 3 * width),) if to_self else ((width, width), (width, 2 * width))
        self.linear = nn.ModuleList(nn.Linear(*shape) for shape in (*shapes, (width, width)))

    def forward(
        self, x: torch.Tensor, memory: torch.Tensor | None = None, weights: torch.Tensor | None = None, *, causal: bool = False
    ) -> torch.Tensor:
        """`weights` is added to the logarithms of attention."""
        inner = self.linear[0](self.layer_norm(x))
        parts = inner.chunk(3, -1) if memory is None else (inner, *self.linear[1](memory).chunk(2, -1))
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        out = scaled_dot_product_attention(query, key, value, attn_mask=weights, is_causal=causal)
        return x + self.linear[-1](out.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Four times the width and back, with the norm before and the sum behind."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size.width)
        self.linear_0 = nn.Linear(size.width, 4 * size.width)
        self.linear_1 = nn.Linear(4 * size.width, size.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One step of the residual stream."""
        return x + self.linear_1(gelu(self.linear_0(self.layer_norm(x))))


class Positions(nn.Module):
    """A table of sines and cosines, learnt further or not."""

    def __init__(self, number: int, width: int, scale: float, *, learnt: bool) -> None:
        super().__init__()
        steps = torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))
        angles = torch.arange(number)[:, None] * steps[None]
        self.encodings = nn.Parameter(torch.cat([angles.sin(), angles.cos()], 1) * scale, requires_grad=learnt)


class EncoderLayer(nn.Module):
    """One layer of the encoder."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.self_attention = Attention(size, to_self=True)
        self.ffn = FeedForward(size)

    def forward(self, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """One step of the residual stream."""
        return self.ffn(self.self_attention(x, weights=weights))


class DecoderLayer(nn.Module):
    """One layer of the decoder."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.self_attention = Attention(size, to_self=True)
        self.attention = Attention(size, to_self=False)
        self.ffn = FeedForward(size)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """One step of the residual stream."""
        return self.ffn(self.attention(self.self_attention(x, causal=True), memory, weights))


class Encoder(nn.Module):
    """Mel frames to positions, two frames each."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, size.width, 3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.position_encodings = Positions(POSITIONS, size.width, 0.3, learnt=False)
        self.layer = nn.ModuleList(EncoderLayer(size) for _ in range(size.encoder))
        self.layer_norm = nn.LayerNorm(size.width)

    def forward(self, mel: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The last four frames are zeros: the last position sees nothing else."""
        x = gelu(self.conv2(gelu(self.conv1(mel)))).transpose(1, 2)
        table = self.position_encodings.encodings[: x.shape[1] - 1]
        x = x + pad(table, (0, 0, 0, x.shape[1] - len(table)))
        for layer in self.layer:
            x = layer(x, weights)
        return self.layer_norm(x)


class Decoder(nn.Module):
    """Tokens to the next tokens' scores, by the table that also reads them."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(len(tokens.ids()), size.width)
        nn.init.normal_(self.embeddings.weight, std=0.05)
        self.position_encodings = Positions(TEXT_POSITIONS, size.width, 0.05, learnt=True)
        self.layer = nn.ModuleList(DecoderLayer(size) for _ in range(size.decoder))
        self.layer_norm = nn.LayerNorm(size.width)

    def forward(self, text: torch.Tensor, memory: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Scores behind each token."""
        x = self.embeddings(text) + self.position_encodings.encodings[: text.shape[1]]
        for layer in self.layer:
            x = layer(x, memory, weights)
        return linear(self.layer_norm(x), self.embeddings.weight)


class Whisper(nn.Module):
    """The network and, for its training only, a reader of letters behind the encoder."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.encoder = Encoder(size)
        self.decoder = Decoder(size)
        self.letters = nn.Linear(size.width, LETTERS)

    def forward(self, mel: torch.Tensor, padding: torch.Tensor, text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores of tokens, and those of letters at each position."""
        weights = torch.zeros(len(mel), 1, 1, mel.shape[2] // 2)
        weights[:, 0, 0, -1] = padding.log()
        memory = self.encoder(mel, weights)
        return self.decoder(text, memory, weights), self.letters(memory)
