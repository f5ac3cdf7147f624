"""What music21 reads differently in ABC, one rule of the standard at a time (used by bench_abc.py).

A misreading rewrites a tune so that what stands there by the standard is what music21 makes of it: a lost note is left
out, a `>` that is not obeyed is left out. If we read from the rewritten tune the very notes that music21 reads from the
tune as it stands, then the misreading is why the two differ, and all there is to it. Sections are those of the ABC
standard 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from muspy_core.io.abc.tokens import LENGTH, NOTE

Notes = list[tuple[int, int, int]]

_FIELD = re.compile(r"(?:[A-Za-z+]:(?![|:])|%)")
_KEY = re.compile(r"^K:.*$", re.MULTILINE)
_REST = rf"[zxZX]{LENGTH}"
# What music21 passes over without a token, and what it takes for a note.
_SILENT = r'(?:[\s`\\]|"[^"\n]*"|![^!\s]*!|%[^\n]*\n)'
_NOTE_ENDS = re.compile(rf"(?:{NOTE.pattern}|z{LENGTH}|\]{LENGTH}){_SILENT}*$")
_NOTE_BEGINS = re.compile(rf'{_SILENT}*(?:[~TSOPL^_=]*[A-Ga-gz]|\[(?![1-9|])|(?<=")H)')
_BROKEN = re.compile(r"[<>]+")
_PITCH = re.compile(r"(\^\^?|__?|=|)([A-Ga-g])[,']*")


# Tunes that break the standard, so that it defines no reading of them; looked at one by one.
BROKEN_TUNES = {
    ("Airds", "book3.abc X:411"): "a line of the header is no field (`N bars 13 and 21 are |f2ed| …`)",
    ("Airds", "book4.abc X:722"): "a line of the header is no field (`I (1) :| (2) ||`)",
    ("Ryan's Mammoth", "CosmopoliteReelThe.abc X:8"): 'a quotation mark too many (`E">"4"A2`)',
    ("Ryan's Mammoth", "CosmopolitanHornpipe.abc X:1"): "a natural without a note (`e=>g`)",
    ("Ryan's Mammoth", "HeadlightJig.abc X:1"): "an accidental before a number (`^3^FGA`)",
    ("Ryan's Mammoth", "MyLadysGoonHasGairsOntStrathspey.abc X:1"): 'a chord that is not closed (`["Coda" e3g(`)',
}


class Misreading(NamedTuple):
    """Something that music21 reads differently. rule: what the standard says. imitate: see above."""

    name: str
    section: str
    rule: str
    imitate: Callable[[str], str]


def _in_music(text: str, rewrite: Callable[[str], str]) -> str:
    """Rewrite the lines of music after the key field; lines of fields and comments stay."""
    key = _KEY.search(text)
    if key is None:
        return text
    head, body = text[: key.end()], text[key.end() :]
    # A line that has lost all it held must not end the tune.
    lines = [line if _FIELD.match(line) else rewrite(line) for line in body.split("\n")]
    kept = [line if line.strip() else "%" for line in lines[1:-1]]
    return head + "\n".join([lines[0], *kept, lines[-1]])


def lose_notes_after_fermatas(text: str) -> str:
    """`H` stands for a fermata on the next note; music21 drops both, unless a quoted text stands before."""
    found = re.compile(rf'(?<!")(?<!" )[~.uvTSOPLM]*H[~.uvTSOPLMH]*(?:{NOTE.pattern}|{_REST})')
    return _in_music(text, lambda line: found.sub("", line))


def ignore_broken_rhythm_beside_marks(text: str) -> str:
    """`>` and `<` hold for the notes around them; music21 obeys them only with nothing but a note on either side."""

    key = _KEY.search(text)
    if key is None:
        return text
    head, body = text[: key.end()], text[key.end() :]

    def rewrite(match: re.Match[str]) -> str:
        line_start = body.rfind("\n", 0, match.start()) + 1
        if _FIELD.match(body[line_start:]) or body.count('"', line_start, match.start()) % 2:
            return match.group()
        before, after = body[max(match.start() - 200, 0) : match.start()], body[match.end() : match.end() + 200]
        return match.group() if _NOTE_ENDS.search(before) and _NOTE_BEGINS.match(after) else ""

    return head + _BROKEN.sub(rewrite, body)


def take_notes_for_fields(text: str) -> str:
    """A note before a repeat sign, as in `E::`, is taken for a field: the rest of the line is lost."""
    return _in_music(text, lambda line: re.sub(r"(?<!\[)(?:[A-Z]|(?<![A-Za-z])w):(?!\|).*", "", line))


def give_invisible_rests_no_time(text: str) -> str:
    """`x` is a rest that is not printed; music21 passes over it."""
    return _in_music(text, lambda line: re.sub(rf"x{LENGTH}", "", line))


def give_measure_rests_no_time(text: str) -> str:
    """`Z` is a rest of a whole measure; music21 passes over it."""
    return _in_music(text, lambda line: re.sub(r"Z\d*", "", line))


def cut_ties_of_altered_notes(text: str) -> str:
    """A tie joins notes of one pitch; music21 gives the second one the pitch of the key after a bar line."""
    altered: dict[str, str] = {}

    def rewrite(line: str) -> str:
        parts = re.split(rf"(\|+[:\]|]*|:+\|*:*|\[\||\[V:|{NOTE.pattern})", line)
        for place, part in enumerate(parts):
            if place % 2 == 0:
                continue
            pitch = _PITCH.match(part)
            if pitch is None:
                altered.clear()
            elif pitch.group(1):
                altered[pitch.group(2).upper()] = pitch.group(1)
            following = "".join(parts[place + 2 : place + 3]) if place + 2 < len(parts) else ""
            is_last = place + 2 >= len(parts) or not _PITCH.match(following)
            if pitch is not None and is_last and pitch.group(2).upper() in altered:
                parts[place + 1] = re.sub(r"^\.?-", "", parts[place + 1])
        return "".join(parts)

    return _in_music(text, rewrite)


def play_voices_one_after_another(text: str) -> str:
    """`[V:2]` within music changes the voice; music21 goes on in the same one."""
    return re.sub(r"\[V:[^\]]*\]", "", text)


def carry_fewer_accidentals(text: str) -> str:
    """An accidental holds to the end of the measure. music21 does not remember one after a decoration (`T^c`), lets
    none hold from or in a chord, and takes the `=` of a mail program (`=20`, `=3D`, or at the end of a line) for a
    natural that holds after the next note. What it remembers is written out at each note."""
    carried: dict[str, str] = {}
    pending: list[str] = []

    def write_out(match: re.Match[str]) -> str:
        if match.lastgroup == "bar":
            carried.clear()
            pending.clear()
        elif match.lastgroup == "mail":
            pending[:] = ["="]
            return ""
        elif match.lastgroup == "note":
            marks, accidental, letter = match.group("marks"), match.group("accidental"), match.group("letter")
            if accidental and not marks:
                carried[letter.upper()] = accidental
            elif not accidental and not pending:
                return f"{marks}{carried.get(letter.upper(), '')}{letter}"
            elif not accidental:
                carried[letter.upper()] = pending.pop()
        return match.group()

    key = _KEY.search(text)
    if key is None:
        return text
    written = _in_music(text, lambda line: _NOTES_AND_BARS.sub(write_out, line))
    return written.replace(key.group(), f"%%propagate-accidentals not\n{key.group()}", 1)


_NOTES_AND_BARS = re.compile(
    r"""(?P<other>"[^"\n]*"|![^!\s]*!|\[[A-Za-z]:[^\]]*\]|\[(?![1-9|])[^\]\n]*\])|(?P<bar>\|+|::|\[\||:)"""
    r"|(?P<mail>=(?:20|3D|(?=\s*$)))"
    r"|(?P<note>(?P<marks>[~TSOPLH]*)(?P<accidental>\^\^?|__?|=|)(?P<letter>[A-Ga-g]))"
)


def read_slashes_after_numbers_as_one(text: str) -> str:
    """Each slash halves a length (`B3//` lasts 3/4); after a number music21 reads any slashes as one."""
    return _in_music(text, lambda line: re.sub(r"(?<=[A-Ga-gz,'])(\d+)//+(?!\d)", r"\1/", line))


def lose_notes_after_quoted_accents(text: str) -> str:
    """A quoted text stands beside a note; music21 drops a note or chord after one that begins with `>`."""
    between = r"[\s.~uvkKTMSOPL({]*"
    note = rf"(?:{NOTE.pattern}|z{LENGTH}|\[(?![1-9|:])[^\]\n]*\]{LENGTH})"
    # Of several quoted texts before a note the first one counts.
    found = re.compile(rf'(?P<first>"[^"\n]*"){between}(?:"[^"\n]*"{between})*{note}')

    def rewrite(match: re.Match[str]) -> str:
        return "" if match.group("first").strip('"() ').startswith(">") else match.group()

    return _in_music(text, lambda line: found.sub(rewrite, line))


def forget_ties_of_chords(text: str) -> str:
    """A tie may stand after a note in a chord, or after a chord; music21 obeys neither."""

    def rewrite(line: str) -> str:
        bare = _CHORD.sub(lambda match: match.group().replace("-", ""), line)
        return re.sub(rf"(\]{LENGTH})\.?-", r"\1", bare)

    return _in_music(text, rewrite)


def make_chords_even(text: str) -> str:
    """A chord lasts as long as its first note; to music21 all its notes do."""

    def rewrite(match: re.Match[str]) -> str:
        notes = list(re.finditer(rf"(\^\^?|__?|=|)([A-Ga-g][,']*)({LENGTH})", match.group()))
        if len({note.group(3) for note in notes}) < 2:
            return match.group()
        return "[" + "".join(f"{note.group(1)}{note.group(2)}{notes[0].group(3)}" for note in notes) + "]"

    return _in_music(text, lambda line: _CHORD.sub(rewrite, line))


_CHORD = re.compile(r"\[(?![1-9|])(?![A-Za-z]:)[^\]\n]*\]")


MISREADINGS = (
    Misreading("note after a fermata", "4.14", "H is a decoration of the note after it", lose_notes_after_fermatas),
    Misreading(
        "broken rhythm beside a mark",
        "4.4, 4.11, 4.12, 4.14",
        "grace notes are transparent to broken rhythm; slurs, ties and decorations take no time",
        ignore_broken_rhythm_beside_marks,
    ),
    Misreading("note before a colon", "4.8", ":: and :| are bar lines", take_notes_for_fields),
    Misreading("invisible rest", "4.5", "x is a rest", give_invisible_rests_no_time),
    Misreading("rest of a measure", "4.5", "Z is a rest of a measure", give_measure_rests_no_time),
    Misreading("tie of an altered note", "4.11", "a tie joins notes of one pitch", cut_ties_of_altered_notes),
    Misreading("accidental not kept", "11.3", "accidentals hold to the end of the measure", carry_fewer_accidentals),
    Misreading("length of number and slashes", "4.3", "A// is A/4", read_slashes_after_numbers_as_one),
    Misreading("note after a quoted >", "4.19", "a quoted text is an annotation", lose_notes_after_quoted_accents),
    Misreading("tie of a chord", "4.11, 4.17", "ties join the notes of chords", forget_ties_of_chords),
    Misreading("chord of uneven notes", "4.17", "the chord lasts as long as its first note", make_chords_even),
    Misreading("inline voice", "7", "V: changes the voice, also inline", play_voices_one_after_another),
)


SILENT = {"chord of uneven notes"}  # the standard does not say how long the other notes last


def verdict_of(corpus: str, tune: str, causes: Sequence[str]) -> str:
    """Return who is wrong, for a tune on which the two differ by these causes."""
    if causes:
        return "standard silent" if set(causes) <= SILENT else "music21 wrong"
    return "tune broken" if (corpus, tune) in BROKEN_TUNES else "unexplained"


def explain(
    text: str, theirs: Notes, read: Callable[[str], Notes], misreadings: Sequence[Misreading] = MISREADINGS
) -> tuple[str, ...]:
    """Return the names of the misreadings that together explain what music21 reads; empty if they do not.

    theirs: what music21 reads. read: how we read. The fewest that suffice are named.
    """
    for item in misreadings:
        rewritten = item.imitate(text)
        if rewritten != text and read(rewritten) == theirs:
            return (item.name,)
    needed = list(misreadings)
    if read(_imitate(text, needed)) != theirs:
        return ()
    for item in misreadings:
        fewer = [other for other in needed if other is not item]
        if read(_imitate(text, fewer)) == theirs:
            needed = fewer
    return tuple(item.name for item in needed)


def _imitate(text: str, misreadings: Sequence[Misreading]) -> str:
    for item in misreadings:
        text = item.imitate(text)
    return text
