"""Small MuseScore files of versions 2, 3 and 4 written out as text, for the tests of reading them."""

from __future__ import annotations

import io
import zipfile

PIANO = '<Instrument><trackName>Piano</trackName><Channel><program value="0"/></Channel></Instrument>'
FOUR_FOUR = "<TimeSig><sigN>4</sigN><sigD>4</sigD></TimeSig>"


def score(*staves: str, version: str = "3.02", parts: str | None = None, head: str = "", division: int = 480) -> bytes:
    """A score; each staff is the XML of its measures. Each is a part of its own unless `parts` says otherwise."""
    if parts is None:
        parts = "".join(part(f"Part {number}", number) for number in range(1, len(staves) + 1))
    body = "".join(f'<Staff id="{number}">{staff}</Staff>' for number, staff in enumerate(staves, 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<museScore version="{version}"><programVersion>x</programVersion>'
        f"<Score><Division>{division}</Division>{head}{parts}{body}</Score></museScore>"
    ).encode()


def part(name: str, *staves: int, instrument: str = PIANO) -> str:
    """A part with staves of these ids."""
    heads = "".join(f'<Staff id="{number}"></Staff>' for number in staves)
    return f"<Part>{heads}<trackName>{name}</trackName>{instrument}</Part>"


def measure(*voices: str, before: str = "", length: str = "") -> str:
    """A measure of version 3 or 4."""
    stated = f' len="{length}"' if length else ""
    return f"<Measure{stated}>{before}{''.join(f'<voice>{voice}</voice>' for voice in voices)}</Measure>"


def chord(*pitches: int | str, value: str = "quarter", inside: str = "") -> str:
    """A chord of MIDI pitches, or of whole <Note> elements."""
    notes = "".join(pitch if isinstance(pitch, str) else note(pitch) for pitch in pitches)
    return f"<Chord>{inside}<durationType>{value}</durationType>{notes}</Chord>"


def note(pitch: int, inside: str = "", tpc: int | None = None, written: int | None = None) -> str:
    """A note. inside: before the pitch, where ties stand. tpc, written: its place on the line of fifths, C = 14."""
    spelled = "" if tpc is None else f"<tpc>{tpc}</tpc>"
    spelled += "" if written is None else f"<tpc2>{written}</tpc2>"
    return f"<Note>{inside}<pitch>{pitch}</pitch>{spelled}</Note>"


def rest(value: str = "quarter") -> str:
    """A rest."""
    return f"<Rest><durationType>{value}</durationType></Rest>"


def spanner(kind: str, content: str = "", *, measures: int = 0, fractions: str = "") -> str:
    """The start of a line of version 3 or 4, with the distance to its end."""
    moved = (f"<measures>{measures}</measures>" if measures else "") + (
        f"<fractions>{fractions}</fractions>" if fractions else ""
    )
    return f'<Spanner type="{kind}"><{kind}>{content}</{kind}><next><location>{moved}</location></next></Spanner>'


def spanner_end(kind: str) -> str:
    """The end of a line of version 3 or 4."""
    return f'<Spanner type="{kind}"><prev><location><fractions>-1/4</fractions></location></prev></Spanner>'


def tuplet(actual: int, normal: int, *elements: str) -> str:
    """A tuplet of version 3 or 4."""
    return (
        f"<Tuplet><normalNotes>{normal}</normalNotes><actualNotes>{actual}</actualNotes></Tuplet>"
        f"{''.join(elements)}<endTuplet/>"
    )


def mscz(document: bytes, name: str = "score.mscx", container: bool = True) -> bytes:
    """A compressed file as version 4 writes it: style and picture beside the score."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score_style.mss", '<museScore version="4.20"><Style></Style></museScore>')
        archive.writestr(name, document)
        archive.writestr("Excerpts/1_Voice/1_Voice.mscx", document)
        if container:
            files = "".join(f'<rootfile full-path="{path}"/>' for path in ("score_style.mss", name))
            archive.writestr("META-INF/container.xml", f"<container><rootfiles>{files}</rootfiles></container>")
    return stream.getvalue()


# A whole file as MuseScore 2 writes it: numbers join what belongs together, <tick> moves to a time, <track> is a voice.
VERSION_2 = f"""<?xml version="1.0" encoding="UTF-8"?>
<museScore version="2.06">
  <programVersion>2.3.2</programVersion>
  <Score>
    <Division>480</Division>
    <metaTag name="composer">Anon.</metaTag>
    <metaTag name="workTitle">Old file</metaTag>
    <Part>
      <Staff id="1"><StaffType group="pitched"></StaffType></Staff>
      <trackName>Clarinet</trackName>
      <Instrument>
        <longName>Clarinet in B</longName><shortName>Cl.</shortName><trackName>Clarinet</trackName>
        <transposeDiatonic>-1</transposeDiatonic><transposeChromatic>-2</transposeChromatic>
        <Channel><program value="71"/></Channel>
      </Instrument>
    </Part>
    <Staff id="1">
      <Measure number="1" len="1/4">
        <Clef><concertClefType>G</concertClefType><transposingClefType>G</transposingClefType></Clef>
        <KeySig><accidental>2</accidental></KeySig>
        <TimeSig><sigN>3</sigN><sigD>4</sigD></TimeSig>
        <irregular>1</irregular>
        <Tempo><tempo>1.5</tempo><text>Andante</text></Tempo>
        <Dynamic><subtype>p</subtype></Dynamic>
        <Chord><durationType>quarter</durationType>
          <Lyrics><syllabic>begin</syllabic><text>A</text></Lyrics>
          {note(67, tpc=15, written=17)}</Chord>
      </Measure>
      <Measure number="2">
        <startRepeat/>
        <Slur id="2"><track>0</track></Slur>
        <Tuplet id="1"><normalNotes>2</normalNotes><actualNotes>3</actualNotes><baseNote>eighth</baseNote></Tuplet>
        <Chord><Tuplet>1</Tuplet><durationType>eighth</durationType><Slur type="start" id="2"/>
          <Lyrics><syllabic>end</syllabic><text>men</text></Lyrics>{note(69, tpc=17, written=19)}</Chord>
        <Chord><Tuplet>1</Tuplet><durationType>eighth</durationType>{note(70, tpc=12, written=14)}</Chord>
        <Chord><Tuplet>1</Tuplet><durationType>eighth</durationType>
          <Slur type="stop" id="2"/>{note(72, tpc=14, written=16)}</Chord>
        <Chord><durationType>half</durationType>
          <Articulation><subtype>sforzato</subtype></Articulation>
          {note(74, '<Tie id="3"></Tie>', tpc=16, written=18)}</Chord>
        <tick>960</tick>
        <Chord><track>1</track><durationType>half</durationType>{note(65, tpc=13, written=15)}</Chord>
      </Measure>
      <Measure number="3">
        <Volta id="4"><beginText><text>1.</text></beginText><endings>1</endings></Volta>
        <endRepeat>2</endRepeat>
        <Chord><durationType>quarter</durationType>{note(74, '<endSpanner id="3"/>', tpc=16, written=18)}</Chord>
        <HairPin id="5"><subtype>1</subtype></HairPin>
        <Chord><durationType>half</durationType>{note(76, tpc=18, written=20)}</Chord>
        <endSpanner id="5"/>
      </Measure>
      <Measure number="4">
        <endSpanner id="4"/>
        <Volta id="6"><beginText><text>2.</text></beginText><endings>2</endings></Volta>
        <Chord><appoggiatura/><durationType>eighth</durationType>{note(74, tpc=16, written=18)}</Chord>
        <Chord><dots>1</dots><durationType>half</durationType>
          <Articulation><subtype>fermata</subtype></Articulation>{note(72, tpc=14, written=16)}</Chord>
        <BarLine><subtype>end</subtype></BarLine>
        <endSpanner id="6"/>
      </Measure>
    </Staff>
  </Score>
</museScore>
""".encode()

# A file of version 3 in which most of what is read occurs.
_TIE = spanner("Tie", fractions="1/4")
FULL = score(
    measure(
        "<KeySig><accidental>-2</accidental><mode>minor</mode></KeySig><TimeSig><sigN>3</sigN><sigD>4</sigD></TimeSig>"
        "<Tempo><tempo>1.5</tempo><text>Lento <sym>metNoteQuarterUp</sym> = 90</text></Tempo>"
        "<Dynamic><subtype>mf</subtype><velocity>81</velocity></Dynamic>"
        + chord(67, inside="<Lyrics><syllabic>begin</syllabic><text>O</text></Lyrics>"),
        length="1/4",
        before="<irregular>1</irregular>",
    )
    + measure(
        "<Harmony><root>13</root><name>m7</name><base>16</base></Harmony>"
        + spanner("HairPin", "<subtype>0</subtype>", fractions="1/2")
        + tuplet(3, 2, *(chord(pitch, value="eighth") for pitch in (60, 62, 63)))
        + chord(note(70, _TIE, 12), inside=spanner("Slur", fractions="1/4"))
        + chord(
            note(70, spanner_end("Tie"), 12),
            74,
            inside="<Articulation><subtype>articStaccatoAbove</subtype></Articulation>",
        ),
        chord(48, value="half", inside="<dots>1</dots>"),
        before="<startRepeat/>",
    )
    + measure(
        spanner("Volta", "<endings>1</endings>", measures=1)
        + chord(72, value="16th", inside="<acciaccatura/>")
        + chord(70, value="half")
        + "<location><fractions>1/4</fractions></location><BarLine><subtype>double</subtype></BarLine>",
        before="<endRepeat>2</endRepeat>",
    )
    + measure(
        spanner("Volta", "<endings>2</endings>", measures=1)
        + spanner("Ottava", "<subtype>8va</subtype>", fractions="1/4")
        + "<Fermata><subtype>fermataAbove</subtype></Fermata>"
        + chord(72)
        + '<InstrumentChange><Instrument><Channel><program value="73"/></Channel></Instrument></InstrumentChange>'
        + chord(74, value="half", inside="<Tremolo><subtype>r16</subtype></Tremolo>"),
        before="<Jump><text>D.C. al Fine</text><jumpTo>start</jumpTo><playUntil>fine</playUntil></Jump>",
    ),
    head='<metaTag name="workTitle">Whole</metaTag><Style><concertPitch>0</concertPitch></Style>',
)
