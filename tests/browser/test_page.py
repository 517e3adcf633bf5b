"""The page of a report in a real browser: quiet, harmless, usable by keyboard and by screen reader, on any screen."""

from __future__ import annotations

import socket
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.report.confirm import html as confirm_html
from abicheck.report.html import check as html
from tests.report.confirmed import MATRIX, SINGLE
from tests.report.conftest import DEPENDS, FAILS, LOADS, NOT_INSTALLABLE, REPORTS, pure
from tests.report.grids import containers, many_cells

if TYPE_CHECKING:
    from tests.browser.conftest import Browser

pytestmark = pytest.mark.browser

_HOSTS = [FAILS.host._replace(name=name) for name in ("one:1", "two:2", "three:3")]
_ROWS = (
    FAILS,
    LOADS,
    DEPENDS,
    NOT_INSTALLABLE._replace(artifact=DEPENDS.artifact._replace(name="absent")),
    pure("tqdm", "4.70.1"),
)
GRID = html.render(REPORTS["many"]._replace(results=tuple(row._replace(host=host) for row in _ROWS for host in _HOSTS)))
PAGES = {
    "grid": GRID,
    "fails": html.render(REPORTS["fails"]),
    "many": html.render(REPORTS["many"]),
    "confirm": confirm_html.render(MATRIX),
    "confirm-single": confirm_html.render(SINGLE),
}
FIRST, RIGHT, BELOW = (
    "ctranslate2-4.4.0/python3.12@one:1",
    "ctranslate2-4.4.0/python3.12@two:2",
    "ctranslate2-4.8.5/python3.12@two:2",
)
#: Keys as WebDriver names them.
TAB, ENTER, ESCAPE, END, HOME, LEFT, UP, RIGHTWARDS, DOWN = (
    "\ue004", "\ue007", "\ue00c", "\ue010", "\ue011", "\ue012", "\ue013", "\ue014", "\ue015",
)  # fmt: skip
_SHOWN = """
const links = [...document.querySelectorAll('#grid a[id]')];
return links.filter((each) => each.checkVisibility({visibilityProperty: true})).map((each) => each.id);
"""
#: The contrast of every visible text with what lies behind it, the lowest first (WCAG 2.2, 1.4.3).
_CONTRASTS = """
const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
const linear = (each) => each <= .04045 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4;
const light = (rgb) => rgb.slice(0, 3).map((each) => linear(each / 255))
  .reduce((sum, each, index) => sum + each * [.2126, .7152, .0722][index], 0);
const behind = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const colour = parts(getComputedStyle(each).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (texts.nextNode()) {
  const node = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !node.checkVisibility() || node.closest("script, option")) continue;
  const [one, two] = [light(parts(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
  found.push([(one + .05) / (two + .05), texts.currentNode.data]);
}
return found.sort((a, b) => a[0] - b[0]);
"""


def _shown(browser: Browser) -> list[str]:
    found: list[str] = browser.run(_SHOWN)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_quietly_and_asks_no_network(browser: Browser, name: str) -> None:
    browser.open(PAGES[name])
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.endswith("/page.html")] == []
    assert browser.run("return document.documentElement.className") == "script"


def test_nothing_foreign_is_run_and_nothing_can_be_fetched(browser: Browser) -> None:
    """The policy holds against what would get past the escapes: a script, a handler, an image and a style are refused."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        image = f"<img src='http://127.0.0.1:{server.getsockname()[1]}/x' onerror='window.run = 2'>"
        smuggled = f"<script>window.run = 1</script>{image}<p style='color: red'>x</p>"
        browser.open(GRID.replace("<main>", f"<main>{smuggled}"))
        server.settimeout(0.5)
        with pytest.raises(TimeoutError):
            server.accept()
    assert browser.run("return window.run") is None
    assert browser.run("return getComputedStyle(document.querySelector('main > p')).color") != "rgb(255, 0, 0)"
    assert len(browser.complaints()) >= 3


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_valid(name: str) -> None:
    html5lib = pytest.importorskip("html5lib", reason="nox -s browser")
    html5lib.HTMLParser(strict=True).parse(PAGES[name])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_barriers_are_found(browser: Browser, axe: str, name: str, scheme: str) -> None:
    browser.open(PAGES[name], scheme=scheme)
    browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
    for _ in range(2):  # the page, then a result in its panel
        browser.command("Runtime.evaluate", expression=axe)
        found = browser.driver.execute_async_script("axe.run().then((done) => arguments[0](done.violations))")
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        browser.run("document.querySelector('#grid a[id]')?.click()")
        time.sleep(0.2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_out(browser: Browser, name: str, scheme: str) -> None:
    browser.open(PAGES[name], scheme=scheme)
    browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
    contrasts = browser.run(_CONTRASTS)
    assert len(contrasts) > 20
    assert contrasts[0][0] >= 4.5, contrasts[0]
    back = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(251, 251, 250)") == (scheme == "light")


@pytest.mark.parametrize("width", [320, 640])
@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_screen_scrolls_no_page_sideways(browser: Browser, name: str, width: int) -> None:
    """Which is what a zoom to 400 % and 200 % makes of a usual screen (WCAG 2.2, 1.4.10); the table scrolls in its region."""
    browser.open(PAGES[name], width=width)
    browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    if name == "grid" and width == 320:
        assert browser.run("const region = document.querySelector('.scroll'); return region.scrollWidth > region.clientWidth")


def test_the_headers_stay_in_sight(browser: Browser) -> None:
    browser.open(html.render(many_cells()))
    inside = browser.run("""
        const region = document.querySelector('.scroll');
        region.scrollTo(900, 900);
        const box = region.getBoundingClientRect();
        const [column, row] = [region.querySelectorAll('thead th')[14], region.querySelectorAll('tbody th')[40]];
        return [column.getBoundingClientRect().top - box.top, row.getBoundingClientRect().left - box.left];
    """)
    assert all(abs(each) <= 2 for each in inside)


def test_a_screen_reader_is_told_of_a_table_with_headers(browser: Browser) -> None:
    browser.open(GRID)
    nodes = browser.command("Accessibility.getFullAXTree")["nodes"]
    roles: dict[str, list[str]] = {}
    for node in nodes:
        if not node["ignored"]:
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert roles["table"] == ["Artifacts by hosts"]
    assert [name.split(" ")[0] for name in roles["columnheader"]] == ["artifact", *(host.name for host in _HOSTS)]
    rows = ("ctranslate2 4.4.0", "ctranslate2 4.8.5", "torchcodec 0.8.1", "absent 0.8.1", "tqdm 4.70.1")
    assert roles["rowheader"] == [f"{row} Python 3.12" for row in rows]
    assert "fails exec stack" in [name.strip() for name in roles["link"]]
    assert roles["region"] == ["Artifacts by hosts", "Details"]


def test_the_keyboard_leads_through_the_grid_and_into_a_result_and_back(browser: Browser) -> None:
    browser.open(GRID)
    browser.run("document.querySelector('.scroll').focus()")
    browser.press(TAB)
    assert browser.focused() == FIRST
    browser.press(RIGHTWARDS)
    assert browser.focused() == RIGHT
    browser.press(DOWN)
    assert browser.focused() == BELOW
    browser.press(END)
    assert browser.focused().endswith("@three:3")
    browser.press(UP, HOME)
    assert browser.focused() == FIRST
    browser.press(LEFT, UP)
    assert browser.focused() == FIRST, "there is nothing beyond"
    browser.press(TAB)
    assert browser.run("return document.activeElement.closest('#grid')") is None, "one stop for the whole grid"
    browser.run("document.getElementById(arguments[0]).focus()", RIGHT)
    browser.press(ENTER)
    time.sleep(0.2)
    assert browser.run("return document.getElementById('panel').open")
    assert browser.focused() == "panel-title"
    assert "cannot enable executable stack" in browser.run("return document.getElementById('panel-body').innerText")
    assert (
        browser.run("return document.getElementById('panel-title').innerText")
        == "✗ fails: ctranslate2 4.4.0, Python 3.12, on two:2"
    )
    for _ in range(12):
        browser.press(TAB)
        assert browser.run("const e = document.activeElement; return e === document.body || !!e.closest('#panel')")
    browser.press(ESCAPE)
    time.sleep(0.2)
    assert not browser.run("return document.getElementById('panel').open")
    assert browser.focused() == RIGHT
    assert "#" not in browser.driver.current_url


def test_a_host_is_found_beside_what_is_said_of_rows(browser: Browser) -> None:
    """Window and GPU stand before the first host; a result's panel names what is installed beside it."""
    browser.open(html.render(containers()))
    browser.run("""
        const hosts = document.getElementById('host');
        hosts.selectedIndex = [...hosts.options].findIndex((each) => each.text === 'glibc-2.41');
        hosts.dispatchEvent(new Event('input', {bubbles: true}));
    """)
    shown = _shown(browser)
    assert len(shown) == 16
    assert all(name.endswith("@glibc-2.41") for name in shown)
    browser.run("document.getElementById(arguments[0]).click()", shown[0])
    time.sleep(0.2)
    title = browser.run("return document.getElementById('panel-title').innerText")
    assert title == "✗ fails: ctranslate2 4.3.1, with faster-whisper==1.0.3, Python 3.9, on glibc-2.41"


def test_several_results_in_a_cell_stand_below_each_other(browser: Browser) -> None:
    """Two hosts of one name, say: neither hides the other, and the arrows reach both."""
    twice = (*REPORTS["fails"].results, *REPORTS["fails"].results, LOADS._replace(host=FAILS.host))
    browser.open(html.render(REPORTS["fails"]._replace(results=twice)))
    boxes = browser.run(
        "return [...document.querySelectorAll('#grid a[id]')].map((each) => each.getBoundingClientRect().toJSON())"
    )
    assert [above["bottom"] <= below["top"] for above, below in pairwise(boxes)] == [True, True]
    browser.run("document.querySelector('.scroll').focus()")
    browser.press(TAB, DOWN)
    assert browser.focused().endswith("~2")
    browser.press(DOWN)
    assert browser.focused().startswith("ctranslate2-4.8.5")
    browser.press(UP)
    assert browser.focused().endswith("~2")


def test_an_address_with_the_name_of_a_cell_opens_it(browser: Browser) -> None:
    browser.open(GRID, RIGHT)
    assert browser.run("return document.getElementById('panel-title').innerText").endswith("on two:2")
    browser.run("location.hash = arguments[0]", BELOW)
    time.sleep(0.2)
    assert "4.8.5" in browser.run("return document.getElementById('panel-title').innerText")
    browser.driver.back()
    time.sleep(0.2)
    assert "4.4.0" in browser.run("return document.getElementById('panel-title').innerText")
    for nonsense in ("%", "%E0%A4%A", "panel", "no-such-cell"):
        browser.open(GRID, nonsense)
        assert not browser.run("return document.getElementById('panel').open")
    assert browser.complaints() == []


def test_filters_leave_what_fits(browser: Browser) -> None:
    browser.open(GRID)
    everything = _shown(browser)
    assert len(everything) == 15

    def chosen(script: str) -> list[str]:
        browser.run(f"{script}; document.querySelector('.filter').dispatchEvent(new Event('input'))")
        return _shown(browser)

    assert len(chosen("document.getElementById('words').value = 'EXECUTABLE stack two'")) == 1
    assert browser.run("return document.getElementById('shown').textContent") == "1 of 15 results"
    assert browser.run("return [...document.querySelectorAll('#grid tbody tr')].filter((row) => !row.hidden).length") == 1
    assert browser.run("return [...document.querySelectorAll('#grid thead th')].filter((head) => !head.hidden).length") == 2
    assert browser.run("return [...document.querySelectorAll('.details > details')].filter((each) => !each.hidden).length") == 1
    assert chosen("document.getElementById('words').value = 'no such thing'") == []
    assert browser.run("return document.getElementById('nothing').checkVisibility()")
    browser.run("document.querySelector('[type=reset]').click()")
    time.sleep(0.1)
    assert _shown(browser) == everything
    found = chosen("document.getElementById('host').selectedIndex = 3")
    assert found == [each for each in everything if each.endswith("@three:3")]
    assert browser.focused() != found[0]
    found = chosen("document.querySelector('[value=loads]').checked = document.querySelector('[value=depends]').checked = false")
    assert found == ["ctranslate2-4.4.0/python3.12@three:3", "absent-0.8.1/python3.12@three:3"]
    browser.run("document.querySelector('.scroll').focus()")
    browser.press(TAB, DOWN)
    assert browser.focused() == found[1], "the arrows pass over what is not shown"


def test_a_text_can_be_copied(browser: Browser) -> None:
    browser.open(PAGES["fails"])
    browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.driver.find_element("css selector", "button.copy").click()
    time.sleep(0.2)
    assert browser.run("return document.getElementById('status').textContent") == "Copied"
    copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == f"ImportError: {FAILS.predicted}"


def test_without_scripts_everything_is_there_and_a_cell_leads_to_its_details(browser: Browser) -> None:
    browser.open(GRID, "e2", script=False)
    tree = browser.command("DOMSnapshot.captureSnapshot", computedStyles=["display"])
    assert tree["documents"]
    browser.command("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("return document.documentElement.className") == ""
    assert not browser.run("return document.querySelector('.filter').checkVisibility()")
    assert browser.run("return document.getElementById('e2').checkVisibility()"), "the details around it have opened"
    assert len(_shown(browser)) == 15


def test_on_paper_all_is_there_and_nothing_is_cut(browser: Browser) -> None:
    browser.open(GRID)
    browser.emulate("light", "print")
    assert not browser.run("return document.querySelector('.filter').checkVisibility()")
    heights = browser.run("return [...document.querySelectorAll('article')].map((each) => each.getBoundingClientRect().height)")
    assert all(height > 10 for height in heights)
    assert browser.run("const r = document.querySelector('.scroll'); return getComputedStyle(r).overflow") == "visible"
    assert len(browser.command("Page.printToPDF")["data"]) > 10_000
    browser.emulate("light")


def test_a_large_grid_opens_fast_and_is_filtered_fast(browser: Browser) -> None:
    """4,000 cells within two seconds; with the margin that a busy machine needs."""
    browser.open(html.render(many_cells()))
    timing: dict[str, Any] = browser.run("return performance.getEntriesByType('navigation')[0].toJSON()")
    assert timing["domComplete"] < 4_000
    took = browser.run("""
        const start = performance.now();
        document.getElementById('words').value = 'distribution-7 4.3';
        document.querySelector('.filter').dispatchEvent(new Event('input'));
        document.body.getBoundingClientRect();
        return performance.now() - start;
    """)
    assert took < 1_500
    assert 0 < len(_shown(browser)) < 100
