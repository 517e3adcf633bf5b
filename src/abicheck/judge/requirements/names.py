"""What names alone tell: the tags of a wheel, the file names of extensions, the libraries of a GPU."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.model.requirements import Gpu, PythonNeed

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXTENSION = re.compile(r"\.(?:(cpython|pypy)-?(\d)(\d+)(t?)[-.\w]*|(abi3t?))\.")
_TAG = re.compile(r"(?:cp|pp)(\d)(\d+)")
#: What the old names of platform tags stand for (PEP 600).
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_")

#: Libraries whose soname bears the major version of CUDA (cuFFT, cuRAND, cuSOLVER and others count on their own).
_CUDA = re.compile(r"lib(?:cudart|cublas|cublasLt|nvrtc|nvJitLink|cusparse|nvblas)\.so\.(\d+)")
#: A library that a wheel brings along bears a hash in its name (auditwheel).
_CUDNN = re.compile(r"libcudnn(?:_\w+)?(?:-[0-9a-f]{8})?\.so\.(\d+)")
_GPU = re.compile(
    r"lib(?:cud|cublas|cufft|curand|cusolver|cusparse|nvrtc|nvJitLink|nccl|nvinfer|nvcuvid|nvidia-|amdhip|hsa-runtime|roc)"
)


def promised_glibc(tags: Iterable[str]) -> tuple[int, int] | None:
    """The lowest glibc that the platform tags stand for; an installer takes the wheel for any of them."""
    found = []
    for platform in (platform for tag in tags for platform in tag.split("-")[-1].split(".")):
        match = _MANYLINUX.match(platform)
        legacy = _LEGACY.get(platform.partition("_")[0])
        if match or legacy:
            found.append((int(match[1]), int(match[2])) if match else legacy)
    return min((each for each in found if each is not None), default=None)


def extension_abi(path: str) -> str | None:
    """What the name of an extension says: `cp312`, `cp313t`, `abi3`; None for plain `.so`, which says nothing."""
    match = _EXTENSION.search(posixpath.basename(path))
    if match is None:
        return None
    return match[5] or f"{'cp' if match[1] == 'cpython' else 'pp'}{match[2]}{match[3]}{match[4]}"


def python_need(tags: Iterable[str], extensions: Iterable[str], requires: str | None) -> PythonNeed:
    """The Pythons: by the tags, whose abi tells whether newer ones count; without tags by the names of the extensions."""
    short = tuple(dict.fromkeys(tag.rpartition("-")[0] for tag in tags))
    said = tuple(sorted({abi for path in extensions if (abi := extension_abi(path)) is not None}))
    versions, newer = set(), False
    for interpreter, _, abi in (tag.partition("-") for tag in short):
        stable = abi.startswith("abi3")
        newer = newer or stable
        for each in interpreter.split("."):
            match = _TAG.fullmatch(each)
            if match is not None:
                versions.add((int(match[1]), int(match[2]), "t" if abi.endswith("t") else ""))
    if not short:
        matches = [(_TAG.match(abi), "t" if abi.endswith("t") else "") for abi in said]
        versions = {(int(match[1]), int(match[2]), threads) for match, threads in matches if match is not None}
    spelled = tuple(f"{major}.{minor}{threads}" for major, minor, threads in sorted(versions))
    return PythonNeed(spelled, newer, short, said, requires)


def gpu(names: Iterable[str]) -> Gpu:
    """What the sonames of needed and opened libraries say about the GPU."""
    libraries = tuple(sorted({name for name in names if _GPU.match(name)}))
    return Gpu(
        cuda=_majors(_CUDA, libraries),
        cudnn=_majors(_CUDNN, libraries),
        driver=any(name.startswith("libcuda.so") for name in libraries),
        libraries=libraries,
    )


def _majors(pattern: re.Pattern[str], names: Iterable[str]) -> tuple[str, ...]:
    matches = (pattern.match(name) for name in names)
    return tuple(sorted({match[1] for match in matches if match}, key=int))
