"""The local page: what it does when it is asked properly, and what it refuses."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import muspy_core
import pytest
from app import SECRET_HEADER, App
from browsers import chromium, errors_of
from jobs import MOST_WAITING, BusyError, Jobs
from programs import ProgramError, run
from tasks import BY_NAME, TASKS, FormError

MOST_BYTES = 100_000


@pytest.fixture
def app() -> Iterator[App]:
    with App(0, MOST_BYTES) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def chords(tmp_path: Path) -> Path:
    """Two chords of four notes in one track."""
    notes = [muspy_core.Note(24 * beat, pitch, 24) for beat in range(2) for pitch in (72 - beat, 67, 64 - 2 * beat, 48)]
    path = tmp_path / "chords.mid"
    muspy_core.write_midi(path, muspy_core.Music(resolution=24, tracks=[muspy_core.Track(notes=notes)]))
    return path


def ask(
    app: App, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """Send a request as it stands, and return status, body and headers of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", app.server_port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.headers)
    finally:
        connection.close()


def post(app: App, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any]]:
    status, answer, _ = ask(app, "POST", path, body, {SECRET_HEADER: app.secret, **headers})
    return status, json.loads(answer)


def ended(app: App, job: str, seconds: float = 300) -> dict[str, Any]:
    """Wait until a job is done or has failed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state: dict[str, Any] = json.loads(ask(app, "GET", f"/jobs/{job}")[1])
        if state["state"] in ("done", "failed"):
            return state
        time.sleep(0.05)
    raise AssertionError(f"job still {state['state']} after {seconds} s")


def left_over(app: App) -> list[Path]:
    return list(app.jobs.folder.rglob("*"))


# ---- what it does


def test_the_page_has_a_form_for_each_task_and_loads_nothing(app: App) -> None:
    status, body, headers = ask(app, "GET", "/")
    page = body.decode()

    assert status == 200
    assert all(f'data-task="{task.name}"' in page for task in TASKS)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert 'src="http' not in page
    assert "{{" not in page


def test_a_file_that_is_no_music_fails_in_one_line_that_says_so(app: App) -> None:
    status, job = post(app, "/jobs/parts?file=song.mid", b"this is no MIDI file")
    state = ended(app, job["job"])

    assert status == 202
    assert state["state"] == "failed"
    assert state["message"].startswith("arranger: ")
    assert "\n" not in state["message"]
    assert "Traceback" not in state["message"]


@pytest.mark.slow
def test_a_file_becomes_parts_that_can_be_heard_seen_and_taken_away(app: App, chords: Path) -> None:
    _, job = post(app, "/jobs/parts?file=chords.mid&how=separate", chords.read_bytes())
    state = ended(app, job["job"])
    answers = {name: ask(app, "GET", f"/jobs/{job['job']}/{name}?download") for name in state["files"]}

    assert state["files"] == ["sound.mp3", "page.html", "parts.mid"]
    assert {status for status, _, _ in answers.values()} == {200}
    assert answers["parts.mid"][1][:4] == b"MThd"
    assert answers["parts.mid"][2]["Content-Disposition"] == 'attachment; filename="parts.mid"'
    assert answers["page.html"][2]["Content-Security-Policy"] == "sandbox allow-scripts"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["write", "sound", "perform", "take-out"])
def test_every_task_ends_with_all_that_it_promises(app: App, chords: Path, tmp_path: Path, task: str) -> None:
    # A large enough upload for four seconds of sound.
    app.most_bytes = 2_000_000
    query, body = f"/jobs/{task}?", b""
    if task == "write":
        query += "notes=40"
    elif task == "perform":
        query, body = query + "file=chords.mid", chords.read_bytes()
    elif task == "take-out":
        sound = tmp_path / "sound.wav"
        muspy_core.write_audio(sound, muspy_core.read(chords))
        query, body = query + "file=sound.wav&what=violin", sound.read_bytes()
    state = ended(app, post(app, query, body)[1]["job"])

    assert (state["message"], tuple(state["files"])) == ("", BY_NAME[task].results)


def test_nothing_is_left_when_it_ends(chords: Path) -> None:
    with App(0) as server:
        folder = server.jobs.folder
        (server.jobs.new_folder() / "input.mid").write_bytes(chords.read_bytes())

    assert not folder.exists()


# ---- what it refuses


def test_it_listens_on_this_machine_alone(app: App) -> None:
    assert app.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["example.org", "example.org:80", "127.0.0.1", "127.0.0.1:1"])
def test_other_names_for_it_are_refused(app: App, host: str) -> None:
    status, body, _ = ask(app, "GET", "/", headers={"Host": host})

    assert status == 403
    assert app.secret.encode() not in body


@pytest.mark.parametrize("origin", ["http://example.org", "null", "https://127.0.0.1"])
def test_other_pages_are_refused(app: App, origin: str) -> None:
    status, answer = post(app, "/jobs/sound", Origin=origin)

    assert (status, answer) == (403, {"error": "another page may not use this one"})


@pytest.mark.parametrize("secret", ["", "wrong", "\xff"])
def test_without_the_secret_of_the_page_nothing_is_done(app: App, secret: str) -> None:
    status, _, _ = ask(app, "POST", "/jobs/sound", b"", {SECRET_HEADER: secret})

    assert status == 403
    assert left_over(app) == []


def test_a_file_above_the_limit_is_refused_before_it_is_sent(app: App) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", app.server_port, timeout=20)
    connection.putrequest("POST", "/jobs/parts?file=a.mid")
    connection.putheader(SECRET_HEADER, app.secret)
    connection.putheader("Content-Length", str(MOST_BYTES + 1))
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()
    assert left_over(app) == []


def test_a_request_of_unknown_length_is_refused(app: App) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", app.server_port, timeout=20)
    connection.putrequest("POST", "/jobs/parts?file=a.mid")
    connection.putheader(SECRET_HEADER, app.secret)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()

    assert connection.getresponse().status == 411
    connection.close()


def test_an_upload_that_breaks_off_leaves_nothing(app: App) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", app.server_port, timeout=20)
    connection.putrequest("POST", "/jobs/parts?file=a.mid")
    connection.putheader(SECRET_HEADER, app.secret)
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b"MThd")
    connection.sock.shutdown(1)  # no more will come

    assert connection.getresponse().status == 400
    connection.close()
    assert left_over(app) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("parts?file=song.exe", "this takes .mid"),
        ("parts?file=../../etc/passwd", "this takes .mid"),
        ("parts?file=a.mid&how=everything", "is not one of separate, rearrange"),
        ("parts?file=a.mid&parts=--report", "wants words"),
        ("parts?file=a.mid&output=/etc/passwd", "there is no field 'output'"),
        ("write?notes=9999", "not a whole number from 8 to 1000"),
        ("sound?what=", "wants words"),
        ("sound?what=-o", "wants words"),
        ("sound?what=a%0Ab", "wants words"),
        ("sound?what=violin&seed=-1", "not a whole number"),
    ],
)
def test_forms_take_only_what_they_say(app: App, query: str, said: str) -> None:
    status, answer = post(app, f"/jobs/{query}", b"MThd" if "file=" in query else b"")

    assert status == 422
    assert said in answer["error"]
    assert left_over(app) == []


def test_a_task_for_a_file_wants_one(app: App) -> None:
    assert post(app, "/jobs/perform?") == (422, {"error": "open a file first"})


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/app.html", "/jobs/nobody", "/jobs/../app.py", "/jobs/%2e%2e/app.py", "/jobs/", "/x?"],
)
def test_nothing_else_is_there(app: App, path: str) -> None:
    assert ask(app, "GET", path)[0] == 404


def test_of_a_job_only_its_results_are_given(app: App) -> None:
    job = app.jobs.start(BY_NAME["parts"], folder := app.jobs.new_folder(), "input.mid", {"how": "no", "parts": ""})
    (folder / "input.mid").write_bytes(b"secret")
    ended(app, job.name)

    for name in ("input.mid", "../input.mid", "..%2finput.mid", "%2e%2e/app.py", "parts.mid"):
        assert ask(app, "GET", f"/jobs/{job.name}/{name}")[0] == 404


def test_only_so_many_jobs_wait(tmp_path: Path) -> None:
    jobs, go_on = Jobs(), threading.Event()
    try:
        jobs._worker.submit(go_on.wait)
        for _ in range(MOST_WAITING):
            jobs.start(BY_NAME["sound"], jobs.new_folder(), "", {"what": "violin", "seed": "0"})
        with pytest.raises(BusyError):
            jobs.start(BY_NAME["sound"], jobs.new_folder(), "", {"what": "violin", "seed": "0"})
    finally:
        jobs._worker.shutdown(wait=False, cancel_futures=True)
        go_on.set()
        jobs.close()


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()
    processes: list[Any] = []
    with pytest.raises(ProgramError, match=r"mmt: not ready after 0\.2 s"):
        run("mmt", "generate", "-o", "songs", folder=tmp_path, limit_s=0.2, started=processes.append)

    assert processes[0].poll() is not None
    assert time.monotonic() - begun < 10


def test_only_our_programs_are_run(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="not installed"):
        run("python", "-c", "print(1)", folder=tmp_path)


def test_a_text_cannot_be_an_option() -> None:
    for task in TASKS:
        for field in task.fields:
            with pytest.raises(FormError):
                field.checked("--overwrite")


# ---- in a browser


@pytest.mark.slow
@pytest.mark.browser
def test_a_person_opens_a_file_and_hears_its_parts(app: App, chords: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    with chromium() as driver:
        driver.get(app.address)
        form = driver.find_element(By.CSS_SELECTOR, "form[data-task=parts]")
        form.find_element(By.NAME, "file").send_keys(str(chords))
        form.find_element(By.TAG_NAME, "button").click()
        state = form.find_element(By.CSS_SELECTOR, ".state")
        WebDriverWait(driver, 240).until(lambda _: state.text.startswith("done"))
        audio = form.find_element(By.TAG_NAME, "audio")
        length = WebDriverWait(driver, 20).until(
            lambda _: driver.execute_script("return isFinite(arguments[0].duration) && arguments[0].duration", audio)
        )
        links = [link.text for link in form.find_elements(By.TAG_NAME, "a")]

        assert length > 1  # two quarters at 120 a minute
        assert len(links) == 3
        assert errors_of(driver) == []

        form.find_element(By.LINK_TEXT, "Open the page with pictures").click()
        driver.switch_to.window(driver.window_handles[-1])
        WebDriverWait(driver, 20).until(lambda _: driver.find_elements(By.ID, "roll"))
        assert errors_of(driver) == []


@pytest.mark.slow
@pytest.mark.browser
def test_a_person_is_told_in_one_line_what_is_wrong(app: App, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"no music")
    with chromium() as driver:
        driver.get(app.address)
        form = driver.find_element(By.CSS_SELECTOR, "form[data-task=perform]")
        form.find_element(By.NAME, "file").send_keys(str(broken))
        form.find_element(By.TAG_NAME, "button").click()
        error = form.find_element(By.CSS_SELECTOR, ".error")
        WebDriverWait(driver, 120).until(lambda _: error.text)

        assert error.text.startswith("deepperformer: ")
        assert form.find_element(By.TAG_NAME, "button").is_enabled()
