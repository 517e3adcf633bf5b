"""The first fault before its consequences, the container before its host, and nothing where there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge.triage.read import read_report

if TYPE_CHECKING:
    from abicheck.model.triage import Diagnosis

STACK = "ImportError: {}: cannot enable executable stack as shared object requires: {}"
ONNX = "/app/.venv/lib/python3.10/site-packages/onnxruntime/capi/onnxruntime_pybind11_state.cpython-310-x86_64-linux-gnu.so"
CT2 = "libctranslate2-bc15bf3f.so.4.5.0"


def _of(text: str) -> Diagnosis:
    return read_report(text.encode())


def _classes(text: str) -> list[str]:
    return [cause.class_ for cause in _of(text).causes]


def test_the_cause_of_a_chained_exception_comes_first() -> None:
    chained = (
        f"Traceback (most recent call last):\n  import onnxruntime\n{STACK.format(ONNX, 'Invalid argument')}\n\n"
        "The above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n"
        "RuntimeError: Applying the VAD filter requires the onnxruntime package\n"
    )
    first, second = _of(chained).causes
    assert (first.class_, first.consequence, first.culprit) == ("exec-stack-refused", False, ONNX)
    assert (second.signature, second.consequence) == ("vad-filter-wants-onnxruntime", True)


def test_the_reason_of_the_refusal_tells_which() -> None:
    assert _classes(STACK.format(CT2, "Invalid argument")) == ["exec-stack-refused"]
    assert _classes(STACK.format(CT2, "Permission denied")) == ["exec-stack-denied"]


def test_a_cut_text_is_no_certainty() -> None:
    (cause, *_) = _of(f"glibc 2.41: {CT2}: cannot enable executable stack as shared object requ").causes
    assert (cause.class_, cause.confidence, cause.culprit) == ("exec-stack-refused", "likely", CT2)


def test_of_two_tracebacks_the_first_comes_first() -> None:
    text = STACK.format("liba.so", "Invalid argument") + "\n" + STACK.format("libb.so", "Permission denied")
    assert _classes(text) == ["exec-stack-refused", "exec-stack-denied"]


def test_known_packages_fill_the_remedies_and_answer_questions() -> None:
    (cause,) = _of(f"on Debian 13, Python 3.12:\n{STACK.format(CT2, 'Invalid argument')}").causes
    assert cause.package == "ctranslate2"
    assert cause.remedies[0].command == "pip install 'ctranslate2>=4.6.0'"
    assert not {"package-version", "python", "glibc"} & {question.key for question in cause.questions}


def test_what_is_not_known_is_asked() -> None:
    (cause,) = _of(STACK.format("libx.so", "Invalid argument")).causes
    assert {"package-version", "python", "glibc"} <= {question.key for question in cause.questions}


def test_a_container_counts_before_its_host() -> None:
    facts = _of(f"Host: Ubuntu 24.04\n\n    FROM python:3.10-slim\n\n{STACK.format(CT2, 'Invalid argument')}").facts
    assert (facts.container, facts.distribution, facts.host_distribution) == ("python:3.10-slim", "debian 13", "ubuntu 24.04")


def test_nothing_recognised_asks_for_more() -> None:
    found = _of("It does not work on my machine. Please help!")
    assert (found.answer, found.causes, found.others) == ("unrecognised", (), ())
    assert "traceback" in {question.key for question in found.questions}


def test_nothing_at_all() -> None:
    assert _of("").answer == "unrecognised"


def test_a_host_report_leaves_nothing_to_ask() -> None:
    """The block that `abicheck host --report` prints, as it is pasted into an issue form."""
    block = (
        "<details><summary>abicheck report: everything that is installed loads</summary>\n\n```text\nabicheck 0.1.0, report 1\n"
        'PRETTY_NAME="Debian GNU/Linux 13 (trixie)" in a container (docker)\nglibc 2.41 (Debian) GLIBC_ABI_DT_RELR\n'
        "Linux 6.12.3 x86_64, CPU level x86-64-v3, pages of 4,096 bytes\nexecutable stacks: refused\n"
        "Python 3.12 (~/env/bin/python of a virtual environment)\nno NVIDIA driver\n\n"
        "2 distributions installed:\nctranslate2==4.5.0\nnumpy==2.0.1\n```\n\n</details>\n"
    )
    found = _of(f"### What it says\n\n{STACK.format(CT2, 'Invalid argument')}\n{block}")
    assert (found.causes[0].class_, found.causes[0].questions) == ("exec-stack-refused", ())
    facts = found.facts
    assert (facts.distribution, facts.container, facts.glibc, facts.python) == ("debian 13", "docker", "2.41", "3.12")
    assert (facts.kernel, facts.arch, facts.driver, facts.report) == ("6.12.3", "x86_64", "none", "0.1.0")
    assert dict(facts.packages) == {"ctranslate2": "4.5.0", "numpy": "2.0.1"}


def test_words_that_the_edge_of_a_terminal_broke() -> None:
    line = STACK.format(CT2, "Invalid argument")
    (cause,) = _of("\n".join(line[start : start + 79] for start in range(0, len(line), 79))).causes
    assert (cause.class_, cause.culprit, cause.confidence) == ("exec-stack-refused", CT2, "likely")


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("libavutil.so.58: cannot open shared object file: No such file or directory", None),
        ("libctranslate2-bc15bf3f.so.4.5.0: file too short", "ctranslate2"),
        ("/x/site-packages/cv2/cv2.abi3.so: file too short", "opencv-python"),
        ("/lib/libm.so.6: version `GLIBC_2.29' not found (required by /x/site-packages/tokenizers/t.so)", "tokenizers"),
    ],
)
def test_the_package_of_an_object(line: str, package: str | None) -> None:
    assert _of(f"av==12.0\nImportError: {line}").causes[0].package == package


FRAME = '  File "/x/site-packages/cv2/__init__.py", line 153, in bootstrap\n    native_module = importlib.import_module("cv2")\n'
NO_GL = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("listed", "package"),
    [
        ("", "opencv-python"),
        ("opencv-python-headless==4.9.0.80\nopencv-python==4.9.0.80\n", "opencv-python"),
        ("opencv-contrib-python-headless 4.9.0.80\n", "opencv-contrib-python-headless"),
    ],
)
def test_whose_module_stands_last_in_the_traceback_imports(listed: str, package: str) -> None:
    assert _of(f"{listed}{FRAME}{NO_GL}").causes[0].package == package


def test_a_version_beside_the_name_of_a_directory_is_that_packages() -> None:
    text = f"urwid 2.6.15 fails\n{FRAME.replace('cv2', 'urwid')}ImportError: /x/u.so: file too short"
    assert dict(_of(text).facts.packages) == {"urwid": "2.6.15"}


@pytest.mark.parametrize(
    ("image", "command"),
    [
        ("debian:12", "apt-get install libgl1"),
        ("alpine:3.20", "apk add mesa-gl"),
        ("fedora:42", None),
    ],
)
def test_what_installs_a_missing_library_there(image: str, command: str | None) -> None:
    assert _of(f"FROM {image}\n{NO_GL}").causes[0].remedies[0].command == command


def test_the_type_of_an_exception_is_no_file() -> None:
    (cause,) = _of("OSError: undefined symbol: foo_bar\nOSError: /x/libfoo.so: undefined symbol: foo_bar").causes
    assert cause.culprit == "/x/libfoo.so"
