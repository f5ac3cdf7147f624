"""Prompts → songs: generation event by event with a cache, in batches of unequal prompts, or as a stream (§3.3.2).

Modes are prompts: `unconditioned` (start of song), `instrument_informed` (instruments too), `continuation` (the
beginning of a song). Codes are those of `encoding`, (L, 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from muspy_core import Music
from numpy.typing import NDArray
from torch import Tensor

from mmt.encoding import END_OF_SONG, INSTRUMENT, NOTE, START_OF_NOTES, TYPE, Codes, header_codes
from mmt.grammar import Bans, Grammar, PublishedRules, Rules
from mmt.instruments import codes_of_names
from mmt.model import MMT
from mmt.notes import EncodingError
from mmt.sampling import FORBIDDEN, Sampling, draw_codes

RulesName = Literal["grammar", "published"]


@dataclass(frozen=True)
class Options:
    """How songs are generated.

    length: events that are added to a prompt at most, an end of song among them. sampling: how codes are drawn. rules:
    `grammar`, or the paper's (`published`). bans: what the user rules out (with `grammar`). seed: song i of a call is
    drawn from seed + i, whatever is beside it.
    """

    length: int = 1024
    sampling: Sampling = field(default_factory=Sampling)
    rules: RulesName = "grammar"
    bans: Bans = field(default_factory=Bans)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length={self.length} must be at least 1")
        if self.rules not in get_args(RulesName):
            raise ValueError(f"rules={self.rules!r}: choose one of {', '.join(get_args(RulesName))}")


# --- prompts ---------------------------------------------------------------------------------------------------------


def unconditioned(fields: int = 6) -> Codes:
    """Return the prompt of a song about which nothing is said, (1, fields)."""
    return np.zeros((1, fields), np.int64)


def instrument_informed(names: Iterable[str]) -> Codes:
    """Return the prompt of a song for these instruments, (k + 2, 6). Raises InstrumentError for an unknown one."""
    codes = codes_of_names(names)
    if not codes:
        raise EncodingError("no instrument is named")
    return header_codes(codes)


def continuation(codes: Codes, beats: int) -> Codes:
    """Return the part of a song before a beat, with all its instruments. Raises EncodingError if no note is there.

    codes: (L, 6). beats: how many of the song are kept.
    """
    notes = codes[codes[:, TYPE] == NOTE]
    kept = notes[notes[:, 1] <= beats]
    if not len(kept):
        raise nothing_before(beats, int(notes[0, 1]) - 1 if len(notes) else None)
    header = codes[: np.argmax(codes[:, TYPE] == START_OF_NOTES) + 1]
    return np.concatenate([header, kept])


def nothing_before(beats: int, first: int | None) -> EncodingError:
    """Return the error of a song whose first note (None: it has none) is not before a beat."""
    there = "the song has no note" if first is None else f"the first note is at beat {first}"
    return EncodingError(f"there is nothing to continue before beat {beats}: {there}")


# --- generation ------------------------------------------------------------------------------------------------------


def generate(model: MMT, prompts: Sequence[Codes], options: Options | None = None) -> list[Codes]:
    """Continue each prompt to a whole song.

    prompts: codes (L, F) each, of any lengths. Returns codes of whole songs, prompts included, that end with an end of
    song. Raises EncodingError for a prompt that is empty or has unknown codes.
    """
    options = options or Options()
    songs: list[list[Codes]] = [[_checked(prompt, model.config.sizes)] for prompt in prompts]
    for events in _events(model, [song[0] for song in songs], options):
        for song, event in zip(songs, events, strict=True):
            if song[-1][-1, TYPE] != END_OF_SONG:
                song.append(event[None])
    return [_ended(np.concatenate(song)) for song in songs]


def music_of_codes(codes: Codes) -> Music:
    """Return a song as music; codes: (L, 6), or (L, 9) of whole music."""
    from mmt.formats import format_of_codes

    form = format_of_codes(codes)
    return form.music_of(form.decode(codes))


def stream(model: MMT, prompt: Codes, options: Options | None = None) -> Iterator[Codes]:
    """Continue one prompt, and give each event, (F,), as soon as it is drawn; the last is an end of song.

    Raises EncodingError for a prompt that is empty or has unknown codes.
    """
    event = prompt[-1]
    for events in _events(model, [_checked(prompt, model.config.sizes)], options or Options()):
        event = events[0]
        yield event
    if event[TYPE] != END_OF_SONG:
        yield _end(len(event))


def _checked(prompt: Codes, sizes: tuple[int, ...]) -> Codes:
    prompt = np.asarray(prompt)
    if prompt.ndim != 2 or prompt.shape[1] != len(sizes) or not len(prompt):
        raise EncodingError(f"a prompt is codes (L, {len(sizes)}) with at least one event, got {prompt.shape}")
    if (prompt < 0).any() or (prompt >= np.array(sizes)).any():
        raise EncodingError(f"a prompt has codes that the model does not know; the fields have {sizes} codes")
    return prompt.astype(np.int64)


def _ended(codes: Codes) -> Codes:
    if codes[-1, TYPE] == END_OF_SONG:
        return codes
    return np.concatenate([codes, _end(codes.shape[1])[None]])


def _end(fields: int) -> Codes:
    """An end of song, (fields,)."""
    end: Codes = np.eye(1, fields, TYPE, dtype=np.int64)[0] * END_OF_SONG
    return end


@torch.inference_mode()
def _events(model: MMT, prompts: Sequence[Codes], options: Options) -> Iterator[Codes]:
    """Give the next event of every song, (B, F), until all have ended or the length is reached."""
    generators = [torch.Generator().manual_seed(options.seed + index) for index in range(len(prompts))]
    state = _State(model, prompts, options)
    for _ in range(options.length):
        events = _draw_events(model, state.hidden, state.rules, options.sampling, generators)
        events[state.ended] = _end(events.shape[1])
        yield events
        state.ended |= events[:, TYPE] == END_OF_SONG
        if state.ended.all():
            return
        state.read(events)


class _State:
    """What songs were so far: the model's cache, the rules' memory, and the codes, to read again into a full cache.

    codes: (B, the longest that songs can get, F). counts: (B,), the events of each.
    """

    def __init__(self, model: MMT, prompts: Sequence[Codes], options: Options) -> None:
        self.model = model
        sizes, songs = model.config.sizes, len(prompts)
        self.counts = np.array([len(prompt) for prompt in prompts])
        self.codes = np.zeros((songs, self.counts.max() + options.length, len(sizes)), np.int64)
        for codes, prompt in zip(self.codes, prompts, strict=True):
            codes[: len(prompt)] = prompt
        self.ended = np.array([prompt[-1, TYPE] == END_OF_SONG for prompt in prompts])
        self.rules: Rules = (
            Grammar(sizes, songs, options.bans) if options.rules == "grammar" else PublishedRules(sizes, songs)
        )
        self._teach_rules()
        self._read_again()

    def read(self, events: Codes) -> None:
        """Go on to the next event."""
        self.rules.read(events)
        self.codes[np.arange(len(events)), self.counts] = events
        self.counts += 1
        if self.cache.longest == self.cache.capacity:
            self._read_again()
        else:
            self.hidden = self.model.extend(self._on_device(events[:, None]), self.cache)

    def _teach_rules(self) -> None:
        """Let the rules read the prompts; before short ones stand starts of song, which say nothing."""
        longest = self.counts.max()
        for step in range(longest):
            place = step - longest + self.counts
            events = self.codes[np.arange(len(place)), np.maximum(place, 0)]
            events[place < 0] = 0
            self.rules.read(events)

    def _read_again(self) -> None:
        """Fill the cache anew: with everything if it leaves room, else with the instruments and the last events."""
        half = self.model.config.max_length // 2
        parts = [
            codes[:count] if count <= half * 3 // 2 else _recent(codes[:count], half)
            for codes, count in zip(self.codes, self.counts.tolist(), strict=True)
        ]
        counts = torch.tensor([len(part) for part in parts])
        self.cache = self.model.new_cache(len(parts))
        codes = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(part) for part in parts], batch_first=True)
        device = self.model.norm.weight.device
        self.hidden = self.model.extend(codes.to(device), self.cache, counts.to(device))

    def _on_device(self, codes: Codes) -> Tensor:
        return torch.from_numpy(codes).to(self.model.norm.weight.device)


def _recent(song: Codes, count: int) -> Codes:
    """Return what stands before the first note and as many of the last events as make `count` together."""
    notes = np.flatnonzero(song[:, TYPE] == NOTE)
    header = song[: notes[0] if len(notes) else len(song)][: count // 2]
    return np.concatenate([header, song[len(song) - count + len(header) :]])


def _draw_events(
    model: MMT, hidden: Tensor, rules: Rules, sampling: Sampling, generators: list[torch.Generator]
) -> Codes:
    """Draw the fields of an event one after the other, (B, F); hidden: (B, D)."""
    heads = model.heads
    state = heads.start(hidden)
    events = np.zeros((len(hidden), len(model.config.sizes)), np.int64)
    last = events.shape[1] - 1
    for column in range(events.shape[1]):
        # Only songs that need a code here are drawn, so that none depends on those beside it.
        needed = _needed(column, events[:, TYPE])
        if needed.any():
            logits = heads.field(state, column).float().cpu().numpy()
            logits = np.where(rules.allowed(column, events), logits, FORBIDDEN)
            rows = np.flatnonzero(needed)
            events[rows, column] = draw_codes(logits[rows], sampling, column, [generators[row] for row in rows])
        if column < last:
            state = heads.given(state, column, events[:, column])
    events[rules.past_end(events)] = _end(events.shape[1])
    return events


def _needed(column: int, kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which songs have a code in a column, (B,), by the types of their events."""
    if column == TYPE:
        return np.ones_like(kinds, bool)
    needed: NDArray[np.bool_] = kinds == NOTE
    return needed | (kinds == INSTRUMENT) if column == 5 else needed
