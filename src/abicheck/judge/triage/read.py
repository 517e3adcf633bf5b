"""From the bytes of a report to its diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.triage.facts import extract
from abicheck.judge.triage.match import hits
from abicheck.judge.triage.rank import diagnose
from abicheck.judge.triage.signatures import signatures
from abicheck.judge.triage.text import cleaned, decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.judge.triage.match import Hit
    from abicheck.model.triage import Diagnosis, Signature


#: In a long log facts are looked for so many characters from its start, its end, and the first places where something was found.
_REACH, _PLACES = 100_000, 8


def read_report(data: bytes, known: Sequence[Signature] | None = None) -> Diagnosis:
    """What a report says; `known` are the signatures to look for (None: all that there are). Raises `DataError`."""
    text = cleaned(decoded(data))
    known = signatures() if known is None else known
    found = hits(text, known)
    facts = extract(text.around((hit.match.start for hit in found[:_PLACES]), _REACH))
    if len(text.plain) < _REACH and not any(_settles(hit) for hit in found):
        unbroken = text.unbroken()
        broken = [hit._replace(how="broken") for hit in hits(unbroken, known) if _settles(hit)]
        text, found = (unbroken, broken) if broken else (text, found)
    return diagnose(found, facts, text)


def _settles(hit: Hit) -> bool:
    return hit.how == "whole" and hit.signature.confidence == "certain"
