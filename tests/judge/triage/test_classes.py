"""The table of classes: complete, made by its tool, and true to rules and signatures."""

from __future__ import annotations

from abicheck.judge.rules import pages
from abicheck.judge.triage.signatures import signatures
from tools.make_class_docs import PAGE, failures, made

#: What no text tells: nothing is printed, the files alone show it.
SILENT = {
    "grafted-glibc",
    "duplicate-library",
    "relative-rpath",
    "record-mismatch",
    "no-wheel-for-default-python",
    "pin-excludes-loading",
}


def test_the_page_is_as_it_is_made() -> None:
    assert PAGE.read_text(encoding="utf-8") == made(), "run tools/make_class_docs.py"


def test_every_failure_has_a_signature_or_is_silent() -> None:
    told = {signature.class_ for signature in signatures()}
    for failure in failures():
        assert set(failure["classes"]) <= told | SILENT


def test_a_class_bears_the_name_of_its_rule() -> None:
    """But for the libraries of a GPU, whose one rule stands for several classes."""
    rules = set(pages.names())
    for signature in signatures():
        if signature.rule is not None and signature.rule != "gpu-library-missing":
            assert (signature.id, signature.class_) == (signature.id, signature.rule)
        elif signature.class_ in rules:
            assert (signature.id, signature.rule) == (signature.id, signature.class_)
