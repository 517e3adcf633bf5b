from __future__ import annotations

from errno import EPERM

import pytest

from abicheck.errors import UsageError
from abicheck.model.host import Policy
from abicheck.read.hosts.machine import environment, noexec_mounts


def test_only_what_the_loader_reads_is_taken() -> None:
    base = {"PATH": "/bin", "LD_PRELOAD": "a.so", "LD_LIBRARY_PATH": "/a", "LD_DEBUG": "libs"}
    assert environment({"LD_LIBRARY_PATH": "/b"}, base) == {"LD_LIBRARY_PATH": "/b", "LD_PRELOAD": "a.so"}


@pytest.mark.parametrize(("name", "value"), [("LD_LIBARY_PATH", "/a"), ("", "x"), ("LD_PRELOAD", "a\0b")])
def test_a_setting_that_no_loader_reads_is_wrong_usage(name: str, value: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        environment({name: value}, {})


def test_noexec_mounts_longest_first() -> None:
    mountinfo = (
        "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "2 1 0:1 / /data rw,noexec,relatime shared:1 - ext4 /dev/sdb1 rw\n"
        "3 2 0:2 / /data/with\\040blank rw - ext4 /dev/sdc1 rw\n"
        "4 1 0:3 / /tmp rw,noexec - tmpfs tmpfs rw\n"
        "5 1 0:4 / /tmp rw - tmpfs tmpfs rw\n"
        "garbage\n"
    )
    assert noexec_mounts(mountinfo) == (("/data/with blank", 0), ("/data", EPERM))


def test_the_mount_that_a_file_lies_on_decides() -> None:
    policy = Policy(exec_mapping=noexec_mounts("1 0 8:1 / /a rw,noexec\n2 1 8:1 / /a/b rw\n3 1 8:1 / /a/b/c rw,noexec\n"))
    assert policy.exec_mapping_errno("/a/x.so") == EPERM
    assert policy.exec_mapping_errno("/a/b/x.so") == 0
    assert policy.exec_mapping_errno("/a/b/c/x.so") == EPERM
    assert policy.exec_mapping_errno("/ab/x.so") == 0
