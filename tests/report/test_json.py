from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from abicheck.report.json import render
from tests.report.conftest import REPORTS

if TYPE_CHECKING:
    from abicheck.model.report import Report

SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/check.json").read_text(encoding="utf-8"))


def _valid(report: Report) -> Any:
    document = json.loads(render(report))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_key_of_the_schema_is_required_but_what_was_not_asked_for() -> None:
    result = SCHEMA["$defs"]["result"]
    assert set(result["properties"]) - set(result["required"]) == {"tree", "why", "gpu", "cell", "variant", "excused"}


def test_one_of_everything_is_valid(report: Report) -> None:
    document = _valid(report)
    assert document["verdict"] == "fails"
    assert document["errors"] == [{"target": "c.so", "message": "no such file; give the path of a shared object"}]
    first, second = document["results"][:2]
    assert first["findings"][0]["rule"] == "exec-stack-refused"
    assert first["window"] == {"glibc_min": "2.17", "glibc_max": "2.40", "known_to": "2.44"}
    assert second["why"]["symbol"] == "puts"
    assert second["tree"][2]["tried"] == [{"path": "/lib/libbar.so.2", "outcome": "No such file or directory"}]


@pytest.mark.parametrize("name", REPORTS)
def test_each_kind_of_report_is_valid(name: str) -> None:
    document = _valid(REPORTS[name])
    assert document["results"][0]["ignored"] == ({"exec-stack-refused": 1} if name == "ignored" else {})


def test_nothing_judged_has_no_verdict(report: Report) -> None:
    assert _valid(report._replace(results=()))["verdict"] is None


def test_names_in_no_encoding_pass_unharmed(report: Report) -> None:
    name = "\udcff\x1b[31m\u20ac.so"
    failure = report.errors[0]._replace(target=name)
    document = _valid(report._replace(errors=(failure,)))
    assert document["errors"][0]["target"] == name
    render(report._replace(errors=(failure,))).encode("ascii")


@pytest.mark.parametrize("change", [{"verdict": "maybe"}, {"schema_version": 2}, {"extra": 1}])
def test_the_schema_refuses_anything_else(report: Report, change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({**json.loads(render(report)), **change})
