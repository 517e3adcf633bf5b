from __future__ import annotations

import pytest

from abicheck.read.hosts.cpu import HWCAP_X86_64, HWCAP_X86_AVX512_1, Cpu, baseline, legacy_subdirs, parse_cpuinfo

V2 = "fpu sse sse2 cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


def _cpu(flags: str, vendor: str = "AuthenticAMD") -> Cpu:
    return parse_cpuinfo(
        f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t: none\n", "x86_64"
    )


@pytest.mark.parametrize(
    ("flags", "level"),
    [("fpu sse sse2", 1), (V2, 2), (V3, 3), (V4, 4), (V4.replace("abm ", ""), 2), (V4.replace("cx16 ", ""), 1), ("", 1)],
)
def test_the_level_is_the_highest_that_is_complete(flags: str, level: int) -> None:
    assert _cpu(flags).level == level


@pytest.mark.parametrize(
    ("flags", "vendor", "platform", "hwcap"),
    [
        (V4, "AuthenticAMD", "x86_64", HWCAP_X86_64),
        (V2, "GenuineIntel", "x86_64", HWCAP_X86_64),
        (V3, "GenuineIntel", "haswell", HWCAP_X86_64),
        (V4, "GenuineIntel", "haswell", HWCAP_X86_64 | HWCAP_X86_AVX512_1),
        (f"{V3} avx512cd avx512er avx512pf", "GenuineIntel", "xeon_phi", HWCAP_X86_64),
    ],
)
def test_only_intels_cpus_have_platforms(flags: str, vendor: str, platform: str, hwcap: int) -> None:
    found = _cpu(flags, vendor)
    assert (found.platform, found.hwcap) == (platform, hwcap)


def test_protection_keys_count_where_the_kernel_uses_them() -> None:
    assert not _cpu("fpu pku").protection_keys
    assert _cpu("fpu pku ospke").protection_keys


def test_a_machine_that_tells_nothing_is_the_oldest() -> None:
    assert parse_cpuinfo("", "x86_64") == baseline("x86_64")
    assert parse_cpuinfo("", "aarch64") == baseline("aarch64")
    assert parse_cpuinfo("Features\t: fp asimd atomics\n", "aarch64").hwcap


# As LD_DEBUG=libs of each release prints them.
@pytest.mark.parametrize(
    ("version", "cpu", "subdirs"),
    [
        ((2, 37), _cpu(V3), ()),
        (
            (2, 36),
            _cpu(V3),
            ("tls/x86_64/x86_64/", "tls/x86_64/", "tls/x86_64/", "tls/", "x86_64/x86_64/", "x86_64/", "x86_64/"),
        ),
        (
            (2, 31),
            _cpu(V3, "GenuineIntel"),
            ("tls/haswell/x86_64/", "tls/haswell/", "tls/x86_64/", "tls/", "haswell/x86_64/", "haswell/", "x86_64/"),
        ),
        ((2, 17), _cpu(V4, "GenuineIntel"), ("tls/x86_64/", "tls/", "x86_64/")),
    ],
)
def test_legacy_subdirectories(version: tuple[int, int], cpu: Cpu, subdirs: tuple[str, ...]) -> None:
    assert legacy_subdirs(cpu, "x86_64", version) == subdirs


def test_legacy_subdirectories_of_aarch64() -> None:
    atomics = parse_cpuinfo("Features\t: atomics", "aarch64")
    assert legacy_subdirs(atomics, "aarch64", (2, 31))[:3] == ("tls/aarch64/atomics/", "tls/aarch64/", "tls/atomics/")
    assert legacy_subdirs(baseline("aarch64"), "aarch64", (2, 31)) == ("tls/aarch64/", "tls/", "aarch64/")
