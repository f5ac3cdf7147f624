"""The page of `view`: one file, no network, and in a real browser the music moves."""

from __future__ import annotations

import html
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from muspy_core import Audio, Metadata, Music, Note, Tempo, TimeSignature, Track
from muspy_core.rendering import Facts, Page, Picture, Player, Roll, RollPart, Score, Table, Text, engrave, view
from muspy_core.rendering.html import try_to_engrave

for _module in ("verovio", "soundfile", "pretty_midi", "fontTools"):
    pytest.importorskip(_module, reason=f"{_module} comes with the extra [render]")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def music() -> Music:
    """Four bars at 120: a scale over a held fifth."""
    return Music(
        metadata=Metadata(title="Scale </script><b>", creators=["A. Nonymous"]),
        tempos=[Tempo(0, 120)],
        time_signatures=[TimeSignature(0, 4, 4)],
        tracks=[
            Track(name="Upper </script>", notes=[Note(i * 24, 60 + i, 24, 90) for i in range(16)]),
            Track(name="Lower", program=42, notes=[Note(i * 96, 43, 96, 80) for i in range(4)]),
            Track(name="Empty"),
        ],
    )


@pytest.fixture(scope="module")
def page(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return view(music, tmp_path_factory.mktemp("page") / "scale.html")


def test_the_page_refers_to_nothing_outside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    # Names of XML namespaces are addresses that nobody opens.
    outside = re.findall(r'(?:src|href)="(?!data:|#)[^"]*"|url\((?!data:|#)[^)]*\)|@import', text)
    assert outside == []


def test_the_policy_forbids_everything_else(page: Path) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page.read_text(encoding="utf-8"))

    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].startswith("'sha256-")
    assert "unsafe" not in rules["script-src"]


def test_text_of_the_music_cannot_become_markup(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert "Scale &lt;/script&gt;&lt;b&gt;" in text
    assert text.count("</script>") == 2


def test_the_notes_on_the_page_are_those_of_the_music(page: Path) -> None:
    (found,) = re.findall(r'id="notes">(.*?)</script>', page.read_text(encoding="utf-8"))
    notes = json.loads(found)

    assert [len(part["on"]) for part in notes["parts"]] == [16, 4, 0]
    assert notes["parts"][0]["on"][:3] == [0, 500, 1000]
    assert notes["parts"][1]["off"] == [2000, 4000, 6000, 8000]
    assert notes["bars"] == [0, 2000, 4000, 6000]


def test_tracks_without_notes_have_no_staff_and_ids_stay(music: Music) -> None:
    shifted = music.copy()
    shifted.tracks = [Track(name="Empty first"), *music.tracks]

    engraving = try_to_engrave(shifted)

    ids = set(re.findall(r'data-id="n(\d+)-', "".join(engraving.pages)))
    assert ids == {"1", "2"}
    assert {note.split("-")[0] for note in engraving.times} >= {"n1", "n2"}
    assert "Empty first" not in engraving.pages[0]


def test_trimming_for_the_score_leaves_the_music_alone() -> None:
    notes = [Note(i * 96, 60, 96) for i in range(300)]
    long = Music(time_signatures=[TimeSignature(0, 4, 4)], tracks=[Track(notes=notes)])

    engraving = try_to_engrave(long, pages=1)

    assert len(engraving.pages) == 1
    assert len(long.tracks[0]) == 300


def test_an_existing_page_is_kept_unless_told(music: Music, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")

    with pytest.raises(FileExistsError):
        view(music, path, overwrite=False, score_pages=0)

    assert path.read_text() == "mine"


def test_music_without_notes_has_a_page(tmp_path: Path) -> None:
    text = view(Music(), tmp_path / "empty.html").read_text(encoding="utf-8")

    assert "Untitled" in text
    assert "<audio" not in text


def test_a_page_is_made_of_any_sections() -> None:
    sections = [
        Facts({"Accuracy": "97.3 %"}),
        Text(["One & two."], heading="About"),
        Table(["part", "notes"], [["Violin", 12], ["Cello", 7]], heading="Parts", caption="How many"),
        Picture(b"\x89PNG", "a picture"),
        Roll([RollPart("solo", [0.0, 1.0], [0.5, 0.5], [60, 62], confidence=[0.9, 0.2], marked=[False, True])]),
        Player(Audio(np.zeros((2, 8000)), 8000), format="wav"),
    ]

    text = Page("Result", sections, subtitle="of a test", footer="The end.").to_html()

    for expected in ("97.3 %", "One &amp; two.", "How many</p>", "image/png;base64", "marked note"):
        assert expected in text
    assert '<td class="number">12</td>' in text
    assert '"sure":[0.9,0.2],"marked":[1]' in text
    with pytest.raises(TypeError, match="str"):
        Page("Result", ["text"]).to_html()  # type: ignore[list-item]  # what a caller may get wrong


# --- in a browser --------------------------------------------------------------------------------------------------


class Browser:
    """Headless Chromium that looks at a page from a file."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path) -> None:
        self.driver.get(path.as_uri())

    def run(self, code: str) -> Any:
        return self.driver.execute_script(code)

    def wait(self, condition: str) -> Any:
        """Run a condition until it is true; the answer is its value."""
        for _ in range(300):
            value = self.run(f"return {condition}")
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true on the page: {condition}")

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [message for message in messages if message["method"] == "Network.requestWillBeSent"]
        return [message["params"]["request"]["url"] for message in sent]

    def color_at(self, x: float, y: float) -> list[int]:
        code = "const c = document.getElementById('roll'), g = c.getContext('2d');"
        return self.run(f"{code} return [...g.getImageData({x} * devicePixelRatio, {y} * devicePixelRatio, 1, 1).data]")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--autoplay-policy=no-user-gesture-required",
        "--window-size=1280,1000",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@pytest.fixture
def shown(browser: Browser, page: Path) -> Browser:
    browser.open(page)
    browser.run("document.getElementById('audio').muted = true")
    return browser


needs_browser = pytest.mark.browser


@needs_browser
def test_the_page_opens_from_a_file_without_error_or_request(shown: Browser, page: Path) -> None:
    shown.wait("document.readyState === 'complete'")

    assert shown.errors() == []
    assert {url for url in shown.requests() if not url.startswith("data:")} <= {page.as_uri()}
    assert shown.run("return document.querySelector('h1').textContent") == "Scale </script><b>"


@needs_browser
def test_playing_moves_the_cursor_and_colours_the_sounding_notes(shown: Browser) -> None:
    shown.run("document.getElementById('play').click()")

    shown.wait("document.getElementById('audio').currentTime > 1.1")
    shown.run("document.getElementById('audio').pause()")
    shown.wait("document.getElementById('play').getAttribute('aria-label') === 'Play'")

    seconds = shown.run("return document.getElementById('audio').currentTime")
    expected = {f"n0-{int(seconds / 0.5)}", f"n1-{int(seconds / 2)}"}
    assert set(shown.run("return [...document.querySelectorAll('.sounding')].map((e) => e.dataset.id)")) == expected
    assert shown.run("return document.querySelectorAll('.sheets .beat').length") == 1
    assert shown.run("return document.getElementById('clock').textContent") == f"0:{int(seconds):02d}"


@needs_browser
def test_a_click_on_the_roll_or_the_score_sets_the_time(shown: Browser) -> None:
    shown.wait("document.getElementById('audio').readyState > 0")
    actions = pytest.importorskip("selenium.webdriver").ActionChains
    roll = shown.driver.find_element("id", "roll")
    shown.run("document.getElementById('roll').scrollIntoView({block: 'center'})")
    actions(shown.driver).move_to_element_with_offset(roll, 100, 30).click().perform()
    first = shown.wait("document.getElementById('audio').currentTime")

    shown.run("document.querySelector('[data-id=\"n0-5\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")

    assert 0 < first < 9
    shown.wait("Math.abs(document.getElementById('audio').currentTime - 2.5) < 0.05")


@needs_browser
def test_a_part_can_be_hidden_and_shown(shown: Browser) -> None:
    shown.run("document.querySelector('.legend [data-part=\"0\"]').click()")

    assert shown.run("return document.querySelector('.legend button').getAttribute('aria-pressed')") == "false"
    assert shown.run("return document.querySelectorAll('.note.hidden').length") == 16
    shown.run("document.querySelector('.legend [data-part=\"0\"]').click()")
    assert shown.run("return document.querySelectorAll('.note.hidden').length") == 0


@needs_browser
def test_the_roll_is_drawn_in_the_colours_of_the_parts(shown: Browser) -> None:
    shown.run("document.getElementById('zoom-all').click()")
    count = """
        const c = document.getElementById('roll'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const seen = new Set();
        for (let i = 0; i < d.length; i += 4) seen.add(d[i] * 65536 + d[i + 1] * 256 + d[i + 2]);"""

    assert shown.run(f"{count} return seen.size") > 20


@needs_browser
def test_keys_work_without_a_mouse(shown: Browser) -> None:
    keys = pytest.importorskip("selenium.webdriver").Keys
    shown.driver.find_element("id", "roll").send_keys("+", "+", keys.ARROW_RIGHT, "0")
    shown.driver.find_element("tag name", "body").send_keys(keys.SPACE)

    shown.wait("!document.getElementById('audio').paused")
    shown.run("document.getElementById('audio').pause()")
    assert shown.errors() == []


@needs_browser
def test_marked_notes_are_marked_in_score_and_roll(browser: Browser, music: Music, tmp_path: Path) -> None:
    marked = [np.arange(16) == 3, None, None]
    sections = [Score(engrave(music), colored=True), Roll.from_music(music, marked=marked, mark_label="doubtful")]

    browser.open(Page("Marked", sections).write(tmp_path / "marked.html"))

    assert browser.run("return [...document.querySelectorAll('.doubtful')].map((e) => e.dataset.id)") == ["n0-3"]
    assert html.unescape(browser.run("return document.querySelector('.mark').textContent")) == "◆doubtful"
    assert browser.errors() == []
