"""Representations as objects: options set once, then `encode` and `decode` (MusPy's processors)."""

from __future__ import annotations

import dataclasses
from typing import Any

from numpy.typing import DTypeLike, NDArray

from muspy_core.events import DEFAULT_VELOCITY
from muspy_core.music import Music
from muspy_core.representations.event import from_event_representation, to_event_representation
from muspy_core.representations.note import from_note_representation, to_note_representation
from muspy_core.representations.pianoroll import from_pianoroll_representation, to_pianoroll_representation
from muspy_core.representations.pitch import from_pitch_representation, to_pitch_representation


@dataclasses.dataclass
class NoteRepresentationProcessor:
    """Rows of notes; see `to_note_representation` and `from_note_representation` for the options."""

    use_start_end: bool = False
    encode_velocity: bool = True
    dtype: DTypeLike = int
    default_velocity: int = DEFAULT_VELOCITY

    def encode(self, music: Music) -> NDArray[Any]:
        """Encode music, (N, 4) or (N, 3); see `to_note_representation`."""
        return to_note_representation(music, self.use_start_end, self.encode_velocity, self.dtype)

    def decode(self, array: NDArray[Any]) -> Music:
        """Decode an array; see `from_note_representation`."""
        return from_note_representation(
            array,
            use_start_end=self.use_start_end,
            encode_velocity=self.encode_velocity,
            default_velocity=self.default_velocity,
        )


@dataclasses.dataclass
class EventRepresentationProcessor:
    """Event codes; see `to_event_representation` and `from_event_representation` for the options."""

    use_single_note_off_event: bool = False
    use_end_of_sequence_event: bool = False
    encode_velocity: bool = False
    force_velocity_event: bool = True
    max_time_shift: int = 100
    velocity_bins: int = 32
    default_velocity: int = DEFAULT_VELOCITY

    def encode(self, music: Music) -> NDArray[Any]:
        """Encode music, (M, 1); see `to_event_representation`."""
        return to_event_representation(
            music,
            self.use_single_note_off_event,
            self.use_end_of_sequence_event,
            self.encode_velocity,
            self.force_velocity_event,
            self.max_time_shift,
            self.velocity_bins,
        )

    def decode(self, array: NDArray[Any]) -> Music:
        """Decode an array; see `from_event_representation`."""
        return from_event_representation(
            array,
            use_single_note_off_event=self.use_single_note_off_event,
            use_end_of_sequence_event=self.use_end_of_sequence_event,
            max_time_shift=self.max_time_shift,
            velocity_bins=self.velocity_bins,
            default_velocity=self.default_velocity,
        )


@dataclasses.dataclass
class PitchRepresentationProcessor:
    """A pitch a time step; see `to_pitch_representation` and `from_pitch_representation` for the options."""

    use_hold_state: bool = False
    default_velocity: int = DEFAULT_VELOCITY

    def encode(self, music: Music) -> NDArray[Any]:
        """Encode music, (T, 1); see `to_pitch_representation`."""
        return to_pitch_representation(music, self.use_hold_state)

    def decode(self, array: NDArray[Any]) -> Music:
        """Decode an array; see `from_pitch_representation`."""
        return from_pitch_representation(
            array, use_hold_state=self.use_hold_state, default_velocity=self.default_velocity
        )


@dataclasses.dataclass
class PianoRollRepresentationProcessor:
    """A piano roll; see `to_pianoroll_representation` and `from_pianoroll_representation` for the options."""

    encode_velocity: bool = True
    default_velocity: int = DEFAULT_VELOCITY

    def encode(self, music: Music) -> NDArray[Any]:
        """Encode music, (T + 1, 128); see `to_pianoroll_representation`."""
        return to_pianoroll_representation(music, self.encode_velocity)

    def decode(self, array: NDArray[Any]) -> Music:
        """Decode an array; see `from_pianoroll_representation`."""
        return from_pianoroll_representation(
            array, encode_velocity=self.encode_velocity, default_velocity=self.default_velocity
        )
