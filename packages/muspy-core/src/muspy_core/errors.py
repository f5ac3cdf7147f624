"""What can go wrong with content: one class for each kind of file or task.

Everything here derives from `ValueError`, so that code which catches `ValueError` keeps working; files that cannot be
opened raise the usual `OSError`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class MuspyError(ValueError):
    """Content that cannot be used; the message names the file, the value and what to do."""


class ABCError(MuspyError):
    """Bad ABC notation."""


class ArrowError(MuspyError):
    """An Arrow file that does not hold music, or music that does not fit its columns."""


class AudioError(MuspyError):
    """An audio file or buffer that cannot be used."""


class CacheError(MuspyError):
    """A cache of embeddings that is damaged, or was made by another model or preprocessing."""


class ClipError(MuspyError):
    """A CLIP model or its weights that cannot be used, or a query that it cannot read."""


class JSONError(MuspyError):
    """A JSON file that does not hold music."""


class KernError(MuspyError):
    """A bad Humdrum kern file."""


class MEIError(MuspyError):
    """A bad MEI file."""


class MediaError(MuspyError):
    """A video, sound or image that cannot be used, or a manifest or list of them that does not hold what it should."""


class MIDIError(MuspyError):
    """A bad MIDI file, or music that MIDI cannot hold."""


class MuseScoreError(MuspyError):
    """A bad MuseScore file."""


class MusicXMLError(MuspyError):
    """A bad MusicXML file, or music that MusicXML cannot hold."""


class PipeError(MuspyError):
    """A `-` in the place of a file, where no pipe can be read or written."""


class RenderError(MuspyError):
    """Music that cannot be rendered, or a renderer or SoundFont that cannot be used."""


class RepresentationError(MuspyError):
    """An array that no music has as its representation, or music that a representation cannot hold."""


class NoNotesError(RepresentationError, RuntimeError):
    """Music without a note where at least one is needed; a `RuntimeError` too, as MusPy raises."""


class YAMLError(MuspyError):
    """A YAML file that does not hold music."""


def install_hint(package: str, extra: str) -> str:
    """Return the command that installs an extra of a package of ours: "pip install 'muspy-mmt[train]'".

    package: its import name.
    """
    return f"pip install '{distribution_of(package)}[{extra}]'"


def distribution_of(package: str) -> str:
    """Return the name on the index of a package of ours: "muspy-mmt" for mmt, since `mmt` is another project there."""
    from importlib import metadata

    # The metadata of a distribution name its console script, and that names the import package.
    scripts = metadata.entry_points(group="console_scripts")
    named = {script.dist.name for script in scripts if script.value.startswith(f"{package}.") and script.dist}
    return max(named, default=package)


@contextlib.contextmanager
def needed(package: str, extra: str, what: str) -> Iterator[None]:
    """Turn a module that is missing inside the block into an ImportError that says what to install.

    package: its import name. what: the work that needs the extra, such as "training".
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(f"{what} needs {error.name}; install the extra: {install_hint(package, extra)}") from error
