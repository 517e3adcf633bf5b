"""The signatures beside this file, checked as they are read: what is wrong is named by file and path of the key."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from abicheck.errors import DataError
from abicheck.judge.triage.template import compiled
from abicheck.model.report import Confidence, Remedy
from abicheck.model.triage import Question, Signature, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The files that hold no signatures: facts, questions, tables.
NO_SIGNATURES = ("facts.toml", "questions.toml", "libraries.toml", "ctranslate2.toml")

#: Between templates of which one is enough for what a signature needs.
ALTERNATIVE = " || "

_TEXTS = {"id", "class", "rule", "from", "stage", "cause", "confidence"}
_LISTS = {"texts", "needs", "unless", "consequence_of", "questions", "sources", "matches", "rejects"}
_REQUIRED = {"id", "class", "texts", "sources", "matches"}
_KNOWN = _TEXTS | _LISTS | {"environment", "rank", "remedies", "locales"}


@cache
def signatures() -> tuple[Signature, ...]:
    """All signatures, file by file. Raises `DataError`."""
    found = [signature for name in _names() for signature in parse(name, data(name))]
    seen: set[str] = set()
    for signature in found:
        if signature.id in seen:
            raise DataError(f"signature {signature.id}: there are two of this id; install abicheck anew", "judge/triage/data")
        seen.add(signature.id)
    return tuple(found)


@cache
def questions() -> dict[str, Question]:
    """What to ask the reporter, by the fact that is not known. Raises `DataError`."""
    plain = data("questions.toml")["questions"]
    return {key: Question(key, value["text"], value.get("command")) for key, value in plain.items()}


@cache
def data(name: str) -> dict[str, Any]:
    """The TOML file `name` of the folder `data`, as plain values. Raises `DataError`."""
    from importlib.resources import files  # noqa: PLC0415 -- as heavy as the parser, and for triage only

    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 -- for triage only
    else:
        import tomli as tomllib  # noqa: PLC0415 -- as above

    try:
        return tomllib.loads(files(__package__ or "").joinpath("data", name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{error}; install abicheck anew", name) from None


def _names() -> list[str]:
    from importlib.resources import files  # noqa: PLC0415 -- as above

    every = (entry.name for entry in files(__package__ or "").joinpath("data").iterdir())
    return sorted(name for name in every if name.endswith(".toml") and name not in NO_SIGNATURES)


def parse(file: str, plain: Mapping[str, Any]) -> list[Signature]:
    """The signatures that the values of a TOML file make, checked. Raises `DataError`."""
    for key in plain:
        if key != "signature":
            raise _wrong(file, key, "`signature`")
    return [_signature(file, f"signature[{number}]", each) for number, each in enumerate(plain.get("signature", []))]


def _wrong(file: str, path: str, expected: str) -> DataError:
    return DataError(f"{path}: must be {expected}; install abicheck anew", file)


def _signature(file: str, path: str, plain: Mapping[str, Any]) -> Signature:
    if isinstance(plain.get("id"), str):
        path = f"signature {plain['id']}"
    for key in sorted(_REQUIRED - plain.keys()):
        raise _wrong(file, f"{path}.{key}", "there")
    for key in sorted(plain.keys() - _KNOWN):
        raise _wrong(file, f"{path}.{key}", f"one of {', '.join(sorted(_KNOWN))}")
    texts: dict[str, Any] = {key: _text(file, f"{path}.{key}", plain[key]) for key in sorted(_TEXTS & plain.keys())}
    lists: dict[str, Any] = {key: _texts(file, f"{path}.{key}", plain[key]) for key in sorted(_LISTS & plain.keys())}
    environment, rank = plain.get("environment", True), plain.get("rank", 50)
    if not isinstance(environment, bool):
        raise _wrong(file, f"{path}.environment", "true or false")
    if not isinstance(rank, int) or not 0 <= rank <= 100:
        raise _wrong(file, f"{path}.rank", "a number from 0 to 100")
    if "rule" not in plain and "cause" not in plain:
        raise _wrong(file, f"{path}.cause", "there, or `rule`")
    if not lists["texts"]:
        raise _wrong(file, f"{path}.texts", "a list of texts")
    found = Signature(
        class_=texts.pop("class"),
        versions=texts.pop("from", ""),
        environment=environment,
        rank=rank,
        locales=_locales(file, f"{path}.locales", plain.get("locales", {})),
        remedies=_remedies(file, f"{path}.remedies", plain.get("remedies", [])),
        **texts,
        **lists,
    )
    _check(file, path, found)
    return found


def _check(file: str, path: str, found: Signature) -> None:
    if found.stage not in get_args(Stage):
        raise _wrong(file, f"{path}.stage", f"one of {', '.join(get_args(Stage))}")
    if found.confidence not in get_args(Confidence):
        raise _wrong(file, f"{path}.confidence", f"one of {', '.join(get_args(Confidence))}")
    for number, key in enumerate(found.questions):
        if key not in questions():
            raise _wrong(file, f"{path}.questions[{number}]", f"one of {', '.join(questions())}")
    lists = {"texts": found.texts, "needs": found.needs, "unless": found.unless}
    lists |= {f"locales.{language}": texts for language, texts in found.locales}
    for key, texts in lists.items():
        for number, text in enumerate(texts):
            for each in text.split(ALTERNATIVE):
                _template(file, f"{path}.{key}[{number}]", each)


def _template(file: str, path: str, text: str) -> None:
    try:
        compiled(text)
    except ValueError as error:
        raise _wrong(file, path, f"a template: {error}") from None


def _text(file: str, path: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(file, path, "a text")
    return value.strip()


def _texts(file: str, path: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(file, path, "a list of texts")
    return tuple(_text(file, f"{path}[{number}]", each) for number, each in enumerate(value))


def _locales(file: str, path: str, plain: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(plain, dict):
        raise _wrong(file, path, "a table")
    return tuple((language, _texts(file, f"{path}.{language}", texts)) for language, texts in plain.items())


def _remedies(file: str, path: str, plain: Any) -> tuple[Remedy, ...]:
    found = []
    for number, each in enumerate(plain):
        if not isinstance(each, dict) or not {"kind", "text"} <= each.keys() <= {"kind", "text", "command"}:
            raise _wrong(file, f"{path}[{number}]", "a table of kind, text and maybe command")
        found.append(Remedy(**{key: _text(file, f"{path}[{number}].{key}", value) for key, value in each.items()}))
    return tuple(found)
