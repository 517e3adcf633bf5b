"""Many results as tables: readable, and with every result still to be found in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from abicheck.model.report import Excuse, HostSummary, Report, Tool, Window
from abicheck.report import markdown, terminal
from abicheck.report.grid.arrange import Entry, Key, Mark, arrange, entry_of, is_grid
from abicheck.report.grid.compact import compact
from abicheck.report.grid.words import said, span, versions
from tests.report.confirmed import NASTY
from tests.report.conftest import DEPENDS, FAILS, LOADS, MANY, NOT_INSTALLABLE
from tests.report.grids import compatibility, containers, many_cells

if TYPE_CHECKING:
    from abicheck.model.report import Result
    from abicheck.report.grid.arrange import Layout
    from abicheck.report.grid.compact import Compact

GOLDEN = Path(__file__).parent / "golden"
GRIDS = {"grid-compatibility": compatibility(), "grid-containers": containers()}
HOSTS = [LOADS.host._replace(name=name, libc_version=version) for name, version in (("one", "2.36"), ("two", "2.41"))]


def _report(*results: Result) -> Report:
    return Report(Tool("abicheck", "0.1.0"), results, seconds=0.234)


def _layout(report: Report) -> Layout:
    return arrange([entry_of(result, number) for number, result in enumerate(report.results)])


def _expanded(compacted: Compact) -> list[tuple[Key, str, tuple[tuple[Mark, str | None], ...]]]:
    """Every row and host of the tables with what is said there."""
    return [
        (Key(group.name, version, variant, python), host, compacted.cell(line, column))
        for table in compacted.tables
        for group in table.groups
        for block in group.blocks
        for line in block.lines
        for version in block.versions
        for variant in group.variants
        for python in line.pythons
        for column in table.columns
        for host in column.hosts
        if compacted.cell(line, column)
    ]


def _told(layout: Layout) -> list[tuple[Key, str, tuple[tuple[Mark, str | None], ...]]]:
    return [
        (row.key, host, tuple((each.mark, layout.python(each)) for each in cell))
        for row in layout.rows
        for host, cell in row.cells.items()
    ]


@pytest.mark.parametrize("name", GRIDS)
def test_grids_look_as_they_should(name: str) -> None:
    assert terminal.render(GRIDS[name], colour=False) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert markdown.render(GRIDS[name]) == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("report", [*GRIDS.values(), many_cells()], ids=[*GRIDS, "many"])
def test_no_result_is_lost(report: Report) -> None:
    layout = _layout(report)
    assert sorted(_expanded(compact(layout)), key=repr) == sorted(_told(layout), key=repr)
    assert len(report.results) == sum(len(cell) for _, _, cell in _told(layout))


ENTRIES = st.lists(
    st.builds(
        Entry,
        name=st.sampled_from(["a", "b"]),
        host=st.builds(HostSummary, st.sampled_from("ABxyz"), st.just("k"), st.just("m"), st.just("glibc"), st.just("2.36")),
        mark=st.sampled_from([Mark("loads", "✓", "loads"), Mark("fails", "✗", "fails", "exec stack")]),
        detail=st.just(1),
        version=st.sampled_from(["1.0", "1.1", "1.10", "2.0"]),
        variant=st.sampled_from(["", "with c"]),
        python=st.sampled_from(["3.9", "3.10", "3.12"]),
        window=st.sampled_from([None, Window("2.17", None, "2.44")]),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(ENTRIES)
def test_whatever_the_results_are_none_is_lost(entries: list[Entry]) -> None:
    layout = arrange(entries)
    compacted = compact(layout)
    assert sorted(_expanded(compacted), key=repr) == sorted(_told(layout), key=repr)
    for key, row in compacted.rows.items():
        (line,) = [
            line
            for table in compacted.tables
            for group in table.groups
            if group.name == key.name and key.variant in group.variants
            for block in group.blocks
            if key.version in block.versions
            for line in block.lines
            if key.python in line.pythons
        ]
        assert compacted.rows[line.like].windows(span) == row.windows(span)


def _pythons(text: str) -> list[str]:
    ends = [part.split("\N{EN DASH}") for part in text.split(", ")]
    return [f"3.{minor}" for low, *high in ends for minor in range(int(low[2:]), int((high or [low])[0][2:]) + 1)]


def test_a_reader_of_the_markdown_finds_every_verdict() -> None:
    """Only the text is read: its ranges, its letters and its list of versions."""
    report = compatibility()
    text = markdown.render(report)
    (told,) = re.findall(r"^- versions of ctranslate2: (.*)$", text, re.MULTILINE)
    every = told.split(", ")
    legend = {
        letter: re.sub(r" \(.*?\);?", ",", hosts).rstrip(",").split(", ")
        for letter, hosts in re.findall(r"^- \*\*([A-Z]+)\*\*: (.*)$", text, re.MULTILINE)
    }
    found: dict[tuple[str, str, str], str] = {}
    for line in text.partition("| artifact |")[0].splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "ctranslate2":
            columns = [cell.partition("<br>")[0] for cell in cells[4:]]
        elif line.startswith("| "):
            first, *last = map(every.index, cells[0].split("\N{EN DASH}"))
            found |= {
                (version, python, host): mark
                for version in every[first : (last or [first])[0] + 1]
                for python in _pythons(cells[1])
                for letter, mark in zip(columns, cells[4:], strict=True)
                for host in legend.get(letter, [letter])
            }
    assert found == {
        (str(each.artifact.version), str(each.python.version), each.host.name): ", ".join(said(entry_of(each, 0).mark, None))
        for each in report.results
        if not each.variant
    }


@pytest.mark.parametrize("report", [*GRIDS.values(), many_cells()], ids=[*GRIDS, "many"])
def test_tables_are_not_wider_than_a_terminal(report: Report) -> None:
    long = report._replace(
        results=tuple(
            each._replace(
                artifact=each.artifact._replace(name="a-package-with-a-name-" * 6),
                variant=each.variant and "beside " * 30,
                host=each.host._replace(name=each.host.name + "/with/a/path" * 3),
            )
            for each in report.results
        )
    )
    for shown in (report, long):
        lines = terminal.render(shown, colour=False).splitlines()
        tables = [
            line for line in lines if re.search(r"(✓|✗|!|\?) \S|glibc", line) and not line.startswith(("✓", "✗", "!", "?", " "))
        ]
        assert len(tables) > 5
        assert max(map(len, tables)) <= 100
        assert not any(line.endswith(" ") for line in lines)


def test_the_large_grid_is_short() -> None:
    lines = terminal.render(compatibility(), colour=False).splitlines()
    assert len(lines) < 100
    assert [line for line in lines if line.startswith("4.6.3")] == [
        "4.6.3\N{EN DASH}4.8.5    3.8                            ✗ no wheel    ✗ no wheel    ✗ no wheel    ✗ no wheel"
    ]


def test_colours_change_nothing_else() -> None:
    coloured = terminal.render(containers(), colour=True)
    assert "\x1b[1;31m✗ exec stack" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == terminal.render(containers(), colour=False)


def test_versions_with_another_between_them_are_not_one_range() -> None:
    entries = [Entry("a", HOSTS[0], Mark("loads", "✓", "loads", reason), 1, version) for version, reason in (
        ("1.10", ""), ("1.9", ""), ("1.2", "CPU only"), ("1.1", ""),
    )]  # fmt: skip
    (table,) = compact(arrange(entries)).tables
    assert [versions(block) for block in table.groups[0].blocks] == ["1.9\N{EN DASH}1.10", "1.2", "1.1"]
    odd = [entry._replace(version=f"{entry.version}-odd!") for entry in entries]
    (table,) = compact(arrange(odd)).tables
    assert table.groups[0].blocks[0].versions == ("1.10-odd!", "1.9-odd!")


def test_rows_without_a_host_in_common_are_tables_of_their_own() -> None:
    one, two = HOSTS
    entries = [Entry(name, host, Mark("loads", "✓", "loads"), 1, "1") for name, host in (("a", one), ("b", two), ("c", one))]
    compacted = compact(arrange(entries))
    assert [[group.name for group in table.groups] for table in compacted.tables] == [["a", "c"], ["b"]]
    joined = compact(arrange([*entries, entries[0]._replace(name="d"), entries[1]._replace(name="d")]))
    assert [[group.name for group in table.groups] for table in joined.tables] == [["a", "b", "c", "d"]]


def test_what_holds_for_one_machine_says_so() -> None:
    arm = HOSTS[1]._replace(arch="aarch64")
    results = (
        LOADS._replace(host=HOSTS[0], gpu=("CUDA 12",), window=Window("2.17", "2.40", "2.44")),
        LOADS._replace(host=arm, gpu=(), window=Window("2.17", None, "2.44")),
    )
    (row,) = _layout(_report(*results)).rows
    assert row.windows(span) == ("x86_64: 2.17\N{EN DASH}2.40", "aarch64: 2.17+")
    assert row.gpu == ("x86_64: CUDA 12", "aarch64: none")
    assert "  A: one (glibc 2.36, x86_64); two (glibc 2.41, aarch64)\n" in terminal.render(_report(*results), colour=False)


@pytest.mark.parametrize(
    ("window", "told"),
    [
        (Window("2.17", "2.40", "2.44"), "2.17\N{EN DASH}2.40"),
        (Window("2.41", "2.40", "2.44"), "none"),
        (Window("2.27", None, "2.44"), "2.27+"),
        (Window(None, "2.40", "2.44"), "up to 2.40"),
        (Window(None, None, "2.44"), "any"),
        (Window("2.17", None, None), "2.17\N{EN DASH}?"),
    ],
)
def test_a_window_in_short(window: Window, told: str) -> None:
    assert span(window) == told


def test_the_python_stands_where_it_can_be_told() -> None:
    newer = LOADS.python._replace(version="3.13")
    wheel = [each._replace(artifact=each.artifact._replace(kind="wheel")) for each in (LOADS, DEPENDS)]
    by_host = [
        each._replace(host=host, python=python)
        for each in wheel
        for host, python in zip(HOSTS, (LOADS.python, newer), strict=True)
    ]
    text = terminal.render(_report(*by_host), colour=False)
    assert "Python 3.12" in text
    assert "glibc 2.36" in text
    mixed = terminal.render(_report(*by_host[:3], by_host[3]._replace(python=LOADS.python)), colour=False)
    assert "  Python 3.13" in mixed


def test_problems_are_told_once_with_their_places() -> None:
    asks = [each._replace(gpu=()) for each in (FAILS, DEPENDS, NOT_INSTALLABLE)]
    hidden = asks[0]._replace(findings=(), ignored=FAILS.findings[:1], artifact=FAILS.artifact._replace(version="4.5.0"))
    report = _report(*(each._replace(host=host) for each in (*asks, hidden) for host in HOSTS))
    text = terminal.render(report, colour=False)
    assert "✗ exec-stack-refused: 2 results\n" in text
    assert "✗ exec-stack-refused (ignored): 2 results\n" in text
    assert "  on all hosts: ctranslate2 4.5.0 (Python 3.12)\n" in text
    assert "? import order and noexec mounts: 2 results\n" in text
    assert text.count("GLIBC_TUNABLES=glibc.rtld.execstack=2") == 1
    assert "--format html or --format json" in text


def test_an_excuse_is_told_with_its_reason() -> None:
    excused = FAILS.findings[0]._replace(excuse=Excuse("abicheck.toml", "we set the tunable"))
    known = excused._replace(excuse=Excuse(None, "known in the baseline"))
    first, second = (FAILS._replace(gpu=(), findings=(), ignored=(each,)) for each in (excused, known))
    second = second._replace(artifact=FAILS.artifact._replace(version="4.5.0"))
    text = terminal.render(_report(*(each._replace(host=host) for each in (first, second) for host in HOSTS)), colour=False)
    assert "✗ exec-stack-refused (abicheck.toml: we set the tunable): 2 results\n" in text
    assert "✗ exec-stack-refused (known in the baseline): 2 results\n" in text
    assert " · 0 errors · 2 ignored errors by abicheck.toml, 2 known errors of the baseline · " in text


def test_only_what_comes_from_a_grid_is_one() -> None:
    two = [LOADS._replace(host=host) for host in HOSTS]
    assert not is_grid(_report(*two))
    assert not is_grid(_report(*MANY))
    assert not is_grid(_report(two[0]._replace(cell="x")))
    assert is_grid(_report(two[0]._replace(cell="x"), two[1]))
    assert is_grid(_report(two[0]._replace(gpu=()), two[1]))
    assert not is_grid(_report(two[0]._replace(gpu=(), tree=()), two[1]))
    wheels = [each._replace(artifact=each.artifact._replace(kind="wheel")) for each in two]
    assert not is_grid(_report(*wheels))
    assert is_grid(_report(*wheels, *(each._replace(python=each.python._replace(version="3.13")) for each in wheels)))


def test_a_verdict_counts_as_it_does_without_a_table() -> None:
    assert [report.exit_code for report in GRIDS.values()] == [1, 1]
    assert _report(*(LOADS._replace(host=host, cell="x") for host in HOSTS)).exit_code == 0


def test_foreign_text_does_no_harm() -> None:
    nasty = [
        FAILS._replace(
            artifact=FAILS.artifact._replace(name=NASTY, version=f"1{number}{NASTY}"),
            host=host._replace(name=NASTY + host.name, libc_version=NASTY),
            python=FAILS.python._replace(version=NASTY),
            variant=NASTY,
            predicted=NASTY,
            gpu=(NASTY,),
            cell=NASTY,
        )
        for number in range(3)
        for host in HOSTS
    ]
    text = terminal.render(_report(*nasty), colour=False)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert re.sub(r"\x1b\[[0-9;]*m", "", terminal.render(_report(*nasty), colour=True)) == text
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown.render(_report(*nasty)))
    assert "<img" not in html
    assert "<em>" not in html
    assert html.count("<table>") == 1
    assert html.count("<td>") % html.count("<th>") == 0
