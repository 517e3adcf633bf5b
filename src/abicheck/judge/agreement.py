"""Whether what was observed is what was predicted, to the letter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.report import worst_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.confirm import Heard, Observed
    from abicheck.model.report import Result, RootResult, Verdict

#: How the text begins that tells of the end of a process: no failure to load explains that.
_DIED = ("signal: ", "exit ", "no end after ")
_WORD = re.compile(r"\w+(?:'\w+)*")


class Agreement(NamedTuple):
    """The prediction for everything that was installed together, and how the observation compares.

    `result` is the one that decides: of several the worst, with the text that was met first. `agree` is None where the prediction
    depends on what is not known: there is nothing to compare.
    """

    result: Result
    agree: bool | None
    differences: tuple[str, ...] = ()


def words(text: str) -> str:
    """A transcript without case and punctuation, as it is compared."""
    return " ".join(_WORD.findall(text.casefold()))


def heard_right(heard: Heard) -> bool:
    """Whether a clip gave the expected words, each time."""
    expected = words(heard.expected)
    return heard.text is not None and all(words(text) == expected for text in (heard.text, *heard.wrong))


def predicted_failures(results: Sequence[Result]) -> tuple[RootResult, ...]:
    """The roots that are said to fail, in order."""
    return tuple(root for result in results for root in result.roots if root.verdict == "fails")


def compare(results: Sequence[Result], observed: Observed) -> Agreement:
    """Compare the observation with the predictions for all distributions that were there, of which there is at least one."""
    result = deciding(results)
    if result.verdict == "depends":
        return Agreement(result, None)
    roots = {root.path: root for each in results for root in each.roots}
    differences = list(_of_extensions(observed, roots))
    if result.verdict == "loads":
        if observed.verdict != "loads":
            differences.append(f"predicted: loads; observed: {observed.text}")
        else:
            differences.extend(_misheard(each) for each in observed.heard if not heard_right(each))
        return Agreement(result, not differences, tuple(differences))
    failed = [text for _, text in observed.extensions if text is not None]
    texts = {root.predicted for root in roots.values() if root.predicted is not None}
    # The text of the failure that was met first: a process sees no other. Python code may say something else of it.
    died = observed.text is not None and observed.text.startswith(_DIED)
    met = next((text for text in (observed.text, *([] if died else failed)) if text in texts), None)
    unknown = not texts and not died and observed.verdict == "fails"  # as of browsers, whose own words are not predicted
    if met is None and not unknown:
        differences.append(f"predicted: {result.predicted or result.verdict}; observed: {observed.text or 'loads'}")
    return Agreement(result._replace(predicted=met or result.predicted), not differences, tuple(differences))


def deciding(results: Sequence[Result]) -> Result:
    """The worst result, the first of those; one whose Python code does without what fails loads."""
    verdicts = [_of_importing(result) for result in results]
    worst = worst_of(set(verdicts)) or "loads"
    result = results[verdicts.index(worst)]
    return result._replace(verdict=worst, predicted=result.predicted if worst != "loads" else None)


def _of_importing(result: Result) -> Verdict:
    """Its verdict, but "loads" where its Python code is said to do without all that fails."""
    silent = tuple(f"/{finding.object}" for finding in result.findings if finding.rule == "extension-silently-missing")
    does_without = bool(silent) and all(root.path.endswith(silent) for root in result.roots if root.verdict != "loads")
    return "loads" if does_without else result.verdict


def _of_extensions(observed: Observed, roots: dict[str, RootResult]) -> Iterator[str]:
    """Each extension that was opened and that was judged, where the loader said something else than predicted."""
    for path, text in observed.extensions:
        root = roots.get(path)
        if root is not None and root.verdict != "depends" and root.predicted != text:
            yield f"{path}: predicted: {root.predicted or 'loads'}; observed: {text or 'loads'}"


def _misheard(heard: Heard) -> str:
    said = "nothing" if heard.text is None else repr(heard.text)
    under_load = f", and under load {', '.join(map(repr, heard.wrong))}" if heard.wrong else ""
    return f"{heard.audio}: expected {heard.expected!r}; heard {said}{under_load}"
