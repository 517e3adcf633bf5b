"""Every signature proves itself by its own samples; a damaged file is named by the path of its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abicheck.errors import DataError
from abicheck.judge.rules import pages
from abicheck.judge.triage.match import hits
from abicheck.judge.triage.read import read_report
from abicheck.judge.triage.signatures import parse, signatures
from abicheck.judge.triage.template import FIELDS
from abicheck.judge.triage.text import cleaned

if TYPE_CHECKING:
    from abicheck.model.triage import Signature

SIGNATURES = signatures()
MATCHES = [(each, sample) for each in SIGNATURES for sample in each.matches]
REJECTS = [(each, sample) for each in SIGNATURES for sample in each.rejects]
GOOD: dict[str, Any] = {
    "id": "x",
    "class": "x",
    "texts": ["{object}: is broken"],
    "cause": "It is.",
    "sources": ["here"],
    "matches": ["a.so: is broken"],
}


def _names(pairs: list[tuple[Signature, str]]) -> list[str]:
    return [f"{each.id}-{sample[:30]!a}" for each, sample in pairs]


@pytest.mark.parametrize(("signature", "sample"), MATCHES, ids=_names(MATCHES))
def test_a_sample_is_found_and_comes_first(signature: Signature, sample: str) -> None:
    found = [hit.signature.id for hit in hits(cleaned(sample), SIGNATURES) if hit.how != "cut"]
    assert signature.id in found
    diagnosis = read_report(sample.encode("utf-8", "surrogateescape"))
    causes = diagnosis.causes if signature.environment else diagnosis.others
    assert causes[0].class_ == signature.class_


@pytest.mark.parametrize(("signature", "sample"), REJECTS, ids=_names(REJECTS))
def test_what_only_looks_like_it_is_not_found(signature: Signature, sample: str) -> None:
    assert not hits(cleaned(sample), [signature])


@pytest.mark.parametrize("signature", SIGNATURES, ids=[each.id for each in SIGNATURES])
def test_rules_and_consequences_are_known(signature: Signature) -> None:
    assert signature.rule is None or signature.rule in pages.names()
    classes = {each.class_ for each in SIGNATURES} | set(pages.names())
    assert set(signature.consequence_of) <= classes


def test_a_good_signature() -> None:
    (found,) = parse("x.toml", {"signature": [GOOD]})
    assert (found.class_, found.rank, found.environment) == ("x", 50, True)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": 3}, "signature[0].id: must be a text"),
        ({"texts": []}, "signature x.texts: must be a list of texts"),
        ({"texts": ["{wrong}: is broken"]}, "signature x.texts[0]: must be a template: {wrong} is no field"),
        ({"needs": ["{any}"]}, "signature x.needs[0]: must be a template: needs a literal"),
        ({"stage": "later"}, "signature x.stage: must be one of install"),
        ({"confidence": "sure"}, "signature x.confidence: must be one of certain"),
        ({"rank": 101}, "signature x.rank: must be a number from 0 to 100"),
        ({"environment": "no"}, "signature x.environment: must be true or false"),
        ({"questions": ["age"]}, "signature x.questions[0]: must be one of "),
        ({"remedies": [{"kind": "do"}]}, "signature x.remedies[0]: must be a table of kind, text and maybe command"),
        ({"locales": {"de": "x"}}, "signature x.locales.de: must be a list of texts"),
        ({"colour": "red"}, "signature x.colour: must be one of "),
        ({"cause": None}, "signature x.cause: must be there, or `rule`"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], path: str) -> None:
    plain = {key: value for key, value in (GOOD | change).items() if value is not None}
    with pytest.raises(DataError) as caught:
        parse("x.toml", {"signature": [plain]})
    assert caught.value.message.startswith(path)
    assert caught.value.subject == "x.toml"


@pytest.mark.parametrize("signature", [each for each in SIGNATURES if each.locales], ids=lambda signature: signature.id)
def test_translations_are_found(signature: Signature) -> None:
    for _, texts in signature.locales:
        for text in texts:
            said = text.format(object="/srv/libx.so", **dict.fromkeys(FIELDS.keys() - {"object"}, "x1"))
            assert (said, _classes(said)) == (said, [signature.class_])


def _classes(text: str) -> list[str]:
    return [cause.class_ for cause in read_report(text.encode()).causes]
