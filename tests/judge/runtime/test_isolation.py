from __future__ import annotations

import pytest

from abicheck.judge.runtime import judge
from abicheck.judge.runtime.isolation import with_headers
from abicheck.model.wasm import Limits, Module, Served
from abicheck.read.runtimes import open_runtime

SHARED = Module(8, memories=(Limits(1, 2, shared=True),))
PAGE = Served("https://x.org/", is_page=True, opener="same-origin", embedder="require-corp")
WORKER = Served("https://x.org/w.js", is_page=False, embedder="require-corp")
OPENER = "https://x.org/ sends no Cross-Origin-Opener-Policy; it must be same-origin"


@pytest.mark.parametrize(
    ("host", "served", "verdict"),
    [
        ("chrome:120", (PAGE, WORKER), "loads"),
        ("chrome:120", (PAGE,), "depends"),
        ("chrome:120", (WORKER,), "depends"),
        ("chrome:120", (), "depends"),
        ("chrome:120", (PAGE._replace(opener=None), WORKER), "fails"),
        ("chrome:120", (PAGE._replace(opener="same-origin-allow-popups"), WORKER), "fails"),
        ("chrome:120", (PAGE._replace(opener="same-origin, same-origin"), WORKER), "fails"),
        ("chrome:120", (PAGE._replace(embedder="unsafe-none"), WORKER), "fails"),
        ("chrome:120", (PAGE, WORKER._replace(embedder=None)), "fails"),
        ("chrome:120", (PAGE._replace(is_secure=False), WORKER), "fails"),
        ("chrome:120", (PAGE, PAGE._replace(url="https://x.org/w.js?v=1")), "fails"),
        ("chrome:120", (PAGE._replace(embedder="credentialless"), WORKER), "loads"),
        ("chrome:95", (PAGE._replace(embedder="credentialless"), WORKER), "fails"),
        ("safari:26", (PAGE._replace(embedder="credentialless"), WORKER), "fails"),
        ("chrome:91", (PAGE._replace(opener=None), WORKER), "loads"),  # which asked for no isolation yet
        ("chrome:999", (PAGE, WORKER), "depends"),
        ("node:20", (PAGE._replace(opener=None),), "loads"),
    ],
)
def test_verdicts(host: str, served: tuple[Served, ...], verdict: str) -> None:
    runtime = open_runtime(host)
    found = with_headers(judge(SHARED, runtime, "m.wasm"), SHARED, served, runtime, "m.wasm")
    assert found.verdict == verdict
    assert bool(found.missing_facts) == (verdict == "depends")
    assert ("error" in [each.severity for each in found.findings]) == (verdict == "fails")


def test_everything_that_is_wrong_is_told() -> None:
    runtime = open_runtime("firefox:120")
    served = (PAGE._replace(opener=None, embedder="unsafe-none"), WORKER._replace(embedder=""))
    first = with_headers(judge(SHARED, runtime, "m.wasm"), SHARED, served, runtime, "m.wasm").findings[0]
    assert first.evidence == (
        OPENER,
        "https://x.org/ sends Cross-Origin-Embedder-Policy: unsafe-none; it must be require-corp or credentialless",
        "https://x.org/w.js sends Cross-Origin-Embedder-Policy: nothing; it must be require-corp or credentialless",
    )
    assert first.message.endswith(f"It is not: {OPENER}.")


def test_what_is_still_unknown_is_told() -> None:
    runtime = open_runtime("firefox:120")
    (missing,) = with_headers(judge(SHARED, runtime, "m.wasm"), SHARED, (PAGE,), runtime, "m.wasm").missing_facts
    assert missing.reason == (
        "its memory is shared, and what the server sends with the script of its workers decides whether it gets any; "
        "give the address with --url"
    )
