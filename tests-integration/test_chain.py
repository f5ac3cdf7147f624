"""The packages together, through their commands: a mixture separated, converted, heard and seen; and `nox -s demo`."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import muspy_core
import pytest
from browsers import chromium, errors_of
from chain import PARTS, Chain

ROOT = Path(__file__).resolve().parents[1]
# Two bars of four-part writing in C major, one chord a beat, as (soprano, alto, tenor, bass).
CHORDS = [(72, 67, 64, 48), (71, 67, 62, 43), (72, 67, 60, 45), (74, 65, 57, 50), (71, 67, 62, 43), (72, 67, 64, 48)]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an installed console script; a failure shows what it said."""
    program = Path(sysconfig.get_path("scripts")) / command[0]
    done = subprocess.run(
        [str(program), *map(str, command[1:])], capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def sounding(tracks: Iterable[muspy_core.Track]) -> Counter[tuple[int, int, int]]:
    """Multiset of (onset, pitch, duration) of all notes."""
    return Counter((note.time, note.pitch, note.duration) for track in tracks for note in track.notes)


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MIDI file with all notes in one piano track."""
    notes = [muspy_core.Note(24 * beat, pitch, 24) for beat, chord in enumerate(CHORDS) for pitch in chord]
    music = muspy_core.Music(
        resolution=24,
        tempos=[muspy_core.Tempo(0, 90)],
        time_signatures=[muspy_core.TimeSignature(0, 3, 4)],
        tracks=[muspy_core.Track(program=0, name="Piano", notes=notes)],
    )
    path = tmp_path_factory.mktemp("chain") / "mixture.mid"
    muspy_core.write_midi(path, music)
    return path


@pytest.fixture(scope="module")
def separated(mixture: Path) -> Path:
    """The same music in four parts, written by arranger."""
    output = mixture.with_name("parts.mid")
    run("arranger", "separate", mixture, "-o", output)
    return output


def test_separation_keeps_every_note(mixture: Path, separated: Path) -> None:
    before, after = muspy_core.read(mixture), muspy_core.read(separated)

    assert sounding(after.tracks) == sounding(before.tracks)


def test_a_plain_chorale_texture_goes_to_four_parts_from_high_to_low(separated: Path) -> None:
    tracks = [track for track in muspy_core.read(separated).tracks if track.notes]
    mean_pitches = [float(track.notes.array["pitch"].mean()) for track in tracks]

    assert len(tracks) == 4
    assert mean_pitches == sorted(mean_pitches, reverse=True)


def test_parts_become_a_score_and_come_back(separated: Path) -> None:
    score = separated.with_suffix(".musicxml")
    run("muspy-core", "convert", separated, "-o", score)

    before, after = muspy_core.read(separated), muspy_core.read(score)
    before.adjust_resolution(after.resolution)

    assert sounding(after.tracks) == sounding(before.tracks)


def test_parts_can_be_heard(separated: Path) -> None:
    audio = separated.with_suffix(".wav")
    run("muspy-core", "render", separated, "-o", audio)

    heard = muspy_core.Audio.read(audio)

    assert heard.samples.shape[1] / heard.sample_rate >= len(CHORDS) * 60 / 90
    assert abs(heard.samples).max() > 0.01


def test_parts_can_be_seen_without_a_network(separated: Path) -> None:
    page = separated.with_suffix(".html")
    run("muspy-core", "view", separated, "-o", page)

    text = page.read_text(encoding="utf-8")

    assert "Content-Security-Policy" in text
    assert 'src="http' not in text
    assert 'href="http' not in text


# ---- the whole chain: what `nox -s demo` runs after installing


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Chain, list[str]]:
    """The chain on a short piece, and the lines that it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return Chain(folder), demonstrate(folder)


def demonstrate(folder: Path) -> list[str]:
    """Run the command of the session, on a short piece; return what it printed."""
    command = [sys.executable, "together/chain.py", "-o", folder, "--notes", 80, "--overwrite"]
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_first_command_of_the_readme_runs_the_chain() -> None:
    session = (ROOT / "noxfile.py").read_text(encoding="utf-8").split("def demo(", 1)[1].split("@nox.session", 1)[0]

    assert '"python", "together/chain.py", "-o", "demo", "--overwrite"' in session


def test_the_chain_replaces_nothing_unasked(tmp_path: Path) -> None:
    (tmp_path / "mix.wav").write_bytes(b"mine")
    command = [sys.executable, str(ROOT / "together" / "chain.py"), "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=100)

    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mix.wav"]


@pytest.mark.slow
def test_every_step_of_the_chain_says_how_long_it_took(demonstrated: tuple[Chain, list[str]]) -> None:
    chain, lines = demonstrated
    steps = [line for line in lines if re.match(r"\d\. .* \d+\.\d s", line)]
    page = (chain.folder / chain.page).read_text(encoding="utf-8")

    assert len(steps) == 8
    assert all(program in page for program in ("mmt generate", "arranger rearrange", "deepperformer perform"))
    assert all(program in page for program in ("muspy-core render", "clipsep separate", "clipsonic generate"))
    assert re.fullmatch(r"in \d+\.\d s \(processor \d+\.\d s\)\. Open .*index\.html", lines[-1])


@pytest.mark.slow
def test_the_chain_loses_no_note(demonstrated: tuple[Chain, list[str]]) -> None:
    chain, _ = demonstrated
    piece, parts = (muspy_core.read(chain.folder / name) for name in (chain.piece, chain.parts))

    assert sounding(parts.tracks) == sounding(piece.tracks)
    assert [(track.name or "").lower() for track in parts.tracks] == list(PARTS)


@pytest.mark.slow
def test_all_sounds_of_the_chain_are_heard_and_none_is_clipped(demonstrated: tuple[Chain, list[str]]) -> None:
    chain, _ = demonstrated
    names = (chain.piece_audio, chain.solo, chain.others_audio, chain.mix, chain.taken_out, chain.rest, chain.sound)
    heard = {name: muspy_core.Audio.read(chain.folder / name) for name in names}
    length = muspy_core.read(chain.folder / chain.parts).get_real_end_time()

    assert {name: audio.peak for name, audio in heard.items() if not 0.01 < audio.peak < 0.999} == {}
    assert heard[chain.mix].duration >= length - 0.5
    assert heard[chain.taken_out].duration == pytest.approx(heard[chain.mix].duration, abs=0.1)
    assert heard[chain.rest].duration == pytest.approx(heard[chain.mix].duration, abs=0.1)


@pytest.mark.slow
def test_the_chain_depends_on_its_seed_alone(demonstrated: tuple[Chain, list[str]], tmp_path: Path) -> None:
    chain, _ = demonstrated
    demonstrate(tmp_path)

    def digests(folder: Path) -> dict[str, str]:
        files = [path for path in chain.files() if path.name != chain.page]  # the page says how long it took
        names = [chain.piece, *(path.name for path in files if path.parent == chain.folder)]
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}

    assert digests(tmp_path) == digests(chain.folder)


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_of_the_chain_opens_without_a_network(demonstrated: tuple[Chain, list[str]]) -> None:
    chain, _ = demonstrated
    page = chain.folder / chain.page
    text = page.read_text(encoding="utf-8")
    with chromium() as driver:
        driver.get(page.as_uri())
        waiting = "return [...document.querySelectorAll('audio')].map((sound) => sound.duration)"
        for _ in range(100):
            lengths = driver.execute_script(waiting)
            if all(lengths):
                break
            time.sleep(0.1)
        pictures = driver.execute_script("return [...document.images].map((image) => image.naturalWidth)")
        noteheads = driver.execute_script("return document.querySelectorAll('#score g.note').length")

        assert 'src="http' not in text
        assert len(lengths) == 7
        assert min(lengths) > 3
        assert len(pictures) >= 5
        assert min(pictures) > 500
        assert noteheads > 0
        assert errors_of(driver) == []
