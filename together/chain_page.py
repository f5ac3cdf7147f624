"""The chain's results → one self-contained page: what each step read, wrote and cost (the last step of chain.py)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from clipsep.metrics import si_sdr
from muspy_core import Audio, Music, read
from muspy_core.rendering import Facts, Page, Picture, Player, Roll, Score, Sound, Table, Text
from muspy_core.rendering.html import playable, try_to_engrave
from muspy_core.rendering.page import Section
from muspy_core.rendering.pianoroll import show_pianoroll
from muspy_core.rendering.spectrogram import show_spectrogram
from numpy.typing import NDArray

if TYPE_CHECKING:
    from chain import Chain, Step

DOTS_PER_INCH = 130


def page_of(chain: Chain, steps: Sequence[Step], *, seed: int) -> Page:
    """Return the page. The player plays the mix, and leads the score and the roll of the parts."""
    folder = chain.folder
    parts = read(folder / chain.parts)
    sounds = {name: Audio.read(folder / getattr(chain, name)) for name in ("mix", "solo", "taken_out", "rest", "sound")}
    piece_audio = Audio.read(folder / chain.piece_audio)
    by_title = {step.title: step for step in steps}
    numbers = {title: f"{index + 1}. {title[0].upper()}{title[1:]}" for index, title in enumerate(by_title)}
    write, give, perform, play, together, take, make = (numbers[title] for title in by_title)
    solo = parts.tracks[0].name or "the first part"
    reports = [step.run.report for step in steps]
    sections: list[Section] = [
        Facts(
            {
                "Notes": f"{sum(len(track.notes) for track in parts.tracks)}",
                "Parts": ", ".join(track.name or "" for track in parts.tracks),
                "Length": f"{sounds['mix'].duration:.1f} s",
                "Seed": seed,
                "All steps": f"{sum(step.run.seconds for step in steps):.1f} s",
            }
        ),
        Table(
            ("step", "seconds", "processor", "command"),
            [
                (numbers[title], f"{step.run.seconds:.1f}", f"{step.run.cpu_seconds:.1f}", step.run.command)
                for title, step in by_title.items()
            ],
            heading="What was done",
            caption="Seconds by the clock, and of processors. Each command reads the files of those before it.",
        ),
        Text(["For strings, from nothing, by mmt's bundled model."], write),
        *_score_picture(read(folder / chain.piece)),
        Sound(playable(piece_audio), "the piece, by SoundFont"),
        Text([f"Every note keeps its time and pitch and goes to one of {len(parts.tracks)} instruments."], give),
    ]
    engraving = try_to_engrave(parts, 3)
    if engraving is not None:
        sections.append(Score(engraving, heading=None, colored=True))
    sections += [
        Roll.from_music(parts, heading=None),
        Text([f"The {solo.lower()}, by deepperformer's bundled model, in the tempo of the others."], perform),
        Sound(playable(sounds["solo"]), f"{solo.lower()}, performed"),
        _spectrogram(sounds["solo"], f"{solo.lower()}, performed"),
        Text(["The other parts by the renderer of muspy-core; then both, at one loudness."], f"{play}; {together}"),
        Sound(playable(sounds["mix"]), "the mix: what the player below plays"),
        _spectrogram(sounds["mix"], "the mix"),
        Text([_separation(sounds, solo.lower(), reports[5])], take),
        Sound(playable(sounds["taken_out"]), f"{solo.lower()}, taken out of the mix"),
        _spectrogram(sounds["taken_out"], f"{solo.lower()}, taken out of the mix"),
        Sound(playable(sounds["rest"]), "what is left"),
        Text([f"A sound that clipsonic's bundled model makes when it is asked for “{solo.lower()}”."], make),
        Sound(playable(sounds["sound"]), "the sound that was made"),
        _spectrogram(sounds["sound"], "the sound that was made"),
        Player(playable(sounds["mix"])),
    ]
    return Page(
        "One piece, six packages",
        sections,
        subtitle="Written, given to instruments, performed, mixed, taken apart and imitated, by small models on a CPU.",
        footer="Made with mmt, arranger, deepperformer, clipsep, clipsonic and muspy-core.",
    )


def _separation(sounds: dict[str, Audio], solo: str, report: dict[str, Any]) -> str:
    """Say how near what was taken out is to what went in, which here is known."""
    truth, mixed, found = (_mono(sounds[name], sounds["mix"].frames) for name in ("solo", "mix", "taken_out"))
    before, after = si_sdr(truth, mixed), si_sdr(truth, found)
    presence = ", ".join(f"{value:.1f} dB" for value in report["done"][0]["presence_db"].values())
    return (
        f"Asked for “{solo}”, clipsep's bundled model takes out a sound of {presence} beside the mix. The truth "
        f"is known: the {solo} stands at {before:+.1f} dB (SI-SDR) in the mix, and at {after:+.1f} dB in what came out."
    )


def _mono(audio: Audio, frames: int) -> NDArray[np.float32]:
    return audio.resample(44100).to_mono().window(0, frames).samples[0]


def _score_picture(music: Music) -> list[Section]:
    """Pictures of the first page of a score, if it can be set, and of the piano roll."""
    from matplotlib.figure import Figure

    pictures: list[Section] = []
    engraving = try_to_engrave(music, 1)
    if engraving is not None:
        pictures.append(Picture(engraving.to_png(zoom=2), "the first page of the score of the piece"))
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    show_pianoroll(music, axes=figure.subplots(), time="seconds")
    pictures.append(Picture(_png(figure), "piano roll of the piece"))
    return pictures


def _spectrogram(audio: Audio, name: str) -> Picture:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6), layout="constrained")
    show_spectrogram(audio.normalize_peak(-1.5), axes=figure.subplots())
    return Picture(_png(figure), f"spectrogram: {name}", caption=f"Spectrogram: {name}.")


def _png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DOTS_PER_INCH)
    return stream.getvalue()
