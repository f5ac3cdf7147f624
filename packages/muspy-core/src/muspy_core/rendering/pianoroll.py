"""Music → a piano-roll figure with matplotlib, for papers, docs and notebooks."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from muspy_core.errors import RenderError
from muspy_core.music import Music, Track
from muspy_core.rendering.palette import color_of
from muspy_core.rendering.summary import bar_times, first_bar_number
from muspy_core.timing import beat_times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TimeAxis = Literal["bars", "seconds", "steps"]
_BLACK_KEYS = (1, 3, 6, 8, 10)
_LEGEND_MOST = 12


def show_pianoroll(
    music: Music | Track,
    *,
    axes: Axes | None = None,
    time: TimeAxis | None = None,
    colors: Sequence[str] | None = None,
    legend: bool | None = None,
    figsize: tuple[float, float] = (10.0, 3.6),
    title: str | None = None,
    alpha_by_velocity: bool = True,
) -> Axes:
    """Plot music as a piano roll: pitch over time, a colour for each track.

    Args:
        music: A piece or one track of it.
        axes: matplotlib axes to draw on; a new figure of `figsize` inches by default.
        time: "bars" (measure numbers; needs bar lines or a time signature), "seconds" or "steps". By default bars where
            the music has them, else seconds; steps for a track alone.
        colors: Colours of the tracks in order, repeated as needed.
        legend: Whether to name the tracks; by default if there are 2 to 12 of them.
        title: Title of the plot.
        alpha_by_velocity: Draw soft notes paler.

    Returns the axes; `axes.figure.savefig("roll.pdf")` saves them. Raises RenderError for an unknown time axis.
    """
    tracks = [music] if isinstance(music, Track) else music.tracks
    whole = music if isinstance(music, Music) else None
    time = time or _natural_axis(whole)
    if time not in ("bars", "seconds", "steps"):
        raise RenderError(f'time must be "bars", "seconds" or "steps", got {time!r}')
    if whole is None and time != "steps":
        raise RenderError(f'a track alone knows no tempo and no bars: time must be "steps", got {time!r}')
    if axes is None:
        axes = _pyplot().subplots(figsize=figsize, layout="constrained")[1]
    handles = [
        _draw_track(axes, index, track, whole, time, colors, alpha_by_velocity) for index, track in enumerate(tracks)
    ]
    _frame(axes, tracks, whole, time)
    handles = [handle for handle, track in zip(handles, tracks, strict=True) if len(track.notes) or len(track.chords)]
    if legend if legend is not None else 2 <= len(handles) <= _LEGEND_MOST:
        rows = -(-len(handles) // 6)
        axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=-(-len(handles) // max(rows, 1)),
            frameon=False, fontsize="small", handlelength=1.0, handleheight=0.9, columnspacing=1.4, borderaxespad=0.2,
        )  # fmt: skip
    if title is not None:
        axes.set_title(title, loc="left", pad=24 if axes.get_legend() else 6)
    return axes


def _natural_axis(music: Music | None) -> TimeAxis:
    if music is None:
        return "steps"
    return "bars" if len(bar_times(music)) else "seconds"


def _draw_track(
    axes: Axes,
    index: int,
    track: Track,
    music: Music | None,
    time: TimeAxis,
    colors: Sequence[str] | None,
    alpha_by_velocity: bool,
) -> Any:
    """Draw the notes of a track as one collection; return what stands for it in the legend."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    table = track.notes.array
    rows = [table["time"], table["time"] + table["duration"], table["pitch"], table["velocity"]]
    if track.chords:
        more = np.array([(c.time, c.time + c.duration, p, c.velocity) for c in track.chords for p in c.pitches])
        rows = [np.append(row, column) for row, column in zip(rows, more.reshape(-1, 4).T, strict=True)]
    starts, ends, pitches, velocities = (np.asarray(row, np.float64) for row in rows)
    if time == "seconds" and music is not None:
        starts, ends = music.tempo_map.seconds(starts), music.tempo_map.seconds(ends)
    low, high = pitches - 0.42, pitches + 0.42
    corners = np.stack([starts, low, starts, high, ends, high, ends, low], axis=1).reshape(-1, 4, 2)
    color = colors[index % len(colors)] if colors else color_of(index)
    shades = np.empty((len(starts), 4))
    shades[:, :3] = to_rgb(color)
    shades[:, 3] = 0.55 + 0.45 * np.clip(velocities, 0, 127) / 127 if alpha_by_velocity else 1.0
    # A white seam parts repeated notes; where notes are many and small it would be all there is to see.
    seam = 0.4 if len(starts) < 500 else 0.0
    axes.add_collection(PolyCollection(list(corners), facecolors=shades, edgecolors="white", linewidths=seam, zorder=3))
    return Patch(color=color, label=track.name or f"Track {index + 1}")


def _frame(axes: Axes, tracks: Sequence[Track], music: Music | None, time: TimeAxis) -> None:
    """Set limits, keys, bars and beats."""
    pitches = [track.notes.array["pitch"] for track in tracks if len(track.notes)]
    pitches += [np.array(chord.pitches) for track in tracks for chord in track.chords if chord.pitches]
    everything = np.concatenate(pitches) if pitches else np.array([48, 72])
    low, high = int(everything.min()) - 2, int(everything.max()) + 2
    end = max((track.get_end_time() for track in tracks), default=0)
    scale = music.tempo_map.seconds if music is not None and time == "seconds" else np.asarray
    axes.set_xlim(0, max(float(scale(end)), 1e-9) if end else 1)
    axes.set_ylim(low - 0.5, high + 0.5)
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#eef1f4", linewidth=0, zorder=0)
    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#9aa5b1")
    axes.set_xlabel({"bars": "Bar", "seconds": "Time (s)", "steps": "Time (steps)"}[time])
    if music is not None:
        _draw_bars(axes, music, time, end)


def _draw_bars(axes: Axes, music: Music, time: TimeAxis, end: int) -> None:
    bars = bar_times(music)
    beats = music.beats.array["time"] if len(music.beats) else beat_times(music.time_signatures, end, music.resolution)
    scale = music.tempo_map.seconds if time == "seconds" else np.asarray
    if 0 < len(beats) <= 64:
        axes.vlines(scale(beats), 0, 1, transform=axes.get_xaxis_transform(), color="#e3e7eb", linewidth=0.5, zorder=1)
    if len(bars):
        width = 0.9 if len(bars) <= 64 else 0.4
        shown = bars if len(bars) <= 256 else bars[:: len(bars) // 128]
        axes.vlines(
            scale(shown), 0, 1, transform=axes.get_xaxis_transform(), color="#c3cad2", linewidth=width, zorder=2
        )
    if time == "bars":
        every = next((n for n in (1, 2, 4, 5, 8, 10, 20, 40, 50, 100, 200) if len(bars) / n <= 16), 500)
        numbers = first_bar_number(music) + np.arange(len(bars))
        named = (numbers % every == 0) | (numbers == 1) if every > 1 else numbers >= 0
        axes.set_xticks(bars[named].tolist(), [str(number) for number in numbers[named]])


def _pyplot() -> Any:
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        message = f"plots need the package matplotlib: pip install 'muspy-core[render]' ({error})"
        raise ImportError(message, name="matplotlib") from None
