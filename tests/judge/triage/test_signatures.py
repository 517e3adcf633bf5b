"""Every signature proves itself by its own samples."""

from __future__ import annotations

import pytest

from abicheck.judge.triage.match import hits
from abicheck.judge.triage.read import read_report
from abicheck.judge.triage.signatures import signatures
from abicheck.judge.triage.text import cleaned

SIGNATURES = signatures()
MATCHES = [(each, sample) for each in SIGNATURES for sample in each.matches]
REJECTS = [(each, sample) for each in SIGNATURES for sample in each.rejects]


@pytest.mark.parametrize(("signature", "sample"), MATCHES, ids=[f"{each.id}-{sample[:30]}" for each, sample in MATCHES])
def test_a_sample_is_found_and_comes_first(signature, sample) -> None:
    found = [hit.signature.id for hit in hits(cleaned(sample), SIGNATURES) if hit.how != "cut"]
    assert signature.id in found
    diagnosis = read_report(sample.encode("utf-8", "surrogatepass"))
    causes = diagnosis.causes if signature.environment else diagnosis.others
    assert causes[0].class_ == signature.class_


@pytest.mark.parametrize(("signature", "sample"), REJECTS, ids=[f"{each.id}-{sample[:30]}" for each, sample in REJECTS])
def test_what_only_looks_like_it_is_not_found(signature, sample) -> None:
    assert not hits(cleaned(sample), [signature])
