from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import UsageError
from abicheck.model.configuration import Configuration, Ignore
from abicheck.read.configuration.document import read_configuration
from abicheck.read.configuration.find import find_configuration

if TYPE_CHECKING:
    from pathlib import Path

IGNORE = """\
[[ignore]]
rule = "no-wheel"
reason = "it is built from source there"
expires = 2030-01-31
"""


def _write(directory: Path, text: str, name: str = "abicheck.toml") -> str:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_all_that_there_is(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """\
[project]
name = "demo"

[tool.abicheck]
hosts = ["debian:13", "prod.json", "rootfs:/srv/root", "image:app.tar"]
python = "3.12"
fail-on = "narrowed"
require = ["cuda"]
strict = true
offline = true
baseline = "known.json"

[[tool.abicheck.ignore]]
rule = "exec-stack-refused"
package = "ctranslate2"
host = "prod.json"
reason = "we set the tunable"
expires = 2030-01-31

[[tool.abicheck.ignore]]
rule = "no-wheel"
reason = "it is built there"
expires = 2030-02-01  # ask again
""",
        "pyproject.toml",
    )
    assert read_configuration(path) == Configuration(
        file=path,
        hosts=("debian:13", f"{tmp_path}/prod.json", "rootfs:/srv/root", f"image:{tmp_path}/app.tar"),
        python="3.12",
        fail_on="narrowed",
        require=("cuda",),
        strict=True,
        offline=True,
        baseline=f"{tmp_path}/known.json",
        ignores=(
            Ignore(
                rule="exec-stack-refused",
                reason="we set the tunable",
                expires=date(2030, 1, 31),
                package="ctranslate2",
                host=f"{tmp_path}/prod.json",
                file=path,
                place=f"{path}:18",
            ),
            Ignore("no-wheel", "it is built there", date(2030, 2, 1), file=path, place=f"{path}:23"),
        ),
    )


def test_what_lies_beside_a_configuration_of_this_directory_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, 'hosts = ["prod.json"]\nbaseline = "known.json"\n')
    monkeypatch.chdir(tmp_path)
    found = read_configuration("abicheck.toml")
    assert (found.hosts, found.baseline) == (("prod.json",), "known.json")


@pytest.mark.parametrize("text", ["", "\ufeff", "# nothing\n", "ignore = []\n"])
def test_nothing_is_decided(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path, text)
    assert read_configuration(path) == Configuration(file=path)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("hots = []", ":1", "hots: is no key here; there are baseline, hosts, python, fail-on, require, strict, offline, ignore"),
        ('\nhosts = "debian:13"', ":2", "hosts: must be a list of strings"),
        ("python = 3.12", ":1", "python: must be a string"),
        ('fail-on = "all"', ":1", "fail-on: 'all' is none of new, narrowed, any"),
        ('require = ["gpu"]', ":1", "require: 'gpu' is none of cpu, cuda"),
        ("strict = 1", ":1", "strict: must be true or false"),
        ('"offline" = "no"', ":1", "offline: must be true or false"),
        ("baseline = []", ":1", "baseline: must be a string"),
        ("[ignore]\nrule = 'x'", ":1", "ignore: must be a list of tables"),
        ("strict = true\nignore = [1]", ":2", "ignore[0]: must be a table"),
        ("[[ignore]]\nreason = 'x'", ":1", "ignore[0].rule: is missing; name the rule that it is about"),
        (IGNORE.replace('reason = "it is built from source there"', ""), ":1", "ignore[0].reason: is missing; say why it may be"),
        (IGNORE.replace("it is built from source there", "\t "), ":3", "ignore[0].reason: is empty; say why it may be ignored"),
        (IGNORE.replace("expires = 2030-01-31", ""), ":1", "ignore[0].expires: is missing; nothing is ignored for ever: say"),
        (
            IGNORE.replace("2030-01-31", "'2030-01-31'"),
            ":4",
            "ignore[0].expires: must be a date, without quotes and time: expires",
        ),
        (IGNORE.replace("2030-01-31", "2030-01-31T10:00:00Z"), ":4", "ignore[0].expires: must be a date, without quotes"),
        (IGNORE.replace("2030-01-31", "2030-02-31"), ":4", "no TOML ("),
        (IGNORE + "packages = []", ":5", "ignore[0].packages: is no key here; there are host, rule, package, reason, expires"),
        (f"{IGNORE}\n{IGNORE}hosts = []", ":10", "ignore[1].hosts: is no key here; there are host, rule, package"),
        ("ignore = [{ rule = '' }]", ":1", "ignore[0].rule: is empty; name the rule"),
        ("x = " + "[" * 3000, "", "no TOML (nested too deeply); mend it, or take no configuration with --config ''"),
        ("\n\nx = ?", ":3", "no TOML ("),
        ("x = [", "", "no TOML ("),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(UsageError) as raised:
        read_configuration(path)
    assert raised.value.subject == f"{path}{line}"
    assert raised.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[tool.abicheck]\nhots = []", ":2", "tool.abicheck.hots: is no key here"),
        ("[ tool . abicheck ]\nhots = []", ":2", "tool.abicheck.hots: is no key here"),
        ("[tool]\nabicheck = 3", ":2", "tool.abicheck: must be a table"),
        ("[tool]\nabicheck.hots = 3", ":2", "tool.abicheck.hots: is no key here"),
        ("tool = 3 # abicheck", "", "has no [tool.abicheck]; write one, or name another file"),
        ("[tool.ruff]\nx = 1", "", "has no [tool.abicheck]; write one, or name another file"),
        (f"[tool.abicheck]\n{IGNORE.replace('[[', '[[tool.abicheck.')}x = 1", ":6", "tool.abicheck.ignore[0].x: is no key here"),
    ],
)
def test_a_mistake_in_a_pyproject(tmp_path: Path, text: str, line: str, message: str) -> None:
    path = _write(tmp_path, text, "pyproject.toml")
    with pytest.raises(UsageError) as raised:
        read_configuration(path)
    assert raised.value.subject == f"{path}{line}"
    assert raised.value.message.startswith(message)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"x = '\xff'")
    (tmp_path / "large.toml").write_bytes(b"#" * ((4 << 20) + 1))
    for name, message in (
        ("none.toml", r"cannot be read \(No such file or directory\); name another file with --config"),
        ("a\0b", r"cannot be read \(embedded null byte\)"),
        ("bytes.toml", "no text in UTF-8"),
        ("large.toml", "larger than 4 MiB"),
    ):
        with pytest.raises(UsageError, match=message):
            read_configuration(str(tmp_path / name))


MINE = '[tool.abicheck]\npython = "3.12"\n'


def test_the_next_directory_above_that_has_one(tmp_path: Path) -> None:
    below = tmp_path / "repository" / "a" / "b"
    below.mkdir(parents=True)
    assert find_configuration(str(below)) in (None, find_configuration(str(tmp_path)))  # none of these directories has one
    _write(tmp_path, MINE, "pyproject.toml")
    assert find_configuration(str(below)) == str(tmp_path / "pyproject.toml")
    _write(below.parent, "[project]\nname = 'abicheck-user'\n", "pyproject.toml")
    assert find_configuration(str(below)) == str(tmp_path / "pyproject.toml")
    _write(below.parent, MINE, "pyproject.toml")
    assert find_configuration(str(below)) == str(below.parent / "pyproject.toml")
    _write(below.parent, "")
    assert find_configuration(str(below)) == str(below.parent / "abicheck.toml")


def test_a_repository_is_not_left(tmp_path: Path) -> None:
    _write(tmp_path, "")
    root = tmp_path / "repository"
    (root / "a").mkdir(parents=True)
    (root / ".git").write_text("gitdir: elsewhere")  # as in a worktree
    assert find_configuration(str(root / "a")) is None
    _write(root, "")
    assert find_configuration(str(root / "a")) == str(root / "abicheck.toml")


def test_a_broken_pyproject_is_a_mistake_only_where_it_may_be_about_abicheck(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    _write(tmp_path, "[project", "pyproject.toml")
    assert find_configuration(str(tmp_path)) is None
    _write(tmp_path, "[tool.abicheck\nhosts", "pyproject.toml")
    with pytest.raises(UsageError, match=r"pyproject\.toml:1: no TOML"):
        find_configuration(str(tmp_path))
