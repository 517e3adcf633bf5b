"""Each fact from the forms in which reports have it."""

from __future__ import annotations

import pytest

from abicheck.judge.triage.facts import extract
from abicheck.judge.triage.text import cleaned


@pytest.mark.parametrize(
    ("text", "fact", "value"),
    [
        ("ldd (Debian GLIBC 2.41-12) 2.41", "glibc", "2.41"),
        ("ldd (GNU libc) 2.40", "glibc", "2.40"),
        ("GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3.8) stable release version 2.35.", "glibc", "2.35"),
        ("platform: Linux-6.8.0-45-generic-x86_64-with-glibc2.39", "glibc", "2.39"),
        ("platform: Linux-6.8.0-45-generic-x86_64-with-glibc2.39", "arch", "x86_64"),
        ("musl libc (x86_64)\nVersion 1.2.5", "musl", "1.2.5"),
        ('File "/usr/lib/python3.11/site-packages/x.py"', "python", "3.11"),
        ("Python 3.12.8\n/venv/lib/python3.12/site-packages/x", "python", "3.12.8"),
        ("_ext.cpython-313-x86_64-linux-gnu.so", "python", "3.13"),
        ("Linux box 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian x86_64 GNU/Linux", "kernel", "6.1.0-18-amd64"),
        ("| NVIDIA-SMI 550.54.14   Driver Version: 550.54.14   CUDA Version: 12.4 |", "driver", "550.54.14"),
        ("| NVIDIA-SMI 550.54.14   Driver Version: 550.54.14   CUDA Version: 12.4 |", "cuda", "12.4"),
        ("|   0  NVIDIA GeForce RTX 3090    Off |", "gpu", "NVIDIA GeForce RTX 3090"),
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "distribution", "debian 12"),
        ('PRETTY_NAME="Fedora Linux 42 (Server Edition)"', "distribution", "fedora 42"),
        ("Description:    Ubuntu 22.04.5 LTS", "distribution", "ubuntu 22.04.5"),
        ("we run debian trixie", "distribution", "debian 13"),
        ("FROM python:3.12-slim", "container", "python:3.12-slim"),
        ("FROM python:3.12-slim", "distribution", "debian 13"),
        ("FROM python:3.12-slim-bookworm", "distribution", "debian 12"),
        ("image: nvidia/cuda:12.1.0-runtime-ubuntu22.04", "distribution", "ubuntu 22.04"),
        ("uv pip install ctranslate2", "installer", "uv"),
    ],
)
def test_a_fact(text: str, fact: str, value: str) -> None:
    assert getattr(extract(cleaned(text)), fact) == value


@pytest.mark.parametrize(
    "text",
    [
        "ctranslate2==4.4.0",
        "ctranslate2 == 4.4.0",
        "Package        Version\n-------------- -------\nctranslate2    4.4.0\nnumpy 1.26",
        "> ctranslate2               4.4.0",
        "| ctranslate2 | 4.4.0 |",
        "ctranslate2   4.4.0   py311h1234_0   conda-forge",
        "Successfully installed av-12.0 ctranslate2-4.4.0 numpy-1.26",
        "  Found existing installation: ctranslate2 4.4.0",
        "Name: ctranslate2\nVersion: 4.4.0",
        '[[package]]\nname = "ctranslate2"\nversion = "4.4.0"',
        " + ctranslate2==4.4.0",
        "Downloading ctranslate2-4.4.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (37.5 MB)",
        "/x/site-packages/ctranslate2-4.4.0.dist-info/RECORD",
        "I use CTranslate2 4.4.0 with it",
        "ctranslate2: 4.4.0",
        "ctranslate2 version: 4.4.0",
        "ctranslate2 (4.4.0)",
        "ctranslate2@4.4.0",
        "libctranslate2-d3638643.so.4.4.0: cannot open",
        "/x/ctranslate2.libs/libctranslate2-8e304d95.so.4.4.0",
    ],
)
def test_a_package(text: str) -> None:
    assert dict(extract(cleaned(text)).packages)["ctranslate2"] == "4.4.0"


def test_a_hashed_library_proves_its_wheel_against_what_is_written() -> None:
    facts = extract(cleaned("ctranslate2 4.6.0 is installed\nlibctranslate2-d3638643.so.4.4.0: cannot"))
    assert dict(facts.packages)["ctranslate2"] == "4.4.0"
    assert facts.wheels == ("ctranslate2",)


@pytest.mark.parametrize("text", ["Python 3.11.7", "CUDA 12.4", "Ubuntu 24.04", "line 1.5", "GLIBC_2.38", "took 3.5 s"])
def test_what_is_no_package(text: str) -> None:
    assert extract(cleaned(text)).packages == ()


def test_kinds_of_environments() -> None:
    text = "/home/user/miniconda3/envs/x/lib/libstdc++.so.6\n/snap/core20/current/lib/libc.so.6\n/tmp/.mount_x/usr"
    assert set(extract(cleaned(text)).kinds) == {"conda", "snap", "appimage"}


def test_a_clue_is_the_line_that_says_it() -> None:
    (clue,) = extract(cleaned("a\nldd (GNU libc) 2.40\nb")).clues
    assert clue == ("glibc", "2.40", "ldd (GNU libc) 2.40")


@pytest.mark.parametrize(
    "text",
    ["Going back to glibc-2.40-1 helped", "it needs glibc 2.28 or newer", "glibc 2.36 works fine", "downgrade to glibc 2.40"],
)
def test_what_is_said_of_another_system(text: str) -> None:
    assert extract(cleaned(text)).glibc is None
    assert extract(cleaned(f"{text}\nldd (GNU libc) 2.41")).glibc == "2.41"
