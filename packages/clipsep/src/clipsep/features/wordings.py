"""Labels → the texts that stand for them: prompts of Table 6.4, and other names of instruments (no network needed)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from muspy_core.errors import MuspyError

# Table 6.4; each ends with a full stop, as in training.
TEMPLATES = (
    "a photo of {}.",
    "a photo of the small {}.",
    "a low resolution photo of a {}.",
    "a photo of many {}.",
)
# What CLIPSep-Text is trained with: no ensemble.
TRAINING_TEMPLATES = ("a photo of {}.",)

ALIASES = {
    "fiddle": "violin",
    "violins": "violin",
    "violoncello": "cello",
    "contrabass": "double bass",
    "upright bass": "double bass",
    "string bass": "double bass",
    "bass": "double bass",
    "transverse flute": "flute",
    "hautbois": "oboe",
    "clarinette": "clarinet",
    "cornet": "trumpet",
    "piano": "piano",
    "grand piano": "piano",
    "pianoforte": "piano",
    "keyboard": "piano",
    "guitar": "acoustic guitar",
    "classical guitar": "acoustic guitar",
    "nylon guitar": "acoustic guitar",
    "spanish guitar": "acoustic guitar",
    "concert harp": "harp",
    "xylophone": "marimba",
    "sax": "saxophone",
    "saxophone": "alto saxophone",
    "alto sax": "alto saxophone",
    "fagotto": "bassoon",
    "horn": "french horn",
}


class QueryError(MuspyError):
    """A query that cannot be used: the message says why, and what can be asked."""


def plain(label: str) -> str:
    """Return a label as it stands in prompts: lower case, spaces for underscores."""
    return " ".join(label.replace("_", " ").split()).lower()


def prompts(label: str, templates: Sequence[str] = TEMPLATES) -> list[str]:
    """Return the prompts of a label or a description."""
    return [template.format(" ".join(label.replace("_", " ").split())) for template in templates]


def is_label(text: str, labels: Sequence[str]) -> bool:
    """Return whether a text is a label or an alias of one."""
    try:
        return bool(find_label(text, labels))
    except QueryError:
        return False


def find_label(text: str, labels: Sequence[str]) -> str:
    """Return the label that a text means: itself or an alias. Raises QueryError, which lists the labels, if none."""
    wanted = plain(text)
    by_name = {plain(label): label for label in labels}
    for candidate in (
        wanted,
        ALIASES.get(wanted, ""),
        wanted.removeprefix("a ").removeprefix("an ").removeprefix("the "),
    ):
        if candidate in by_name:
            return by_name[candidate]
    near = difflib.get_close_matches(wanted, [*by_name, *(a for a, name in ALIASES.items() if name in by_name)], n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise QueryError(f"this model does not know {text[:60]!r}; {hint}it knows {', '.join(sorted(by_name.values()))}")
