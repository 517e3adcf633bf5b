from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from abicheck.api.baseline import known_apart, known_of
from abicheck.api.ignoring import expired, shown_by
from abicheck.api.options import Options
from abicheck.model.configuration import Ignore, Known
from abicheck.model.report import Excuse, Report, Tool
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, NOT_INSTALLABLE, distribution

TODAY = datetime.now(tz=timezone.utc).date()
KNOWN = Known("ctranslate2", FAILS.host.name, "exec-stack-refused")


def _ignore(rule: str = "exec-stack-refused", **more: Any) -> Ignore:
    return Ignore(rule, "we set the tunable", TODAY + timedelta(30), file="abicheck.toml", place="abicheck.toml:4")._replace(
        **more
    )


def _report(*results: Any) -> Report:
    return Report(Tool("abicheck", "0"), results)


@pytest.mark.parametrize(
    ("more", "is_ignored"),
    [
        ({}, True),
        ({"rule": "no-wheel"}, False),
        ({"package": "ctranslate2"}, True),
        ({"package": "CTranslate2"}, True),
        ({"package": "ctranslate"}, False),
        ({"host": FAILS.host.name}, True),
        ({"host": "debian:1"}, False),
        ({"package": "ctranslate2", "host": "local"}, False),
        ({"expires": TODAY}, True),
        ({"expires": TODAY - timedelta(1)}, False),
    ],
)
def test_what_a_project_ignores(more: dict[str, Any], is_ignored: bool) -> None:  # noqa: FBT001 -- a table
    ignore = _ignore(**more)
    result = shown_by(Options(ignores=(ignore,)))(FAILS)
    assert result.verdict == "fails"
    if not is_ignored:
        assert result == FAILS
        return
    excuse = Excuse("abicheck.toml", f"we set the tunable, until {ignore.expires}")
    assert result.ignored == (FAILS.findings[0]._replace(excuse=excuse),)
    assert result.findings == FAILS.findings[1:]
    assert _report(result).exit_code == 0


def test_a_file_is_named_as_it_is() -> None:
    file = FAILS._replace(artifact=FAILS.artifact._replace(name="libDemo_1.so", kind="file"))
    for name, left in (("libDemo_1.so", 2), ("libdemo-1-so", 3)):
        assert len(shown_by(Options(ignores=(_ignore(package=name),)))(file).findings) == left


def test_what_has_no_wheel_counts_unless_the_project_says_otherwise() -> None:
    assert _report(shown_by(Options(ignore=("no-wheel",)))(NOT_INSTALLABLE)).exit_code == 1
    assert _report(shown_by(Options(select=("symbol-missing",)))(NOT_INSTALLABLE)).exit_code == 1
    assert _report(shown_by(Options(ignores=(_ignore("no-wheel"),)))(NOT_INSTALLABLE)).exit_code == 0


def test_the_command_line_comes_before_the_configuration() -> None:
    (finding,) = shown_by(Options(ignore=("exec-stack-refused",), ignores=(_ignore(),)))(FAILS).ignored
    assert finding.excuse is None


def test_an_expired_ignore_is_an_error() -> None:
    yesterday = TODAY - timedelta(1)
    ignores = [
        _ignore(),
        _ignore(expires=TODAY),
        _ignore(expires=yesterday, package="demo", host="debian:13"),
        _ignore(expires=yesterday),
    ]
    says = f"expired on {yesterday} (reason: we set the tunable): fix it or set a new date"
    assert [tuple(each) for each in expired(ignores)] == [
        ("abicheck.toml:4", f"the ignore of exec-stack-refused for demo on debian:13 {says}"),
        ("abicheck.toml:4", f"the ignore of exec-stack-refused {says}"),
    ]
    report = _report(LOADS)._replace(expired=expired(ignores))
    assert report.exit_code == 4
    assert report._replace(results=(FAILS,)).exit_code == 1


def test_a_baseline_holds_the_errors_that_count() -> None:
    report = _report(FAILS, FAILS, LOADS, NOT_INSTALLABLE, DEPENDS)
    assert known_of(report) == {KNOWN, Known("ctranslate2", NOT_INSTALLABLE.host.name, "no-wheel")}
    assert known_of(_report(IGNORED)) == frozenset()


def test_only_what_is_new_counts() -> None:
    report = _report(FAILS, NOT_INSTALLABLE)
    known = known_apart(report, known_of(report))
    assert (known.exit_code, known.outdated) == (0, 0)
    assert [finding.excuse for result in known.results for finding in result.ignored] == [
        Excuse(None, "known in the baseline")
    ] * 2
    assert known_apart(report, {KNOWN}).exit_code == 1
    moved = FAILS._replace(artifact=FAILS.artifact._replace(version="4.5.0"))
    assert known_apart(_report(moved), {KNOWN}).exit_code == 0
    elsewhere = FAILS._replace(host=FAILS.host._replace(name="debian:14"))
    assert known_apart(_report(elsewhere), {KNOWN}).exit_code == 1
    warned = distribution("ctranslate2", "4.4.0", findings=(FAILS.findings[2],), host=FAILS.host)
    assert known_apart(_report(warned), {KNOWN._replace(rule="relative-rpath")}).results == (warned,)


def test_what_is_no_longer_found_is_counted_where_something_was_judged() -> None:
    mended = distribution("ctranslate2", "4.6.0", host=FAILS.host)
    other = {KNOWN._replace(package="other"), KNOWN._replace(host="debian:14")}
    assert known_apart(_report(mended), {KNOWN, *other}).outdated == 1
    assert known_apart(_report(FAILS), {KNOWN, *other}).outdated == 0
    assert known_apart(_report(IGNORED), {KNOWN}).outdated == 0  # it is there, and ignored
