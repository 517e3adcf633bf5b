"""Floors and ceilings of eight wheels, with the symbols that force them, as other tools and the symbol tables give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from abicheck.api import show
from tests.truth.wheels import fetch

if TYPE_CHECKING:
    from abicheck.model.requirements import Requirements

pytestmark = pytest.mark.network


class Expected(NamedTuple):
    """A wheel, its window, and the symbols of the highest version by library."""

    file: str
    sha256: str
    window: tuple[str, str | None]
    symbols: dict[str, set[str]]


FLOATS = {"expf", "exp2f", "log2f", "logf", "powf"}
WHEELS = [
    Expected(
        "av-18.1.0-cp311-abi3-manylinux_2_28_x86_64.whl",
        "8a032e8d8ebc73dec079364b9b4a6837638a2d106e8472314e685ffbf163e700",
        ("2.28", None),
        {"libc.so.6": {"fcntl64"}, "libpthread.so.0": {"thrd_exit"}},
    ),
    Expected(
        "onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        ("2.28", None),
        {"libc.so.6": {"fcntl64"}},
    ),
    Expected(
        "ctranslate2-4.8.5-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "79a30a2c974530dbb5083f4922d28ffad87e08542f423aa91c53fbf4543cc35f",
        ("2.27", None),
        {"libm.so.6": FLOATS - {"exp2f"}},
    ),
    Expected(
        "numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93",
        ("2.27", None),
        {"libm.so.6": FLOATS},
    ),
    Expected(
        "scipy-1.17.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "43af8d1f3bea642559019edfe64e9b11192a8978efbd1539d7bc2aaa23d92de4",
        ("2.27", None),
        {"libm.so.6": FLOATS - {"exp2f"}},
    ),
    Expected(
        "ctranslate2-4.4.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "1656fca5ed866596aea49f045ad7aeb1438ba4d9a56477ae29844672692d5e78",
        ("2.17", "2.40"),
        {"libc.so.6": {"clock_getres", "clock_gettime"}},
    ),
    Expected(
        "opencv_python_headless-5.0.0.93-cp37-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "09a872a157c1376ab922a69bbf22f9a95bcc7b658a9d8b436a60212b02b2eeb4",
        ("2.17", None),
        {"libc.so.6": {"clock_gettime", "secure_getenv"}},
    ),
    Expected(
        "tokenizers-0.23.3-cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "376851d22bcf9d650a5c3090bb83e6cf9e895fbf0595369fa4cd43c1f69b5f87",
        ("2.16", None),
        {"libc.so.6": {"getauxval"}},
    ),
]


def _forcing(asks: Requirements) -> dict[str, set[str]]:
    """The symbols of the highest glibc version, by the library that they are asked of."""
    glibc = [node for library in asks.libraries for node in library.nodes if node.family == "GLIBC"]
    highest = max(node.number for node in glibc)
    return {node.library: {symbol for use in node.uses for symbol in use.symbols} for node in glibc if node.number == highest}


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: "-".join(wheel.file.split("-")[:2]))
def test_floors_and_forcing_symbols(wheel: Expected) -> None:
    (card,) = show([str(fetch({"file": wheel.file, "sha256": wheel.sha256}))]).cards
    window = card.requirements.window
    assert window is not None
    assert (window.glibc_min, window.glibc_max, window.known_to) == (*wheel.window, "2.44")
    assert _forcing(card.requirements) == wheel.symbols
