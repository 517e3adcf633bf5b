"""Whether a page, as its server sends it, gets shared memory in a browser.

https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-isolation
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.rules.pages import finding
from abicheck.judge.runtime.words import megabytes
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.report import Judgement
    from abicheck.model.wasm import Module, Runtime, Served

__all__ = ["ISOLATION", "with_headers"]

#: The fact that only a server can tell.
ISOLATION = "cross-origin-isolation"
#: What must be known of, and whether that is a page.
_NEEDED = {"the page": True, "the script of its workers": False}


def with_headers(judged: Judgement, module: Module, served: Sequence[Served], runtime: Runtime, name: str) -> Judgement:
    """The judgement of a module that needs isolation, with what the server sends with the page and its workers."""
    if not any(each.fact == ISOLATION for each in judged.missing_facts):
        return judged
    others = tuple(each for each in judged.missing_facts if each.fact != ISOLATION)
    findings = [each for each in judged.findings if each.rule != "wasm-not-isolated"]
    wrong = [told for each in served for told in _lacking(each, runtime)]
    if wrong:
        fields = {"object": name, "host": runtime.name, "offered": megabytes(module), "reason": wrong[0]}
        found = finding("wasm-not-isolated", fields, evidence=wrong, severity="error")
        return judged._replace(verdict="fails", findings=(found, *findings), missing_facts=())
    seen = {each.is_page for each in served}
    unseen = [what for what, is_page in _NEEDED.items() if is_page not in seen]
    if unseen:
        reason = f"its memory is shared, and what the server sends with {' and '.join(unseen)} decides whether it gets any"
        return judged._replace(missing_facts=(*others, Missing(ISOLATION, f"{reason}; give the address with --url")))
    return judged._replace(verdict="depends" if others else "loads", findings=tuple(findings), missing_facts=others)


def _lacking(served: Served, runtime: Runtime) -> Iterator[str]:
    """What keeps a page from being isolated, or a worker from running in one that is."""
    if not served.is_secure:
        yield f"{served.url} is not encrypted, and browsers isolate pages of https only (and of this machine)"
    if served.is_page and served.url.partition("?")[0].endswith((".js", ".mjs")):
        yield f"{served.url} is a page of HTML, as a server sends in place of a file that it does not find"
        return
    if served.is_page and served.opener != "same-origin":
        yield f"{served.url} {_sends('Cross-Origin-Opener-Policy', served.opener)}; it must be same-origin"
    policies = ["require-corp"]
    since = runtime.family.credentialless_since
    if since is not None and since[: len(runtime.version)] <= runtime.version:
        policies.append("credentialless")
    if served.embedder not in policies:
        yield f"{served.url} {_sends('Cross-Origin-Embedder-Policy', served.embedder)}; it must be {' or '.join(policies)}"


def _sends(header: str, value: str | None) -> str:
    return f"sends no {header}" if value is None else f"sends {header}: {value or 'nothing'}"
