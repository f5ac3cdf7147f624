"""Texts for each label: with its name by templates, and without it by descriptions; some are kept for tests."""

from __future__ import annotations

TEMPLATES = (
    ("the sound of a {}", "train"),
    ("someone plays the {}", "train"),
    ("a short {} phrase", "train"),
    ("{} music", "train"),
    ("a recording of a {}", "train"),
    ("{} solo", "train"),
    ("I want to hear a {}", "test"),
    ("a few notes on the {}", "test"),
)

# Label → descriptions without its name; the last one of each is for tests.
DESCRIPTIONS = {
    "violin": (
        "a fiddle tune",
        "a small bowed string instrument held under the chin",
        "high bowed strings",
        "the fiddler plays a tune",
    ),
    "cello": (
        "a bowed string instrument held between the knees",
        "deep warm bowed strings",
        "a baritone of the string quartet",
        "low bowed strings played sitting down",
    ),
    "double bass": (
        "the lowest bowed string instrument",
        "a contrabass line",
        "an upright bass, bowed",
        "very deep bowed strings",
    ),
    "flute": (
        "a silvery woodwind blown across a hole",
        "a high breathy wind instrument",
        "a piccolo's larger sister",
        "an airy woodwind melody",
    ),
    "clarinet": (
        "a single-reed woodwind",
        "a dark hollow woodwind tone",
        "a licorice stick",
        "a black woodwind with one reed",
    ),
    "oboe": (
        "a high double-reed woodwind",
        "the nasal reed that tunes the orchestra",
        "a hautboy melody",
        "a plaintive double reed",
    ),
    "bassoon": (
        "a low double-reed woodwind",
        "a deep reedy comical woodwind",
        "a fagotto line",
        "the grandfather in Peter and the Wolf",
    ),
    "trumpet": (
        "a bright brass fanfare",
        "a high brass instrument with three valves",
        "a bugle call",
        "brilliant high brass",
    ),
    "trombone": (
        "a brass instrument with a slide",
        "low brass with a sliding tube",
        "a sackbut line",
        "brass that can glide between notes",
    ),
    "saxophone": (
        "a jazzy reed instrument made of brass",
        "an alto sax line",
        "smoky reed melody of a jazz club",
        "a sax melody",
    ),
    "piano": (
        "a keyboard with hammered strings",
        "a grand with black and white keys",
        "ivories under ten fingers",
        "a pianist at the keyboard",
    ),
    "acoustic guitar": (
        "plucked nylon strings",
        "a six-string instrument plucked by fingers",
        "a classical six-string",
        "fingerpicked strings by a campfire",
    ),
    "harp": (
        "a large frame of plucked strings played by angels",
        "glissandi on many plucked strings",
        "like a lyre",
        "heavenly plucked strings",
    ),
    "xylophone": (
        "wooden bars struck with mallets",
        "a marimba-like wooden percussion",
        "dry knocks on tuned wood",
        "skeletons dancing on tuned wooden bars",
    ),
    "church organ": (
        "pipes in a cathedral",
        "a pipe instrument played with hands and feet",
        "sacred music on pipes",
        "great pipes filling a nave",
    ),
    "drums": (
        "a rhythm on snare and bass",
        "percussion kit with cymbals",
        "a groove with hi-hat and kick",
        "a beat played with sticks",
    ),
}


def _of(label: str) -> tuple[tuple[str, str], ...]:
    named = [(template.format(label), split) for template, split in TEMPLATES]
    *train, test = DESCRIPTIONS[label]
    return (*named, *((text, "train") for text in train), (test, "test"))


WORDINGS: dict[str, tuple[tuple[str, str], ...]] = {label: _of(label) for label in DESCRIPTIONS}

# Other names of labels, for those who have no text encoder.
ALIASES: dict[str, tuple[str, ...]] = {
    "violin": ("fiddle", "violins"),
    "cello": ("violoncello", "cellos"),
    "double bass": ("contrabass", "upright bass", "bass"),
    "flute": ("transverse flute",),
    "clarinet": ("clarinette",),
    "oboe": ("hautboy",),
    "bassoon": ("fagott", "fagotto"),
    "trumpet": ("trumpets",),
    "trombone": ("trombones",),
    "saxophone": ("sax", "alto sax", "alto saxophone"),
    "piano": ("grand piano", "pianoforte"),
    "acoustic guitar": ("guitar", "classical guitar", "nylon guitar"),
    "harp": ("harps",),
    "xylophone": ("xylophones",),
    "church organ": ("organ", "pipe organ"),
    "drums": ("drum", "drum kit", "drum set", "percussion"),
}
