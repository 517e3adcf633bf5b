"""Which signatures a report shows, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from abicheck.judge.triage.signatures import ALTERNATIVE
from abicheck.judge.triage.template import compiled, find, find_cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from abicheck.judge.triage.template import Match
    from abicheck.judge.triage.text import Text
    from abicheck.model.triage import Signature

#: What a signature needs or excludes is looked for so many characters before and after its text.
_NEAR = 20_000
#: So many places of one signature are kept: enough to see several objects, few enough for a log that repeats itself.
_PLACES = 20


class Hit(NamedTuple):
    """One place where a signature's text stands: whole, translated, or cut off."""

    signature: Signature
    match: Match
    how: Literal["whole", "translated", "cut", "broken"]


def hits(text: Text, signatures: Sequence[Signature]) -> list[Hit]:
    """All places of all signatures in the order of the report; cut texts only where their class has nothing better than a hint.

    What is no problem of the environment must be there as a whole: its texts begin as those of the loader do.
    """
    found = [hit for signature in signatures for hit in _of(signature, text)]
    classes = {hit.signature.class_ for hit in found if hit.signature.confidence == "certain"}
    missing = (signature for signature in signatures if signature.environment and signature.class_ not in classes)
    found += [hit for signature in missing for hit in _cut(signature, text)]
    return sorted(found, key=lambda hit: hit.match.start)


def _of(signature: Signature, text: Text) -> Iterator[Hit]:
    count = 0
    for how, sources in (("whole", signature.texts), ("translated", _translated(signature))):
        for source in sources:
            for match in find(compiled(source), text):
                if _holds(signature, match, text):
                    yield Hit(signature, match, "whole" if how == "whole" else "translated")
                    count += 1
                    if count == _PLACES:
                        return


def _translated(signature: Signature) -> Iterable[str]:
    return (text for _, texts in signature.locales for text in texts)


def _cut(signature: Signature, text: Text) -> Iterator[Hit]:
    for source in signature.texts:
        match = find_cut(compiled(source), text)
        if match is not None and _holds(signature, match, text):
            yield Hit(signature, match, "cut")


def _holds(signature: Signature, match: Match, text: Text) -> bool:
    """Tell whether all that the signature needs is near (of alternatives: one), and nothing that it excludes."""
    start, end = max(0, match.start - _NEAR), match.end + _NEAR

    def near(source: str) -> bool:
        return any(next(find(compiled(each), text, start, end), None) is not None for each in source.split(ALTERNATIVE))

    return all(map(near, signature.needs)) and not any(map(near, signature.unless))
