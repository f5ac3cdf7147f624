"""The packages together, through their commands: a mixture is separated, converted, heard and seen."""

from __future__ import annotations

import subprocess
import sysconfig
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import muspy_core
import pytest

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
