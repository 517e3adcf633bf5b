"""What a server really sends with a page, or with the script of a worker."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.parse
import urllib.request

from abicheck.errors import TargetError, UsageError
from abicheck.model.wasm import Served

#: How long (in seconds) a server may take.
_PATIENCE = 20
_PAGES = ("text/html", "application/xhtml+xml")
#: Origins without encryption that browsers trust all the same: https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy
_HERE = ("localhost", "127.0.0.1", "::1")


def ask(url: str) -> Served:
    """The answer to a request for `url`, redirects followed; its body is not read.

    Raises `UsageError` for what is no address of a server, and `TargetError` where there is no good answer.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise UsageError(f"--url {url}: not an address of a server; give one as in https://example.org/")
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "abicheck"})  # noqa: S310 -- checked above
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 -- as above
            return _served(url, answer.geturl(), answer.headers)
    except urllib.error.HTTPError as error:
        error.close()
        raise TargetError(
            f"the server answers {error.code} {_why(error.reason)}; give the address of what it serves", url
        ) from None
    except urllib.error.URLError as error:
        raise TargetError(f"no answer ({_why(error.reason)}); see that the server runs, and the address", url) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TargetError(f"no answer ({_why(error)}); see that the server runs, and the address", url) from None


def _served(url: str, final: str, headers: http.client.HTTPMessage) -> Served:
    parts = urllib.parse.urlsplit(final)
    host = parts.hostname or ""
    return Served(
        url=url,
        is_page=headers.get_content_type() in _PAGES,
        is_secure=parts.scheme == "https" or host in _HERE or host.endswith(".localhost"),
        opener=_token(headers, "Cross-Origin-Opener-Policy"),
        embedder=_token(headers, "Cross-Origin-Embedder-Policy"),
    )


def _token(headers: http.client.HTTPMessage, name: str) -> str | None:
    """The value of a header that is one token, without its parameters; more than one counts for nothing to a browser."""
    values = headers.get_all(name)
    return None if values is None else ", ".join(values).split(";")[0].strip()


def _why(reason: object) -> str:
    if isinstance(reason, TimeoutError | socket.timeout):
        return f"nothing in {_PATIENCE} s"
    return str(getattr(reason, "strerror", None) or reason).splitlines()[0].rstrip(".")
