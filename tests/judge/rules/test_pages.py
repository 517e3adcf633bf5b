from __future__ import annotations

import re
import subprocess
import sys
from string import Formatter
from typing import TYPE_CHECKING, Any, get_args

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from abicheck.cli.main import _COMMANDS
from abicheck.errors import DataError
from abicheck.judge.rules import pages
from abicheck.model.process import ErrorKind
from tools.make_rule_docs import FOLDER, differing

if TYPE_CHECKING:
    from pathlib import Path

BEYOND_THE_LOADER = {
    "exec-stack-enabled", "private-symbol", "interpreter-mismatch", "free-threaded-mismatch", "gil-reenabled",
    "no-wheel-for-default-python", "text-relocation", "duplicate-openmp", "duplicate-library", "grafted-glibc",
    "allocator-interposed", "relative-rpath", "record-mismatch", "tag-understates", "extension-silently-missing",
    "gpu-library-missing", "no-wheel", "no-native-code", "pin-excludes-loading", "yanked-release",
    "wasm-feature-missing", "wasm-glue-mismatch", "wasm-not-isolated", "wasm-module-corrupt",
    "wasm-needs", "wasm-worker-missing",
}  # fmt: skip
NAMES = pages.names()
PAGES = [pages.page(name) for name in NAMES]

#: What is known of every finding, and what one kind always tells besides.
ALWAYS = {"object", "file", "path", "host", "libc"}
TOLD = {
    "library-missing": {"name"},
    "version-missing": {"name", "provider"},
    "symbol-missing": {"name"},
    "unversioned-provider": {"name"},
    "inconsistent-dependencies": {"name"},
    "interpreter-mismatch": {"python"},
    "private-symbol": {"name"},
    "free-threaded-mismatch": {"needed", "offered"},
    "no-wheel-for-default-python": {"package", "version", "needed", "offered"},
    "yanked-release": {"package", "version"},
    "no-wheel": {"package", "version", "python", "offered"},
    "duplicate-openmp": {"count", "others"},
    "duplicate-library": {"name", "others"},
    "grafted-glibc": {"name"},
    "allocator-interposed": {"name"},
    "relative-rpath": {"name"},
    "record-mismatch": {"others"},
    "tag-understates": {"needed", "offered"},
    "extension-silently-missing": {"name"},
    "gpu-library-missing": {"name", "needed"},
    "pin-excludes-loading": {"package", "pin", "needed", "loading"},
    "wasm-feature-missing": {"name"},
    "wasm-not-isolated": {"offered"},
    "wasm-module-corrupt": {"reason"},
    "wasm-needs": {"needed"},
    "wasm-worker-missing": {"name"},
}


def test_every_error_of_the_loader_and_every_rule_beyond_it_has_a_page() -> None:
    assert set(NAMES) == {*get_args(ErrorKind), "glibc-on-musl"} | BEYOND_THE_LOADER


def _templates(name: str) -> list[str]:
    page = pages.page(name)
    return [*page.message, *(text for each in page.remedies for text in (each.text, each.command) if text)]


def _fields(template: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


@pytest.mark.parametrize("name", NAMES)
def test_every_field_can_be_filled(name: str) -> None:
    asked = set().union(*map(_fields, _templates(name)))
    asked |= {field for each in pages.page(name).remedies for field in (each.where, each.without) if field}
    assert asked <= pages.FIELDS.keys()
    finding = pages.finding(name, dict.fromkeys(pages.FIELDS, "x"))
    assert "{" not in "".join((finding.message, *(f"{each.text}{each.command}" for each in finding.remedies)))
    assert len(finding.message) > len(pages.page(name).message[0]) / 2


@pytest.mark.parametrize("name", NAMES)
def test_with_the_least_that_is_known_there_is_a_sentence(name: str) -> None:
    assert pages.finding(name, dict.fromkeys(ALWAYS | TOLD.get(name, set()), "x")).message


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_samples(page: Any) -> None:
    """A text belongs to one rule alone; what else is not its own is said where the danger is."""
    assert bool(page.patterns) == bool(page.matching)
    for text in page.matching:
        assert [other.name for other in PAGES if any(re.search(each, text) for each in other.patterns)] == [page.name]
    for pattern in page.patterns:
        assert any(re.search(pattern, text) for text in page.matching) or len(page.patterns) > 1
        assert not any(re.search(pattern, text) for text in page.other)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_advised_exists(name: str) -> None:
    commands = re.findall(r"\babicheck (\w+)", " ".join(_templates(name)))
    assert set(commands) <= _COMMANDS.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"severity": "fatal"}, "severity: must be one of error, warning, note"),
        ({"why": 3}, "why: must be a text"),
        ({"why": None}, "why: must be there"),
        ({"wyh": "x"}, "wyh: must be one of "),
        ({"message": []}, "message: must be a list of texts"),
        ({"message": ["x", ""]}, "message[1]: must be a text"),
        ({"remedies": [{"kind": "use", "text": "x"}, {"kind": "use"}]}, "remedies[1].text: must be there"),
        ({"remedies": [{"kind": "use", "text": "x", "comand": "y"}]}, "remedies[0].comand: must be one of "),
        ({"remedies": ["x"]}, "remedies[0]: must be a table"),
    ],
)
def test_a_damaged_page_names_the_key(change: dict[str, Any], message: str) -> None:
    plain = pages.data("not-elf.toml") | change
    with pytest.raises(DataError) as damage:
        pages.parse("x", {key: value for key, value in plain.items() if value is not None})
    assert str(damage.value).startswith(f"x.toml: {message}")
    assert str(damage.value).endswith("; install abicheck anew")


def test_a_page_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(DataError, match="install abicheck anew"):
        pages.page("no-such-rule")


def test_facts_about_fixed_versions() -> None:
    for fact in pages.data("fixed.toml")["fixed"]:
        assert fact.keys() <= {"package", "rules", "names", "since", "fixed", "arch", "source"}
        assert canonicalize_name(fact["package"]) == fact["package"]
        assert Version(fact.get("since", "0")) < Version(fact["fixed"])
        assert fact["source"]
        for rule in fact["rules"]:
            assert any("fixed" in _fields(each) for each in _templates(rule)), rule


def test_facts_about_packages() -> None:
    for library, packages in pages.data("providers.toml").items():
        assert re.fullmatch(r"lib[\w.+-]+\.so\.\d+", library)
        assert packages.keys() == {"apt", "apk"}


def test_docs_are_up_to_date() -> None:
    assert differing(FOLDER) == [], "run tools/make_rule_docs.py"


def test_docs_that_are_not_up_to_date_are_noticed(tmp_path: Path) -> None:
    for path in FOLDER.glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "not-elf.md").write_text("x", encoding="utf-8")
    (tmp_path / "gone.md").write_text("x", encoding="utf-8")
    (tmp_path / "not-a-library.md").unlink()
    assert differing(tmp_path) == ["gone.md", "not-a-library.md", "not-elf.md"]


def test_what_loads_pays_nothing_for_pages(extension: Path) -> None:
    code = (
        "import sys; from abicheck.api import Options, check;"
        f"report = check([{str(extension)!r}], options=Options(stored=False));"
        "assert report.verdict == 'loads';"
        "print([name for name in sys.modules if 'toml' in name or name.startswith('abicheck.judge.rules')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
