"""Whether a page shares memory with its worker in a real browser, and what abicheck says of the headers that it was sent with."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from abicheck.judge.runtime import judge
from abicheck.judge.runtime.isolation import with_headers
from abicheck.model.wasm import Limits, Module
from abicheck.read.runtimes import open_runtime
from abicheck.read.runtimes.serving import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser

PAGE = b"""<!doctype html><script>
let told = null;
try {
  const memory = new WebAssembly.Memory({initial: 1, maximum: 2, shared: true}), worker = new Worker("worker.js");
  worker.onmessage = (event) => { told = event.data; };
  worker.onerror = () => { told = "the worker does not start"; };
  worker.onmessageerror = () => { told = "the memory does not arrive"; };
  worker.postMessage(memory);
} catch (error) { told = String(error); }
</script>"""
WORKER = b"""onmessageerror = () => postMessage("the memory does not arrive");
onmessage = (event) => postMessage(event.data.buffer instanceof SharedArrayBuffer ? "shared" : "not shared");"""


class _Sent(NamedTuple):
    """The policies that a page is sent with, and its worker."""

    opener: tuple[str, ...] = ()
    embedder: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()


ISOLATED = _Sent(("same-origin",), ("require-corp",), ("require-corp",))
CASES = [
    ISOLATED,
    _Sent(),
    ISOLATED._replace(opener=()),
    ISOLATED._replace(opener=("same-origin-allow-popups",)),
    ISOLATED._replace(opener=("same-origin", "same-origin")),
    ISOLATED._replace(opener=("Same-Origin",)),
    ISOLATED._replace(opener=('same-origin; report-to="x"',)),
    ISOLATED._replace(embedder=()),
    ISOLATED._replace(embedder=("unsafe-none",)),
    ISOLATED._replace(embedder=("credentialless",)),
    ISOLATED._replace(worker=()),
    ISOLATED._replace(worker=("unsafe-none",)),
    ISOLATED._replace(worker=("credentialless",)),
]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        number, _, file = self.path.lstrip("/").partition("/")
        sent = CASES[int(number)] if number.isdigit() else _Sent()
        is_worker = file == "worker.js"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_worker else "text/html")
        for value in () if is_worker else sent.opener:
            self.send_header("Cross-Origin-Opener-Policy", value)
        for value in sent.worker if is_worker else sent.embedder:
            self.send_header("Cross-Origin-Embedder-Policy", value)
        self.end_headers()
        self.wfile.write(WORKER if is_worker else PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name in the base class
        pass


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _observed(driver: Any, url: str) -> str:
    driver.get(url)
    end = time.monotonic() + 20
    while (told := driver.execute_script("return told")) is None and time.monotonic() < end:
        time.sleep(0.05)
    return str(told)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(tuple(each)) for each in CASES])
def test_what_is_predicted_of_headers_is_what_happens(driver: Any, here: str, number: int) -> None:
    module = Module(8, memories=(Limits(1, 2, shared=True),))
    runtime = open_runtime("chrome:" + driver.capabilities["browserVersion"].partition(".")[0])
    served = [ask(f"{here}/{number}/"), ask(f"{here}/{number}/worker.js")]
    predicted = with_headers(judge(module, runtime, "m"), module, served, runtime, "m").verdict
    observed = _observed(driver, f"{here}/{number}/")
    assert (predicted == "loads") == (observed == "shared"), observed
