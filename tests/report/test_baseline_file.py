from __future__ import annotations

import json
from importlib.resources import files

import jsonschema

from abicheck.model.report import Excuse, Report, Tool
from abicheck.report.baseline import render
from tests.report.conftest import FAILS, IGNORED, LOADS, NOT_INSTALLABLE

SCHEMA = json.loads((files("abicheck.report") / "schema/baseline.json").read_text(encoding="utf-8"))


def test_an_entry_a_line_in_order() -> None:
    known = Excuse(None, "known in the baseline")
    findings = [each._replace(excuse=known) for each in (FAILS.findings[0], NOT_INSTALLABLE.findings[0])]
    failing = FAILS._replace(findings=FAILS.findings[1:], ignored=(findings[0], findings[0]))
    results = (NOT_INSTALLABLE._replace(findings=(), ignored=(findings[1],)), failing, failing, LOADS, IGNORED)
    text = render(Report(Tool("abicheck", "0"), results))
    host = FAILS.host.name
    assert text.splitlines() == [
        "{",
        ' "schema_version": 1,',
        ' "known": [',
        f'  {{"package": "ctranslate2", "host": "{host}", "rule": "exec-stack-refused"}},',
        f'  {{"package": "ctranslate2", "host": "{host}", "rule": "no-wheel"}}',
        " ]",
        "}",
    ]
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))


def test_nothing_is_known() -> None:
    excused = FAILS.findings[0]._replace(excuse=Excuse("abicheck.toml", "why"))
    document = json.loads(render(Report(Tool("abicheck", "0"), (FAILS, FAILS._replace(ignored=(excused,))))))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["known"] == []
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
