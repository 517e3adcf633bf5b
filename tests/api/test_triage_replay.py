"""The reported load is judged again, or it is said why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api import Options
from abicheck.api.triage import LIMIT, triage
from abicheck.model.report import Artifact, Failure, Finding, HostSummary, PythonSummary, Report, Result, Tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abicheck.model.triage import Replay

TEXT = "libctranslate2-d3638643.so.4.4.0: cannot enable executable stack as shared object requires: Invalid argument"
OFFLINE = Options(offline=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[str], str | None]]:
    """What `check` is asked; it says that the package does not load, as the real one would."""
    calls: list[tuple[list[str], list[str], str | None]] = []

    def check(targets: list[str], hosts: list[str], *, python: str | None, options: Options) -> Report:
        assert not options.dependencies
        calls.append((targets, hosts, python))
        host = HostSummary(hosts[0], "distribution", "x86_64", "glibc", "2.41")
        finding = Finding("exec-stack-refused", "error", "certain", "x", "no")
        artifact = Artifact("ctranslate2", targets[0], "requirement", "4.4.0")
        result = Result(artifact, host, PythonSummary(python or "3.12", None, None), "fails", TEXT, findings=(finding,))
        return Report(Tool("abicheck", "0"), (result,))

    monkeypatch.setattr("abicheck.api.triage.check", check)
    return calls


def _replay(text: str, options: Options | None = None) -> Replay:
    replay = triage(text.encode(), options=options).replay
    assert replay is not None
    return replay


@pytest.mark.parametrize(
    ("report", "host", "python"),
    [
        ("on Debian 13, Python 3.12", "debian:13", "3.12"),
        ("glibc 2.41, Python 3.12.3", "debian:13", "3.12"),
        ("FROM python:3.11-slim", "python:3.11-slim", None),
        ("FROM python:3.11.9-slim", "debian:13", "3.11"),
        ("Ubuntu 25.04", "ubuntu:25.04", None),
        ("Ubuntu 25.04 on aarch64", "ubuntu:25.04/aarch64", None),
        ("Fedora 42 (Server)", "fedora:42", None),
        ("Arch Linux, glibc 2.41", "debian:13", None),
        ("CentOS Linux release 7.9.2009", "rhel:7", None),
    ],
)
def test_the_reported_host_is_asked(
    report: str, host: str, python: str | None, asked: list[tuple[list[str], list[str], str | None]]
) -> None:
    replay = _replay(f"{report}\nImportError: {TEXT}")
    assert asked == [(["ctranslate2==4.4.0"], [host], python)]
    assert (replay.agrees, replay.basis) == (True, "wheel")


def test_another_text_does_not_agree(asked: list[tuple[list[str], list[str], str | None]]) -> None:
    other = "libctranslate2-d3638643.so.4.4.0: cannot open shared object file: No such file or directory"
    replay = _replay(f"Debian 13\nctranslate2 4.4.0\n{other}")
    assert (replay.agrees, replay.predicted) == (False, TEXT)
    assert replay.reason.startswith("it fails otherwise there")
    assert asked


def test_a_cut_text_agrees_by_its_rule(asked: list[tuple[list[str], list[str], str | None]]) -> None:
    assert _replay(f"Debian 13, glibc 2.41\n{TEXT.removesuffix(' Invalid argument')}").agrees
    assert asked


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (f"ImportError: {TEXT}", "the report names neither the distribution nor its C library"),
        (
            f"Debian 13: libx.so: {TEXT.partition(': ')[2]}",
            "the report does not say which package and version",
        ),
        (f"Plan9 glibc 2.99 {TEXT}", "a host with glibc 2.99 is not among the hosts that abicheck knows"),
    ],
)
def test_why_it_is_not_judged_again(report: str, reason: str, asked: list[object]) -> None:
    replay = _replay(report)
    assert replay.agrees is None
    assert replay.reason.startswith(reason)
    assert not asked


def test_no_cause_no_replay() -> None:
    assert triage(b"hello").replay is None
    assert triage(f"Debian 13 {TEXT}".encode(), replay=False).replay is None


@pytest.mark.parametrize(
    ("library", "host", "agrees", "predicted"),
    [
        ("libctranslate2-bc15bf3f.so.4.5.0", "Debian 13", True, "libctranslate2-bc15bf3f.so.4.5.0: cannot enable"),
        ("libctranslate2-bc15bf3f.so.4.5.0", "Debian 12", False, None),
        ("libctranslate2-c75cca97.so.4.6.0", "Debian 13", False, None),
    ],
)
def test_offline_shipped_facts_answer(
    library: str, host: str, *, agrees: bool, predicted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path))
    text = f"{host}, Python 3.11\n{library}: cannot enable executable stack as shared object requires: Invalid argument"
    replay = _replay(text, OFFLINE)
    assert (replay.agrees, replay.basis) == (agrees, "facts")
    assert replay.reason.startswith("by shipped facts about its wheels")
    assert (replay.predicted or "").startswith(predicted or "")
    assert (replay.predicted is None) == (predicted is None)


def test_offline_nothing_is_known_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    failing: Callable[..., Report] = lambda *_, **__: Report(Tool("abicheck", "0"), (), (Failure("x", "not stored"),))  # noqa: E731
    monkeypatch.setattr("abicheck.api.triage.check", failing)
    text = f"Debian 13, onnxruntime 1.16.3\n/x/site-packages/onnxruntime/capi/o.so: {TEXT.partition(': ')[2]}"
    replay = _replay(text, OFFLINE)
    assert (replay.agrees, replay.reason) == (None, "not stored")


def test_of_too_long_a_report_the_ends_are_read() -> None:
    data = b"Debian 13\n" + b"x\n" * (LIMIT + 5000) + TEXT.encode()
    found = triage(data, replay=False)
    assert found.unread == len(data) - 2 * LIMIT
    assert found.diagnosis.facts.distribution == "debian 13"
    assert found.diagnosis.causes[0].class_ == "exec-stack-refused"


@pytest.mark.network
def test_the_real_wheel_says_what_was_reported() -> None:
    replay = _replay(f"Debian 13, Python 3.12\nImportError: {TEXT}")
    assert (replay.agrees, replay.basis, replay.predicted) == (True, "wheel", TEXT)
