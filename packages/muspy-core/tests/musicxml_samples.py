"""Small scores written out as MusicXML, for the tests of reading and writing it."""

from __future__ import annotations

DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
FOUR_FOUR = "<time><beats>4</beats><beat-type>4</beat-type></time>"


def score(*parts: str, header: str = "", part_list: str | None = None, measures: str = "") -> bytes:
    """A part-wise score; each part is the XML of its measures. The part list is made up unless it is given."""
    if part_list is None:
        part_list = "".join(
            f'<score-part id="P{n}"><part-name>Part {n}</part-name></score-part>' for n in range(1, len(parts) + 1)
        )
    body = "".join(f'<part id="P{n}">{part}</part>' for n, part in enumerate(parts, 1))
    return (
        f'{DOCTYPE}<score-partwise version="4.0">{header}<part-list>{part_list}</part-list>{body}{measures}'
        "</score-partwise>"
    ).encode()


def measure(*elements: str, number: int | str = 1, divisions: int | str | None = None, attributes: str = "") -> str:
    """A measure; divisions and attributes go first."""
    divided = "" if divisions is None else f"<divisions>{divisions}</divisions>"
    first = f"<attributes>{divided}{attributes}</attributes>" if divided or attributes else ""
    return f'<measure number="{number}">{first}{"".join(elements)}</measure>'


def note(
    pitch: str,
    duration: int | str | None = 1,
    *,
    voice: int | None = 1,
    staff: int | None = None,
    before: str = "",
    ties: str = "",
    middle: str = "",
    after: str = "",
    attributes: str = "",
) -> str:
    """A note: "C4", "F#5", "Bb3", or "rest". `before` precedes the pitch (chord, grace, cue), `after` ends the note.

    ties: words of "start" and "stop".
    """
    shown = "<rest/>" if pitch == "rest" else pitch_element(pitch)
    lasts = "" if duration is None else f"<duration>{duration}</duration>"
    tied = "".join(f'<tie type="{kind}"/>' for kind in ties.split())
    spoken = "" if voice is None else f"<voice>{voice}</voice>"
    placed = "" if staff is None else f"<staff>{staff}</staff>"
    return f"<note{attributes}>{before}{shown}{lasts}{tied}{spoken}{middle}{placed}{after}</note>"


def pitch_element(name: str) -> str:
    """The <pitch> of a name such as "F#5"; "C~4" is a quarter tone above C4."""
    step, octave, signs = name[0], name[-1], name[1:-1]
    alter = {"": "", "~": "0.5"}.get(signs, str(signs.count("#") - signs.count("b")))
    altered = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{step}</step>{altered}<octave>{octave}</octave></pitch>"


def backup(duration: int) -> str:
    """Go back."""
    return f"<backup><duration>{duration}</duration></backup>"


def forward(duration: int) -> str:
    """Go forward."""
    return f"<forward><duration>{duration}</duration></forward>"


def direction(kind: str, *, sound: str = "", offset: str = "", staff: int | None = None) -> str:
    """A direction with one direction type."""
    shown = f"<direction-type>{kind}</direction-type>" if kind else ""
    shifted = f"<offset>{offset}</offset>" if offset else ""
    placed = "" if staff is None else f"<staff>{staff}</staff>"
    heard = f"<sound {sound}/>" if sound else ""
    return f"<direction>{shown}{shifted}{placed}{heard}</direction>"


def barline(location: str, inside: str) -> str:
    """A bar line."""
    return f'<barline location="{location}">{inside}</barline>'


def repeat(direction_: str, **attributes: str) -> str:
    """A repeat sign."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<repeat direction="{direction_}"{more}/>'


def ending(number: str, kind: str) -> str:
    """The start or end of a volta bracket."""
    return f'<ending number="{number}" type="{kind}"/>'


def lettered(*measures: tuple[str, str, str]) -> bytes:
    """A score with one note a measure: (pitch, XML before it, XML after it)."""
    return score(
        "".join(
            measure(before, note(pitch, 4), after, number=n, divisions=1 if n == 1 else None)
            for n, (pitch, before, after) in enumerate(measures, 1)
        )
    )


FORWARD = barline("left", repeat("forward"))
BACKWARD = barline("right", repeat("backward"))


def first_ending(number: str, kind: str = "start") -> str:
    """The start of an ending at the left bar line."""
    return barline("left", ending(number, kind))


def last_ending(number: str, *, goes_back: bool, kind: str = "stop") -> str:
    """The end of an ending at the right bar line, with or without a repeat sign."""
    return barline("right", ending(number, kind) + (repeat("backward") if goes_back else ""))


TWO_VOICES_TWO_STAVES = score(
    measure(
        note("C5", 4, voice=1, staff=1),
        note("E5", 4, voice=1, staff=1, before="<chord/>"),
        note("D5", 4, voice=1, staff=1),
        backup(8),
        forward(4),
        note("A4", 4, voice=2, staff=1),
        backup(8),
        note("C3", 8, voice=5, staff=2),
        divisions=4,
        attributes=(
            "<key><fifths>-3</fifths><mode>minor</mode></key><time><beats>2</beats><beat-type>4</beat-type></time>"
            '<staves>2</staves><clef number="1"><sign>G</sign><line>2</line></clef>'
            '<clef number="2"><sign>F</sign><line>4</line></clef>'
        ),
    )
)

TIMEWISE = (
    '<score-timewise version="4.0"><part-list><score-part id="P1"><part-name>One</part-name></score-part>'
    '<score-part id="P2"><part-name>Two</part-name></score-part></part-list>'
    '<measure number="1"><part id="P1"><attributes><divisions>1</divisions></attributes>'
    f'{note("C4", 4)}</part><part id="P2"><attributes><divisions>2</divisions></attributes>{note("E4", 8)}</part>'
    f'</measure><measure number="2"><part id="P1">{note("D4", 4)}</part><part id="P2">{note("F4", 8)}</part>'
    "</measure></score-timewise>"
).encode()

# What a repeat, signatures, harmony, tempo, dynamics and a wedge look like, in three measures.
FULL = lettered(
    (
        "C4",
        "<attributes><key><fifths>3</fifths></key></attributes><harmony><root><root-step>C</root-step></root></harmony>",
        "",
    ),
    ("D4", barline("left", '<ending number="1" type="start"/>'), barline("right", repeat("backward", times=2))),
    ("E4", direction("<metronome><beat-unit>half</beat-unit><per-minute>60</per-minute></metronome>"), ""),
    ("F4", direction("<dynamics><f/></dynamics>", offset="2"), direction('<wedge type="crescendo"/>')),
)
