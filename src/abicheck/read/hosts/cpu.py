"""What the loader makes of a CPU: its x86-64 level, `$PLATFORM`, and the subdirectories that old loaders try for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from abicheck.model.host import Arch

# Names as in /proc/cpuinfo; `pni` is SSE3 and `abm` stands for LZCNT (contents: sysdeps/x86/get-isa-level.h).
_LEVELS = (
    {"cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"},
    {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"},
    {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
)
_HASWELL = {"avx2", "bmi1", "bmi2", "abm", "movbe", "popcnt", "fma"}
_AVX512_1 = {"avx512cd", "avx512bw", "avx512dq", "avx512vl"}

HWCAP_X86_64 = 1 << 1
HWCAP_X86_AVX512_1 = 1 << 2
HWCAP_AARCH64_ATOMICS = 1 << 8


class Cpu(NamedTuple):
    """A CPU as `init_cpu_features` leaves it (sysdeps/x86/cpu-features.c).

    `level` is the x86-64 level, 0 on other machines; `platform` is `dl_platform`; `hwcap` are the bits of `dl_hwcap` that old
    loaders find important (HWCAP_IMPORTANT). With `protection_keys` Linux makes what may only be executed unreadable (since 4.6).
    """

    level: int
    platform: str
    hwcap: int
    protection_keys: bool = False


def baseline(arch: Arch) -> Cpu:
    """The oldest CPU of its kind."""
    return Cpu(1, "x86_64", HWCAP_X86_64) if arch == "x86_64" else Cpu(0, "aarch64", 0)


def parse_cpuinfo(text: str, arch: Arch) -> Cpu:
    """The CPU that /proc/cpuinfo describes; its first processor stands for all."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    if arch == "aarch64":
        return Cpu(0, "aarch64", HWCAP_AARCH64_ATOMICS if "atomics" in fields.get("Features", "").split() else 0)
    flags = set(fields.get("flags", "").split())
    level = 1
    for needed in _LEVELS:
        if not needed <= flags:
            break
        level += 1
    platform, hwcap = "x86_64", HWCAP_X86_64
    if fields.get("vendor_id") == "GenuineIntel":  # the loader names platforms of Intel's CPUs only
        if {"avx512cd", "avx512er"} <= flags:
            platform = "xeon_phi" if "avx512pf" in flags else platform
        elif flags >= _AVX512_1:
            hwcap |= HWCAP_X86_AVX512_1
        if platform == "x86_64" and flags >= _HASWELL:
            platform = "haswell"
    return Cpu(level, platform, hwcap, "ospke" in flags)


def legacy_subdirs(cpu: Cpu, arch: Arch, version: tuple[int, ...]) -> tuple[str, ...]:
    """The subdirectories of glibc up to 2.36: every combination of `tls`, the platform and the capabilities, longest first.

    The order is that of `_dl_important_hwcaps` (elf/dl-hwcaps.c). Before 2.26 x86-64 had neither capabilities nor platforms
    beyond the kernel's.
    """
    if version >= (2, 37):
        return ()
    names = []
    if arch == "aarch64":
        names += ["atomics"] if cpu.hwcap & HWCAP_AARCH64_ATOMICS else []
    elif version >= (2, 26):
        names += ["x86_64"] + (["avx512_1"] if cpu.hwcap & HWCAP_X86_AVX512_1 else [])
    platform = cpu.platform if arch == "aarch64" or version >= (2, 26) else "x86_64"
    names += [platform, "tls"]
    return tuple(
        "".join(f"{name}/" for bit, name in reversed(tuple(enumerate(names))) if chosen >> bit & 1)
        for chosen in range((1 << len(names)) - 1, 0, -1)
    )
