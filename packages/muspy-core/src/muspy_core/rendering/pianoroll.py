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
Grid = Literal["beats", "bars", "none"]
Keys = Literal["octaves", "pitches", "none"]
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
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
    pitches: tuple[int, int] | None = None,
    span: tuple[float, float] | None = None,
    grid: Grid = "beats",
    keys: Keys = "octaves",
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
        pitches: Lowest and highest pitch shown; None: those that occur, and a little more.
        span: First and last time shown, in the unit of the axis (bars: their numbers); None: the whole.
        grid: Lines at "beats" (and bars), "bars", or "none".
        keys: Names at "octaves", at all "pitches", or "none".

    Returns the axes; `axes.figure.savefig("roll.pdf")` saves them. Raises RenderError for a value that cannot be.
    """
    tracks = [music] if isinstance(music, Track) else music.tracks
    whole = music if isinstance(music, Music) else None
    time = time or _natural_axis(whole)
    if time not in ("bars", "seconds", "steps"):
        raise RenderError(f'time must be "bars", "seconds" or "steps", got {time!r}')
    if whole is None and time != "steps":
        raise RenderError(f'a track alone knows no tempo and no bars: time must be "steps", got {time!r}')
    if grid not in ("beats", "bars", "none") or keys not in ("octaves", "pitches", "none"):
        raise RenderError(f'grid is "beats", "bars" or "none", keys are "octaves", "pitches" or "none": {grid}, {keys}')
    if pitches is not None and not 0 <= pitches[0] <= pitches[1] <= 127:
        raise RenderError(f"pitches are a lowest and a highest from 0 to 127, got {pitches}")
    if axes is None:
        axes = _pyplot().subplots(figsize=figsize, layout="constrained")[1]
    handles = [
        _draw_track(axes, index, track, whole, time, colors, alpha_by_velocity) for index, track in enumerate(tracks)
    ]
    _frame(axes, tracks, whole, time, pitches, grid, keys)
    if span is not None:
        _show_span(axes, whole, time, span)
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


def show_tracks(
    music: Music,
    *,
    time: TimeAxis | None = None,
    figsize: tuple[float, float] | None = None,
    **options: Any,
) -> list[Axes]:
    """Plot every track that has notes in a row of its own, over one time axis.

    figsize: inches; by default 10 wide and 1.6 high for each row. options: `colors`, `span`, `grid`, `keys`, `pitches`
    and `alpha_by_velocity` of `show_pianoroll`. Returns the axes from top to bottom. Raises RenderError without notes.
    """
    tracks = [(index, track) for index, track in enumerate(music.tracks) if len(track.notes) or len(track.chords)]
    if not tracks:
        raise RenderError("no track has a note to plot")
    size = figsize or (10.0, 1.6 * len(tracks) + 0.6)
    figure = _pyplot().figure(figsize=size, layout="constrained")
    rows: list[Axes] = figure.subplots(len(tracks), sharex=True, squeeze=False)[:, 0].tolist()
    colors = options.pop("colors", None)
    for axes, (index, track) in zip(rows, tracks, strict=True):
        alone = music.copy()
        alone.tracks = [track]
        color = colors[index % len(colors)] if colors else color_of(index)
        show_pianoroll(alone, axes=axes, time=time, colors=[color], legend=False, **options)
        axes.set_title(track.name or f"Track {index + 1}", loc="left", fontsize="small", pad=2)
        if axes is not rows[-1]:
            axes.set_xlabel("")
    if "span" not in options:
        rows[0].set_xlim(0, max(axes.get_xlim()[1] for axes in rows))
    return rows


def _show_span(axes: Axes, music: Music | None, time: TimeAxis, span: tuple[float, float]) -> None:
    first, last = (float(value) for value in span)
    if not first < last:
        raise RenderError(f"a span ends after it begins, got {span}")
    if time == "bars" and music is not None:
        # A bar is shown to its end, which is where the next begins.
        bars = np.append(bar_times(music), music.get_end_time())
        start = first_bar_number(music)
        if not 0 <= first - start <= last - start < len(bars) - 1:
            raise RenderError(f"there are no bars {span}; they are {start} to {start + len(bars) - 2}")
        first, last = float(bars[int(first) - start]), float(bars[int(last) - start + 1])
    axes.set_xlim(first, last)


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


def _frame(
    axes: Axes,
    tracks: Sequence[Track],
    music: Music | None,
    time: TimeAxis,
    shown: tuple[int, int] | None,
    grid: Grid,
    keys: Keys,
) -> None:
    """Set limits, keys, bars and beats."""
    pitches = [track.notes.array["pitch"] for track in tracks if len(track.notes)]
    pitches += [np.array(chord.pitches) for track in tracks for chord in track.chords if chord.pitches]
    everything = np.concatenate(pitches) if pitches else np.array([48, 72])
    low, high = shown if shown is not None else (int(everything.min()) - 2, int(everything.max()) + 2)
    end = max((track.get_end_time() for track in tracks), default=0)
    scale = music.tempo_map.seconds if music is not None and time == "seconds" else np.asarray
    axes.set_xlim(0, max(float(scale(end)), 1e-9) if end else 1)
    axes.set_ylim(low - 0.5, high + 0.5)
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#eef1f4", linewidth=0, zorder=0)
    every = {"octaves": 12, "pitches": 1}.get(keys)
    named = [pitch for pitch in range(low, high + 1) if every is not None and pitch % every == 0]
    axes.set_yticks(named, [f"{_NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in named])
    axes.tick_params(length=0)
    if keys == "pitches":
        axes.tick_params(axis="y", labelsize=min(10.0, 180 / max(len(named), 1)))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#9aa5b1")
    axes.set_xlabel({"bars": "Bar", "seconds": "Time (s)", "steps": "Time (steps)"}[time])
    if music is not None:
        _draw_bars(axes, music, time, end, grid)


def _draw_bars(axes: Axes, music: Music, time: TimeAxis, end: int, grid: Grid) -> None:
    bars = bar_times(music)
    beats = music.beats.array["time"] if len(music.beats) else beat_times(music.time_signatures, end, music.resolution)
    scale = music.tempo_map.seconds if time == "seconds" else np.asarray
    if grid == "beats" and 0 < len(beats) <= 64:
        axes.vlines(scale(beats), 0, 1, transform=axes.get_xaxis_transform(), color="#e3e7eb", linewidth=0.5, zorder=1)
    if grid != "none" and len(bars):
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
    """Return matplotlib's pyplot, or say which extra brings it."""
    try:
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as error:
        message = f"plots need the package matplotlib: pip install 'muspy-core[render]' ({error})"
        raise ImportError(message, name="matplotlib") from None
