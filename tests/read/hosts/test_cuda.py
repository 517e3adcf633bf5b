"""NVIDIA's images by the tags that people write."""

from __future__ import annotations

import pytest

from abicheck.errors import UsageError
from abicheck.read.hosts import open_host
from abicheck.read.hosts.catalogue import catalogue, find, nearest
from abicheck.read.hosts.cuda import system

GENERIC = {name: each.uncertain for name, each in catalogue().items() if name.startswith("cuda:")}


@pytest.mark.parametrize(
    ("tag", "libc", "there", "absent"),
    [
        ("12.4.1-base-ubuntu22.04", (2, 35), {"libcudart.so.12"}, {"libcublas.so.12", "libcudnn.so.9"}),
        ("12.4.1-runtime-ubuntu22.04", (2, 35), {"libcudart.so.12", "libcublas.so.12", "libnccl.so.2"}, {"libcudnn.so.9"}),
        ("12.4.1-cudnn-runtime-ubuntu22.04", (2, 35), {"libcublas.so.12", "libcudnn.so.9"}, {"libcudnn.so.8", "libcublas.so.11"}),
        ("12.3.2-cudnn9-runtime-ubuntu20.04", (2, 31), {"libcudnn.so.9", "libcudnn_ops.so.9"}, {"libcudnn.so.8"}),
        ("12.2.2-cudnn8-devel-ubuntu22.04", (2, 35), {"libcudnn_ops_infer.so.8", "libcublasLt.so.12"}, {"libcudnn.so.9"}),
        ("11.8.0-cudnn8-runtime-ubi8", (2, 28), {"libcublas.so.11", "libcudart.so.11.0"}, {"libcublas.so.12"}),
        ("13.0.1-runtime-ubuntu24.04", (2, 39), {"libcublas.so.13"}, {"libcublas.so.12"}),
    ],
)
@pytest.mark.parametrize("owner", ["nvidia/", ""])
def test_a_tag(owner: str, tag: str, libc: tuple[int, int], there: set[str], absent: set[str]) -> None:
    host = open_host(f"{owner}cuda:{tag}")
    assert (host.name, host.libc.version) == (f"{owner}cuda:{tag}", libc)
    assert there <= host.unread
    assert absent.isdisjoint(host.unread | host.uncertain)
    assert "libcuda.so.1" in host.uncertain
    assert host.any_python


@pytest.mark.parametrize(
    "kind", ["12.4.1-tensorrt-runtime", "10.2-runtime", "12.2.0-cudnn-runtime", "11.8.0-cudnn7-runtime", "12"]
)
def test_of_other_kinds_no_more_is_known_than_of_all(kind: str) -> None:
    host = open_host(f"nvidia/cuda:{kind}-ubuntu22.04")
    assert host.unread == frozenset()
    assert host.uncertain >= GENERIC["cuda:ubuntu22.04"]


def test_qualifiers_stand_behind_it() -> None:
    assert open_host("nvidia/cuda:12.4.1-base-ubuntu22.04/aarch64,page=64k").page_size == 65536


@pytest.mark.parametrize(
    "spec", ["nvidia/cuda:12.4.1-base-ubuntu16.04", "nvidia/cuda:latest", "cuda:", "nvidia/tritonserver:24.01"]
)
def test_what_is_none(spec: str) -> None:
    assert find(spec) is None
    with pytest.raises(UsageError, match="unknown host"):
        open_host(spec)


def test_the_nearest_is_named() -> None:
    assert "cuda:ubuntu22.04" in nearest("nvidia/cuda:12.4.1-base-ubuntu22.4")


def test_only_what_has_a_tag_of_parts_is_an_image() -> None:
    assert system("cuda:12.4.1-base-ubi9") == "cuda:ubi9"
    assert system("cuda:ubi9") == ""
    assert system("debian:13-slim") == ""
