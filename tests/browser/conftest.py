"""A headless Chromium that opens pages from files, and notes whatever it asks a network for or complains of."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTIONS = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "disable-dev-shm-usage",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)


class Browser(NamedTuple):
    """The browser, and where pages may be put."""

    driver: Any
    folder: Path

    def open(self, page: str, fragment: str = "", *, width: int = 1280, scheme: str = "light", script: bool = True) -> None:
        """Open the page in a window of this width (in pixels)."""
        self.command("Emulation.setScriptExecutionDisabled", value=not script)
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.emulate(scheme)
        file = self.folder / "page.html"
        file.write_text(page, encoding="utf-8")
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(f"{file.as_uri()}{fragment and '#'}{fragment}")

    def emulate(self, scheme: str, media: str = "") -> None:
        """Prefer the `light` or the `dark` scheme; `media` may be `print`."""
        self.command("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def command(self, name: str, **arguments: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a function's body in the page."""
        return self.driver.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver import ActionChains  # noqa: PLC0415 -- only the session `browser` has it

        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self) -> str:
        """The name of what has the focus, else its text."""
        return str(self.run("const e = document.activeElement; return e.id || e.textContent || e.tagName"))

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address that was asked for since it was last asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(("about:", "data:"))]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """CHROMIUM and CHROMEDRIVER name the programs, where they are not Debian's."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="nox -s browser")
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    for each in (*_OPTIONS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{each}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
    started = webdriver.Chrome(options=options, service=service)
    yield started
    started.quit()


@pytest.fixture
def browser(driver: Any, tmp_path: Path) -> Browser:
    return Browser(driver, tmp_path)


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds barriers; it comes with a package whose own code is not used."""
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("nox -s browser installs axe-core")
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")
