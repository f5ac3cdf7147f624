"""Videos, sounds and images as data: what trainers of audio–visual models read (the extra `media`).

In the order of the flow: `files.py` opens and describes one file, `sound.py` and `frames.py` take sound and pictures
out of it, `manifest.py` lists many files, `scanning.py` makes such a list of a folder, `published.py` of MUSIC,
VGGSound and ESC-50, `embeddings.py` keeps on disk what networks made of them, `clip.py` asks CLIP's towers (the extra
`clip`). Times are in seconds from the beginning of a file; pictures are (height, width, 3) uint8, RGB; sound is
`Audio`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muspy_core.media.clip import ClipEncoder
    from muspy_core.media.embeddings import EmbeddingCache, content_hash, embedding_key
    from muspy_core.media.files import MediaInfo, probe
    from muspy_core.media.frames import Frame, evenly_spaced_frames, read_frames, read_picture, stream_frames
    from muspy_core.media.manifest import Manifest, MediaItem
    from muspy_core.media.published import esc50, music, vggsound, vggsound_clean
    from muspy_core.media.scanning import build_manifest, find_media
    from muspy_core.media.sound import extract_audio, read_audio, read_clip, stream_audio

_MODULES = {
    "clip": ("ClipEncoder",),
    "embeddings": ("EmbeddingCache", "content_hash", "embedding_key"),
    "files": ("MediaInfo", "probe"),
    "frames": ("Frame", "evenly_spaced_frames", "read_frames", "read_picture", "stream_frames"),
    "manifest": ("Manifest", "MediaItem"),
    "published": ("esc50", "music", "vggsound", "vggsound_clean"),
    "scanning": ("build_manifest", "find_media"),
    "sound": ("extract_audio", "read_audio", "read_clip", "stream_audio"),
}
_NAMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "ClipEncoder",
    "EmbeddingCache",
    "Frame",
    "Manifest",
    "MediaInfo",
    "MediaItem",
    "build_manifest",
    "content_hash",
    "embedding_key",
    "esc50",
    "evenly_spaced_frames",
    "extract_audio",
    "find_media",
    "music",
    "probe",
    "read_audio",
    "read_clip",
    "read_frames",
    "read_picture",
    "stream_audio",
    "stream_frames",
    "vggsound",
    "vggsound_clean",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
