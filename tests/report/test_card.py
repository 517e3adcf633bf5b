"""The requirements card in its three forms, one of everything."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from abicheck.model.report import Failure, Tool, Window
from abicheck.model.requirements import (
    Card,
    CardReport,
    Gpu,
    HostLibrary,
    Node,
    Opened,
    PythonNeed,
    Requirements,
    Trait,
    Use,
)
from abicheck.report.card import json as as_json
from abicheck.report.card import markdown, terminal, words

GOLDEN = Path(__file__).parent / "golden"
SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/show.json").read_text(encoding="utf-8"))
EXTENSION, LIBRARY = "pkg/_ext.cpython-312-x86_64-linux-gnu.so", "pkg.libs/libpkg-0123.so.4"

ASKS = Requirements(
    arch="x86_64",
    libc=("glibc",),
    window=Window("2.28", "2.40", None),
    roots=(EXTENSION,),
    objects=(EXTENSION, LIBRARY),
    libraries=(
        HostLibrary(
            "libc.so.6",
            (EXTENSION, LIBRARY),
            (
                Node("libc.so.6", "GLIBC_2.28", "GLIBC", (2, 28), (Use(LIBRARY, ("fcntl64", "statx")), Use(EXTENSION))),
                Node("libc.so.6", "GLIBC_2.18", "GLIBC", (2, 18), (Use(LIBRARY, ("__cxa_thread_atexit_impl",)),)),
                Node("libc.so.6", "GLIBC_PRIVATE", "GLIBC_PRIVATE", (), (Use(LIBRARY, ("_dl_addr",)),)),
            ),
        ),
        HostLibrary(
            "libstdc++.so.6",
            (LIBRARY,),
            (
                Node("libstdc++.so.6", "CXXABI_1.3.9", "CXXABI", (1, 3, 9), (Use(LIBRARY, ("_ZdlPvm",)),)),
                Node("libstdc++.so.6", "GLIBCXX_3.4.22", "GLIBCXX", (3, 4, 22), (Use(LIBRARY, tuple("abcdefghij")),)),
            ),
        ),
        HostLibrary("libz.so.1", (LIBRARY,), ()),
    ),
    traits=(
        Trait("marker", (LIBRARY,), "GLIBC_ABI_DT_RELR", "2.28"),
        Trait("executable-stack", (LIBRARY,), None, None, "2.40"),
        Trait("private-symbols", (LIBRARY,)),
        Trait("isa-level", (EXTENSION,), "x86-64-v3"),
        Trait("text-relocations", (LIBRARY,)),
        Trait("static-tls", (LIBRARY,), "120"),
        Trait("kernel", (LIBRARY,), "3.2.0"),
        Trait("page-size", (EXTENSION, LIBRARY), "4096"),
    ),
    python=PythonNeed(("3.12",), tags=("cp312-cp312",), extensions=("cp312",), requires=">=3.8"),
    opened=(
        Opened("libcublas.so.12", (LIBRARY,), bundled=False),
        Opened("libcuda.so.1", (LIBRARY,), bundled=False),
        Opened("libplugin.so", (LIBRARY,), bundled=True),
    ),
    gpu=Gpu(("12",), ("9",), driver=True, libraries=("libcublas.so.12", "libcuda.so.1", "libcudnn.so.9")),
    promised="2.17",
    apart=("pkg/libplugin.so",),
    apart_window=Window("2.31", None, "2.44"),
)
CARD = Card("pkg", "4.4.0", "wheel", "pkg-4.4.0-cp312-cp312-any.whl", ASKS, (("pkg/k.cubin", "made for another machine"),))
BARE = Card(
    name="libbare.so and 4 more",
    version=None,
    kind="files",
    path="libbare.so",
    requirements=Requirements(
        arch="aarch64",
        libc=("glibc",),
        window=Window("2.17", None, "2.44"),
        roots=("libbare.so",),
        objects=("libbare.so",),
        libraries=(),
        traits=(Trait("page-size", ("libbare.so",), "4096"),),
        python=PythonNeed(),
    ),
)
REPORT = CardReport(Tool("abicheck", "0.1.0"), (CARD, BARE), (Failure("gone.so", "No such file or directory"),))


def test_terminal() -> None:
    assert terminal.render(REPORT, colour=False) == (GOLDEN / "show.txt").read_text(encoding="utf-8")


def test_markdown() -> None:
    assert markdown.render(REPORT) == (GOLDEN / "show.md").read_text(encoding="utf-8")


def test_json() -> None:
    assert as_json.render(REPORT) == (GOLDEN / "show.json").read_text(encoding="utf-8")


def test_colours_change_nothing_else() -> None:
    coloured = terminal.render(REPORT, colour=True)
    assert "\x1b[1mpkg 4.4.0" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == terminal.render(REPORT, colour=False)


def test_nothing_to_show_says_nothing() -> None:
    empty = REPORT._replace(cards=())
    assert (terminal.render(empty, colour=False), markdown.render(empty)) == ("", "")
    assert (REPORT.exit_code, empty._replace(errors=()).exit_code) == (4, 0)


class TestSchema:
    def test_it_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_one_of_everything_is_valid(self) -> None:
        musl = CARD._replace(requirements=ASKS._replace(window=None, libc=("musl",), apart_window=None))
        document = json.loads(as_json.render(REPORT._replace(cards=(*REPORT.cards, musl))))
        jsonschema.Draft202012Validator(SCHEMA).validate(document)
        assert document["cards"][2]["window"] is None

    @pytest.mark.parametrize("change", [{"schema_version": 2}, {"extra": 1}, {"cards": [{}]}])
    def test_anything_else_is_refused(self, change: dict[str, Any]) -> None:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMA).validate({**json.loads(as_json.render(REPORT)), **change})

    def test_names_in_no_encoding_pass_unharmed(self) -> None:
        name = "\udcff\x1b[31m€.so"
        document = json.loads(as_json.render(REPORT._replace(cards=(CARD._replace(path=name),))))
        assert document["cards"][0]["artifact"]["path"] == name


class TestForeignText:
    NASTY = "[red]`|a|`<b>\x1b]0;\n\udcff*_"

    @pytest.fixture
    def nasty(self) -> CardReport:
        node = Node(self.NASTY, "GLIBC_2.28", "GLIBC", (2, 28), (Use(self.NASTY, (self.NASTY,)),))
        asks = ASKS._replace(
            libraries=(HostLibrary(self.NASTY, (self.NASTY,), (node,)),),
            traits=(Trait("marker", (self.NASTY,), self.NASTY, "2.28"),),
            opened=(Opened(self.NASTY, (self.NASTY,), bundled=False),),
            python=PythonNeed(tags=(self.NASTY,), requires=self.NASTY),
            apart=(self.NASTY,),
        )
        return REPORT._replace(cards=(Card(self.NASTY, self.NASTY, "wheel", self.NASTY, asks, ((self.NASTY, "x"),)),))

    def test_it_never_acts_on_a_terminal(self, nasty: CardReport) -> None:
        lines = terminal.render(nasty, colour=False).split("\n")
        assert all(line.isprintable() for line in lines)
        assert r"[red]`|a|`<b>\x1b]0;\x0a\xff*_" in lines[0]

    def test_it_stays_in_its_cell(self, nasty: CardReport) -> None:
        text = markdown.render(nasty)
        assert text.startswith(r"### What \[red\]\`\|a\|\`\<b\>")
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
        assert r"`` [red]`\|a\|`<b>\x1b]0;\x0a\xff*_ ``" in text


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (Window("2.17", "2.40", "2.44"), "glibc 2.17 to 2.40"),
        (Window(None, "2.40", "2.44"), "glibc 2.40 or older"),
        (Window("2.27", None, "2.44"), "glibc 2.27 or newer (up to 2.44, the newest known)"),
        (Window("2.27", None, None), "glibc 2.27 or newer (up to which one cannot be told)"),
        (Window(None, None, "2.44"), "any glibc (up to 2.44, the newest known)"),
        (Window("2.43", "2.40", "2.44"), "no glibc (it needs 2.43 or newer and 2.40 or older)"),
        (Window("2.5", "2.40", "2.44"), "glibc 2.5 to 2.40"),
    ],
)
def test_windows(window: Window, text: str) -> None:
    assert words.glibc(window) == text


@pytest.mark.parametrize(
    ("libc", "window", "text"),
    [
        (("musl",), None, "musl"),
        ((), Window(None, None, "2.44"), "any C library"),
        ((), Window(None, "2.40", "2.44"), "glibc 2.40 or older"),
        (("glibc", "musl"), Window("2.17", None, "2.44"), "musl or glibc 2.17 or newer (up to 2.44, the newest known)"),
    ],
)
def test_c_libraries(libc: Any, window: Window | None, text: str) -> None:
    assert words.libc(ASKS._replace(libc=libc, window=window)) == text


@pytest.mark.parametrize(
    ("need", "text"),
    [
        (PythonNeed(("3.11",), or_newer=True), ["Python 3.11 or newer"]),
        (PythonNeed(("3.9", "3.13t")), ["Python 3.9, 3.13 free-threaded"]),
        (PythonNeed(extensions=("abi3",)), ["Python 3 (stable ABI)"]),
        (PythonNeed(tags=("py3-none",)), []),
    ],
)
def test_pythons(need: PythonNeed, text: list[str]) -> None:
    assert list(words.pythons(need)) == text
