"""The machine that abicheck runs on: its kernel, its CPU, what it forbids a loader, and the environment of this process."""

from __future__ import annotations

import mmap
import os
import re
import sys
from errno import EACCES, EPERM
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import UsageError
from abicheck.model.host import Assumption, Policy
from abicheck.read.hosts.cpu import baseline, parse_cpuinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.host import Arch
    from abicheck.read.hosts.cpu import Cpu

#: All that the loader reads from the environment and that may change what it loads.
LOADER_VARIABLES = (
    "GLIBC_TUNABLES",
    "LD_ASSUME_KERNEL",
    "LD_AUDIT",
    "LD_BIND_NOT",
    "LD_BIND_NOW",
    "LD_DYNAMIC_WEAK",
    "LD_HWCAP_MASK",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
)

_ASSUMED_KERNEL = (5, 10, 0)
_ASSUMED_MEMORY = 1 << 34


class Machine(NamedTuple):
    """What a root that runs on this machine takes from it; `own` is false where it had to be assumed."""

    kernel: tuple[int, int, int]
    page_size: int
    memory: int
    cpu: Cpu
    own: bool


def this_machine(arch: Arch) -> Machine:
    """The machine for programs of `arch`: this one, or where it cannot run them a usual one that can."""
    if sys.platform != "linux" or os.uname().machine != arch:
        return Machine(_ASSUMED_KERNEL, 4096, _ASSUMED_MEMORY, baseline(arch), own=False)
    cpu = parse_cpuinfo(_read("/proc/cpuinfo", 1 << 14), arch)
    memory = memory_of(_read("/proc/sys/vm/overcommit_memory"), _read("/proc/meminfo"))
    return Machine(parse_kernel(os.uname().release), os.sysconf("SC_PAGE_SIZE"), memory, cpu, own=True)


def parse_kernel(release: str) -> tuple[int, int, int]:
    """The version that `uname -r` tells."""
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release)
    major, minor, patch = (int(part or 0) for part in numbers.groups()) if numbers else _ASSUMED_KERNEL
    return major, minor, patch


def memory_of(overcommit: str, meminfo: str) -> int:
    """What one private mapping may hold at most: memory and swap, unless the kernel is told not to care (mm/util.c)."""
    if overcommit.startswith("1"):
        return 1 << 62
    sizes = re.findall(r"^(?:MemTotal|SwapTotal):\s+(\d+) kB$", meminfo, re.MULTILINE)
    return sum(map(int, sizes)) << 10 or _ASSUMED_MEMORY


def environment(settings: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """What the loader reads from `base`, with `settings` over it."""
    for name, value in settings.items():
        if name not in LOADER_VARIABLES:
            raise UsageError(f"--set {name}: no loader reads this; it reads {', '.join(LOADER_VARIABLES)}")
        if "\0" in value:
            raise UsageError(f"--set {name}: the value holds a NUL character; no environment can carry it, so leave it out")
    return {name: value for name, value in sorted({**base, **settings}.items()) if name in LOADER_VARIABLES}


def live_policy() -> Policy:
    """What this process may not do, and its loader neither."""
    refused = _refused_writable_code()
    return Policy(
        exec_stack=refused or (EACCES if _selinux_forbids("selinuxuser_execstack", "allow_execstack") else 0),
        text_relocation=refused or (EACCES if _selinux_forbids("selinuxuser_execmod", "allow_execmod") else 0),
        exec_mapping=noexec_mounts(_read("/proc/self/mountinfo")),
    )


def live_assumptions() -> tuple[Assumption, ...]:
    """What cannot be seen from inside a process."""
    filtered = re.search(r"^Seccomp:\s*2$", _read("/proc/self/status"), re.MULTILINE) is not None
    return (Assumption("seccomp", "the filter of this process refuses the loader nothing"),) if filtered else ()


def root_assumptions(machine: Machine, settings: Mapping[str, str]) -> tuple[Assumption, ...]:
    """What a directory cannot say about the machine that will run it: it is taken to run here, as a container would."""
    where = " (as here)" if machine.own else ""
    facts = [
        Assumption("kernel", ".".join(map(str, machine.kernel[:2])) + where),
        Assumption("page-size", f"{machine.page_size}{where}"),
        Assumption("memory", f"{machine.memory >> 30} GiB{where}"),
        Assumption("cpu", (f"x86-64-v{machine.cpu.level}" if machine.cpu.level else "any aarch64") + where),
        Assumption("selinux", "off"),
        Assumption("memory-deny-write-execute", "off"),
        Assumption("seccomp", "refuses the loader nothing"),
        Assumption("noexec-mounts", "none"),
    ]
    if not settings:
        facts.append(Assumption("environment", "no LD_* variable and no GLIBC_TUNABLES"))
    return tuple(facts)


#: What hosts that hold only what their loader finds by itself cannot tell.
ELSEWHERE = Assumption("packages", "no library in directories that only a search path of the target names")


def noexec_mounts(mountinfo: str) -> tuple[tuple[str, int], ...]:
    """The mount points whose files may not be mapped executable, longest first; 0 marks one below them that allows it.

    The longest that a path lies below decides (the fields are described in proc_pid_mountinfo(5)).
    """
    refused: dict[str, int] = {}
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) > 5:
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), fields[4])
            refused[point] = EPERM if "noexec" in fields[5].split(",") else 0
    kept = [
        (point, errno)
        for point, errno in refused.items()
        if errno or any(other and point.startswith(above.rstrip("/") + "/") for above, other in refused.items())
    ]
    return tuple(sorted(kept, key=lambda each: (-len(each[0]), each[0])))


def _refused_writable_code() -> int:
    """The errno of asking for memory that is writable and executable, as an executable stack is.

    That is how MDWE (prctl PR_SET_MDWE), systemd's MemoryDenyWriteExecute and SELinux' deny_execmem show themselves to any
    process; the page is given back at once.
    """
    try:
        mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    except OSError as error:
        return error.errno or EPERM
    return 0


def _selinux_forbids(*booleans: str) -> bool:
    """True where SELinux enforces and one of its switches for user domains is off."""
    if _read("/sys/fs/selinux/enforce").strip() != "1":
        return False
    return any(_read(f"/sys/fs/selinux/booleans/{name}").startswith("0") for name in booleans)


def _read(path: str, limit: int = 1 << 20) -> str:
    """The contents of a file that the kernel makes up, empty where there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(limit)
    except OSError:
        return ""
