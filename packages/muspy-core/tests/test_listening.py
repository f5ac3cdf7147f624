"""Listening tests: blind, complete, and summarised with honest intervals."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import wave
from pathlib import Path

import pytest
from muspy_core.listening import ListeningTest, Question, build_test, load_answers, load_questions, summarize
from muspy_core.listening.build import ListeningTestError
from muspy_core.listening.report import Answer

QUESTIONS = (Question("mos", "How natural is this?"), Question("ab", "Which is better?", no_preference=True))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    for system in ("ours", "baseline"):
        (tmp_path / system).mkdir()
        for item in ("one", "two"):
            (tmp_path / system / f"{item}.wav").write_bytes(f"{system} {item}".encode())
    return [tmp_path / "ours", tmp_path / "baseline"]


def test_the_page_does_not_tell_which_system_is_heard(folders: list[Path], tmp_path: Path) -> None:
    key = json.loads(build_test(folders, tmp_path / "test", ListeningTest(questions=QUESTIONS)).read_text())
    page = (tmp_path / "test/index.html").read_text()
    assert not any(word in page for word in ("ours", "baseline", "one.wav"))
    assert sorted(path.name for path in (tmp_path / "test/audio").iterdir()) == sorted(key["sounds"])
    for name, sound in key["sounds"].items():
        content = (tmp_path / "test/audio" / name).read_text()
        assert content == f"{sound['system']} {sound['item']}"


def test_every_sound_is_rated_and_every_item_compared(folders: list[Path], tmp_path: Path) -> None:
    build_test(folders, tmp_path / "test", ListeningTest(questions=QUESTIONS), seed=4)
    page = (tmp_path / "test/index.html").read_text()
    data = json.loads(page.split('<script id="data" type="application/json">')[1].split("</script>")[0])
    assert sorted(len(trial["sounds"]) for trial in data["trials"]) == [1, 1, 1, 1, 2, 2]


def test_the_same_seed_gives_the_same_test(folders: list[Path], tmp_path: Path) -> None:
    build_test(folders, tmp_path / "a", seed=1)
    build_test(folders, tmp_path / "b", seed=1)
    assert (tmp_path / "a/index.html").read_text() == (tmp_path / "b/index.html").read_text()
    assert (tmp_path / "a-key.json").read_text() == (tmp_path / "b-key.json").read_text()


def test_nothing_is_overwritten_or_half_written(folders: list[Path], tmp_path: Path) -> None:
    build_test(folders, tmp_path / "test")
    with pytest.raises(FileExistsError):
        build_test(folders, tmp_path / "test")
    shutil.rmtree(folders[1])
    folders[1].mkdir()
    with pytest.raises(ListeningTestError, match="no sounds"):
        build_test(folders, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_comparisons_need_two_versions_of_an_item(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ListeningTestError, match="compare"):
        build_test(folders[:1], tmp_path / "test", ListeningTest(questions=QUESTIONS[1:]))


def test_questions_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    path.write_text("title: T\ntrials_per_listener: 5\nquestions:\n  - {kind: mos, text: Q, scale: [no, yes]}\n")
    assert load_questions(path) == ListeningTest(
        "T", questions=(Question("mos", "Q", ("no", "yes")),), trials_per_listener=5
    )
    for bad in ("[", "- 1", "questions: [{kind: x, text: y}]", "colour: red", "questions: [{kind: mos}]"):
        path.write_text(bad)
        with pytest.raises(ListeningTestError):
            load_questions(path)


KEY = {
    "questions": [{"text": "rate"}, {"text": "prefer"}],
    "sounds": {"a": {"system": "x", "item": "1"}, "b": {"system": "y", "item": "1"}},
}


def test_means_and_shares_are_those_of_the_answers() -> None:
    answers = [Answer(f"l{i}", 0, ("a",), 4 + i % 2) for i in range(10)]
    answers += [Answer(f"l{i}", 1, ("b", "a") if i % 2 else ("a", "b"), 2 if i % 2 else 1) for i in range(10)]
    rate, prefer = summarize(answers, KEY)
    assert (rate.system, rate.mean, rate.n, rate.listeners) == ("x", 4.5, 10, 10)
    assert rate.low < 4.5 < rate.high
    assert (prefer.system, prefer.mean) == ("x > y", 1.0)


def test_intervals_grow_when_answers_come_from_fewer_listeners() -> None:
    many = summarize([Answer(f"l{i}", 0, ("a",), 1 + i % 5) for i in range(100)], KEY)[0]
    few = summarize([Answer(f"l{i % 5}", 0, ("a",), 1 + i % 5) for i in range(5)], KEY)[0]
    assert few.high - few.low > many.high - many.low
    assert math.isnan(summarize([Answer("l", 0, ("a",), 3)], KEY)[0].low)


def test_a_second_answer_replaces_the_first() -> None:
    assert summarize([Answer("l", 0, ("a",), 1), Answer("l", 0, ("a",), 5)], KEY)[0].mean == 5


def test_answers_are_read_from_json_and_csv(tmp_path: Path) -> None:
    row = {"listener": "l", "question": 1, "sounds": ["a", "b"], "value": 2}
    (tmp_path / "a.json").write_text(json.dumps({"answers": [row]}))
    (tmp_path / "a.csv").write_text("listener,question,sounds,value\nl,1,a b,2\n")
    first, second = load_answers([tmp_path / "a.json", tmp_path / "a.csv"])
    assert first == second == Answer("l", 1, ("a", "b"), 2)
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ListeningTestError, match=r"bad\.json"):
        load_answers([tmp_path / "bad.json"])
    with pytest.raises(ListeningTestError, match="another test"):
        summarize([Answer("l", 0, ("zz",), 1)], KEY)


def test_a_folder_that_is_no_test_is_never_replaced(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="no listening test"):
        build_test(folders, folders[0], overwrite=True)
    assert (folders[0] / "one.wav").exists()
    build_test(folders, tmp_path / "test", seed=1)
    build_test(folders, tmp_path / "test", seed=2, overwrite=True)


def test_the_order_on_the_page_does_not_group_sounds_by_system(folders: list[Path], tmp_path: Path) -> None:
    for folder in folders:
        for number in range(20):
            (folder / f"{number}.wav").write_bytes(f"{folder.name} {number}".encode())
    key = json.loads(build_test(folders, tmp_path / "test").read_text())
    page = (tmp_path / "test/index.html").read_text()
    data = json.loads(page.split('<script id="data" type="application/json">')[1].split("</script>")[0])
    systems = [key["sounds"][trial["sounds"][0]]["system"] for trial in data["trials"]]
    assert sum(a != b for a, b in itertools.pairwise(systems)) > 10


def test_answers_to_an_earlier_test_are_not_mistaken_for_answers_to_this_one(
    folders: list[Path], tmp_path: Path
) -> None:
    first = json.loads(build_test(folders[:1], tmp_path / "a").read_text())
    second = json.loads(build_test(folders[1:], tmp_path / "b").read_text())
    assert not set(first["sounds"]) & set(second["sounds"])


def test_sounds_and_questions_that_make_no_test_are_refused(folders: list[Path], tmp_path: Path) -> None:
    (folders[0] / "one.mp3").write_bytes(b"x")
    with pytest.raises(ListeningTestError, match="one name"):
        build_test(folders, tmp_path / "test")
    with pytest.raises(ListeningTestError, match="at least 1"):
        ListeningTest(trials_per_listener=-1)
    with pytest.raises(ListeningTestError, match="question"):
        ListeningTest(questions=())


@pytest.mark.parametrize(
    "answer",
    [Answer("l", 7, ("a",), 1), Answer("l", 0, (), 1), Answer("l", 0, ("a",), 0), Answer("l", 1, ("a", "b"), 3)],
)
def test_answers_that_cannot_be_are_refused(answer: Answer) -> None:
    with pytest.raises(ListeningTestError):
        summarize([answer], KEY)


def test_files_saved_by_spreadsheets_and_wrong_keys(tmp_path: Path) -> None:
    (tmp_path / "a.CSV").write_text("listener,question,sounds,value\nl,1,a b,2\n", encoding="utf-8-sig")
    assert load_answers([tmp_path / "a.CSV"]) == [Answer("l", 1, ("a", "b"), 2)]
    (tmp_path / "key.json").write_text("[]")
    with pytest.raises(ListeningTestError, match=r"key\.json"):
        summarize([], tmp_path / "key.json")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.mark.browser
@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and chromedriver are not installed")
def test_a_listener_answers_all_trials_from_a_file_system(tmp_path: Path) -> None:
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    for system in ("ours", "baseline"):
        (tmp_path / system).mkdir()
        with wave.open(str(tmp_path / system / "one.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(b"\0\0" * 800)
    test = ListeningTest("A <b> {{data}}", "Listen.", QUESTIONS)
    build_test([tmp_path / "ours", tmp_path / "baseline"], tmp_path / "test", test)
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=700,600"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options, selenium.ChromeService(DRIVER))
    try:
        driver.get((tmp_path / "test/index.html").as_uri())
        assert driver.find_element("css selector", "h1").text == "A <b> {{data}}"
        driver.find_element("id", "begin").click()
        for _ in range(3):
            assert not driver.find_element("id", "next").is_enabled()
            driver.find_elements("css selector", "#choices label")[0].click()
            driver.find_element("id", "next").click()
        assert driver.find_element("id", "end").is_displayed()
        assert not driver.find_elements("css selector", "[role=alert]")
        assert driver.find_element("id", "json").get_attribute("download").startswith("answers-")
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    finally:
        driver.quit()
