"""NVIDIA's images by their tags, as in `12.4.1-cudnn-runtime-ubuntu22.04`: on what they are, and which libraries they have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What stands before the name of the image; built-in ones do without.
OWNER = "nvidia/"
#: It comes with the machine that has a GPU, whatever the image holds.
DRIVER = frozenset({"libcuda.so.1"})

_TAG = re.compile(
    r"cuda:(?P<major>\d+)\.(?P<minor>\d+)(?:\.\d+)?-(?:(?P<cudnn>cudnn)(?P<number>\d*)-)?(?P<kind>base|runtime|devel)-[^-]+"
)
#: From here on tags do not tell the major version of cuDNN, which is 9.
_UNNUMBERED = (12, 4)


def system(name: str) -> str:
    """The name by which an image of the tag's distribution is built in: `cuda:ubuntu22.04`; "" for what is no image of CUDA."""
    return f"cuda:{name.rpartition('-')[2]}" if name.startswith("cuda:") and "-" in name else ""


def libraries(name: str, table: Mapping[str, Mapping[str, list[str]]]) -> frozenset[str] | None:
    """The libraries of CUDA in an image, None where the tag is of no kind that `table` knows."""
    tag = _TAG.fullmatch(name)
    if tag is None:
        return None
    parts = [("base", tag["major"])]
    if tag["kind"] != "base":
        parts.append(("runtime", tag["major"]))
    if tag["cudnn"]:
        newer = (int(tag["major"]), int(tag["minor"])) >= _UNNUMBERED
        parts.append(("cudnn", tag["number"] or ("9" if newer else "")))
    found = [table.get(part, {}).get(number) for part, number in parts]
    return None if None in found else frozenset(each for names in found if names for each in names)
