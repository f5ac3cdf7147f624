"""Small copies of the archives of the catalogue's data sets: the same folders and names, with a tune for every file."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import muspy_core as m

TUNE = "X:{0}\nT:Tune {0}\nM:2/4\nL:1/8\nK:G\nGABc|d4|]\n"
HUMDRUM = """\
**harm\t**kern\t**kern
*staff1/2\t*staff1\t*staff2
*\t*clefF4\t*clefG2
*M2/4\t*M2/4\t*M2/4
*C:\t*C:\t*C:
=1\t=1\t=1
I\t4C\t4e
V\t4G\t4d
=2\t=2\t=2
I\t2C\t2c
==\t==\t==
*-\t*-\t*-
"""
MAESTRO_TABLE = """\
canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration
A,One,train,2018,2018/MIDI-Unprocessed_1.midi,2018/MIDI-Unprocessed_1.wav,2.0
B,Two,validation,2018,2018/MIDI-Unprocessed_2.midi,2018/MIDI-Unprocessed_2.wav,2.0
C,Three,test,2004,2004/MIDI-Unprocessed_3.midi,2004/MIDI-Unprocessed_3.wav,2.0
"""
POP909_SONG = {
    "{0}.mid": "midi",
    "beat_midi.txt": "0.0 1.0 1.0\n0.5 0.0 0.0\n1.0 1.0 0.0\n",
    "beat_audio.txt": "0.02\t1.0\n",
    "chord_midi.txt": "0.0\t0.5\tN\n0.5\t1.0\tF#:maj7/5\n",
    "chord_audio.txt": "0.02\t0.52\tN\n",
    "key_audio.txt": "0.0\t2.0\tGb:maj\n",
    "versions/{0}-v1.mid": "midi",
}


def _maestro(version: int) -> dict[str, str]:
    root = f"maestro-v{version}.0.0"
    files = {f"{root}/2018/MIDI-Unprocessed_{n}.midi": "midi" for n in (1, 2)}
    return {**files, f"{root}/2004/MIDI-Unprocessed_3.midi": "midi", f"{root}/{root}.csv": MAESTRO_TABLE}


# Path in the archive → "midi", "mxl", "musicxml" (a piece in that format), or the text of the file.
LAYOUTS: dict[str, dict[str, str]] = {
    "asap": {
        f"asap-dataset-1aa3782/Bach/Fugue/{name}": kind
        for piece in ("bwv_846", "bwv_848")
        for name, kind in {
            f"{piece}/Shi05M.mid": "midi",
            f"{piece}/Shi05M_annotations.txt": "0.0\t0.0\tdb,4/4,0\n",
            f"{piece}/midi_score.mid": "midi",
            f"{piece}/xml_score.musicxml": "musicxml",
        }.items()
    },
    "emopia": {
        "EMOPIA_2.2/midis/Q1_0vLPYiPN7qY_0.mid": "midi",
        "EMOPIA_2.2/midis/Q4_a_b-c_d-e_f_12.mid": "midi",
        "__MACOSX/EMOPIA_2.2/midis/._Q1_0vLPYiPN7qY_0.mid": "not music",
    },
    "essen": {"esac/han1.abc": TUNE.format(1) + "\n" + TUNE.format(2), "esac/lot.abc": TUNE.format(3)},
    "giantmidi": {"midis/Aaron, Michael, Piano Course, V8WvKK-1b2c.mid": "midi"},
    "haydn": {f"haydnop20v1.3_annotated/op20n1-0{n}.hrm": HUMDRUM for n in (1, 2)},
    "hymnal": {"Classic/1.mid": "midi", "New Songs/1.mid": "midi"},
    "hymnal-tune": {"Classic/1.mid": "midi", "Children/7.mid": "midi"},
    "jsb": {f"JSB Chorales/{part}/{n}.mid": "midi" for n, part in enumerate(("test", "train", "train", "valid"))},
    "lmd": {f"lmd_full/{name[0]}/{name}.mid": "midi" for name in ("0000799b8b9b5b1a", "a1b2c3d4e5f60718")},
    "lmd-aligned": {"lmd_aligned/A/A/A/TRAAAGR128F425B14B/1d9d16a9da90c090809c153754823c2b.mid": "midi"},
    "lmd-matched": {"lmd_matched/A/A/A/TRAAAGR128F425B14B/1d9d16a9da90c090809c153754823c2b.mid": "midi"},
    "maestro": _maestro(3),
    "maestro-v1": _maestro(1),
    "maestro-v2": _maestro(2),
    "musicnet": {"musicnet_midis/Beethoven/2313_qt15_1.mid": "midi", "musicnet_midis/Bach/2186_vs6_1.mid": "midi"},
    "nes": {
        "nesmdb_midi/test/001_1943_TheBattleofMidway_00_01Title.mid": "midi",
        "nesmdb_midi/train/000_10_YardFight_00_01GameStart.mid": "midi",
        "nesmdb_midi/valid/002_1942_00_01Intro.mid": "midi",
    },
    "nmd": {"nottingham_database/jigs.abc": TUNE.format(1) + "\n" + TUNE.format(2)},
    "openscore-lieder": {
        "Lieder-111c0d6/scores/Abbott,_Jane_Bingham/_/Just_for_Today/lc6583477.mxl": "mxl",
        "Lieder-111c0d6/scores/Abbott,_Jane_Bingham/_/Just_for_Today/lc6583477.mscx": "<museScore/>",
        "Lieder-111c0d6/data/scores.tsv": "id\n",
    },
    "openscore-quartets": {
        "StringQuartets-f535100/scores/Andrée,_Elfrida/String_Quartet_in_A_major/sq7313978.mxl": "mxl",
    },
    "pop909": {
        f"POP909-Dataset-master/POP909/{song}/{name.format(song)}": kind
        for song in ("001", "909")
        for name, kind in POP909_SONG.items()
    },
    "sod": {
        "SOD/liszt_classical_archives/1/bach.mid": "midi",
        "SOD/hand_picked_Spotify/2/ravel.xml": "musicxml",
    },
    "symphonynet": {"SymphonyNet_Dataset/classical/symphony.mid": "midi"},
    "wikifonia": {"Wikifonia/A-ha - Take On Me.mxl": "mxl", "Wikifonia/Zequinha - Tico Tico.mxl": "mxl"},
}


def sample(number: int) -> m.Music:
    """A piece of one track; pieces of different numbers differ."""
    notes = [m.Note(24 * i, 60 + (number + i) % 12, 24) for i in range(4)]
    return m.Music(
        m.Metadata(title=f"piece {number}"),
        24,
        [m.Tempo(0, 120)],
        time_signatures=[m.TimeSignature(0, 4, 4)],
        tracks=[m.Track(name="Melody", notes=notes)],
    )


def contents(key: str, make: Callable[[int], m.Music] = sample) -> dict[str, bytes]:
    """Return the files of the archive of a data set by their paths. make: gives the piece of a number."""
    return {path: _content(number, kind, make) for number, (path, kind) in enumerate(LAYOUTS[key].items())}


def _content(number: int, kind: str, make: Callable[[int], m.Music]) -> bytes:
    suffix = {"midi": "mid", "mxl": "mxl", "musicxml": "musicxml"}.get(kind)
    if suffix is None:
        return kind.encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"piece.{suffix}")
        m.write(path, make(number))
        return path.read_bytes()


def extracted(key: str, root: Path, make: Callable[[int], m.Music] = sample) -> Path:
    """Write the files of a data set below a folder, as they lie after extraction, and return the folder."""
    for name, content in contents(key, make).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def archive(key: str, filename: str) -> bytes:
    """Return the archive of a data set: zip or tar.gz, as its name says."""
    buffer = io.BytesIO()
    if filename.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in contents(key).items():
                bundle.writestr(name, content)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in contents(key).items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
