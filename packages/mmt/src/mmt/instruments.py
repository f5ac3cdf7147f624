"""The 64 instruments of the Multitrack Music Transformer: MIDI programs → instrument codes and back (§3.3.1).

Programs that sound alike share an instrument; sound effects and synthetic pads that no orchestra knows have none.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import numpy as np
from muspy_core.errors import MuspyError

# Instrument → programs, in the order of the codes 1 to 64; the first program is the one that is written.
INSTRUMENTS: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 2, 3),
    "electric-piano": (4, 5),
    "harpsichord": (6,),
    "clavinet": (7,),
    "celesta": (8,),
    "glockenspiel": (9,),
    "music-box": (10,),
    "vibraphone": (11,),
    "marimba": (12,),
    "xylophone": (13,),
    "tubular-bells": (14,),
    "dulcimer": (15,),
    "organ": (16, 17, 18, 20),
    "church-organ": (19,),
    "accordion": (21,),
    "harmonica": (22,),
    "bandoneon": (23,),
    "nylon-string-guitar": (24,),
    "steel-string-guitar": (25,),
    "electric-guitar": (26, 27, 28, 29, 30, 31),
    "bass": (32,),
    "electric-bass": (33, 34, 35),
    "slap-bass": (36, 37),
    "synth-bass": (38, 39),
    "violin": (40, 110),
    "viola": (41,),
    "cello": (42,),
    "contrabass": (43,),
    "harp": (46,),
    "timpani": (47,),
    "strings": (49, 44, 45, 48),
    "synth-strings": (50, 51),
    "voices": (52, 53, 54),
    "orchestra-hit": (55,),
    "trumpet": (56, 59),
    "trombone": (57,),
    "tuba": (58,),
    "horn": (60,),
    "brasses": (61,),
    "synth-brasses": (62, 63),
    "soprano-saxophone": (64,),
    "alto-saxophone": (65,),
    "tenor-saxophone": (66,),
    "baritone-saxophone": (67,),
    "oboe": (68,),
    "english-horn": (69,),
    "bassoon": (70,),
    "clarinet": (71,),
    "piccolo": (72,),
    "flute": (73,),
    "recorder": (74,),
    "pan-flute": (75,),
    "ocarina": (79,),
    "lead": (80, 81, 82, 83, 84, 85, 86, 87),
    "pad": (88, 89, 90, 91, 92, 93, 94, 95),
    "sitar": (104,),
    "banjo": (105,),
    "shamisen": (106,),
    "koto": (107,),
    "kalimba": (108,),
    "bag-pipe": (109,),
    "shehnai": (111,),
    "melodic-tom": (117,),
    "synth-drums": (118, 119),
}
NAMES = tuple(INSTRUMENTS)

# (128,): the instrument code of each program, 0 where it has none.
CODE_OF_PROGRAM = np.zeros(128, np.int64)
# (65,): the program that stands for each instrument code; -1 for code 0.
PROGRAM_OF_CODE = np.full(len(NAMES) + 1, -1, np.int64)
for _code, _programs in enumerate(INSTRUMENTS.values(), start=1):
    CODE_OF_PROGRAM[list(_programs)] = _code
    PROGRAM_OF_CODE[_code] = _programs[0]
CODE_OF_PROGRAM.flags.writeable = False
PROGRAM_OF_CODE.flags.writeable = False


class InstrumentError(MuspyError):
    """An instrument that the model does not know."""


def codes_of_names(names: Iterable[str]) -> list[int]:
    """Return the codes of instrument names, ascending and each once; case, spaces and hyphens do not matter.

    Raises InstrumentError with the nearest names for one that does not exist.
    """
    return sorted({_code_of_name(name) for name in names})


def _code_of_name(name: str) -> int:
    wanted = "-".join(name.strip().lower().replace("_", " ").replace("-", " ").split())
    if wanted in NAMES:
        return NAMES.index(wanted) + 1
    near = difflib.get_close_matches(wanted, NAMES, n=3, cutoff=0.5) or [n for n in NAMES if wanted and wanted in n]
    hint = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(NAMES)}"
    raise InstrumentError(f"no instrument {name!r}; {hint}")
