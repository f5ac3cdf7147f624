"""MUSIC, VGGSound and ESC-50: the lists that were published, and the files that you have → a manifest.

None of them is downloaded here: MUSIC and VGGSound are lists of videos on YouTube, ESC-50 is an archive under a
licence for non-commercial use. Files are found by their names anywhere below a folder, in whatever way a downloader
has arranged them. `lists/` holds what is small: the ids of MUSIC, those of VGGSound-Clean, and the classes of VGGSound.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from muspy_core.errors import MediaError
from muspy_core.io.files import read_bytes
from muspy_core.media.manifest import Manifest, MediaItem
from muspy_core.media.scanning import find_media

CUT_S = 10.0  # length of the cuts of VGGSound
ESC50_COLUMNS = ("filename", "fold", "category", "src_file")


def music(
    root: str | os.PathLike[str], part: Literal["solo", "duet"] = "solo", *, ids: str | os.PathLike[str] | None = None
) -> Manifest:
    """Return the videos (else sounds) of MUSIC below a folder, in the order of the list (Zhao et al. 2018).

    root: where files are named `<YouTube id>.<extension>`. part: "solo" (536 videos, 11 instruments) or "duet" (149
    videos, 9 pairs). ids: your copy of a list in the published format, `{"videos": {label: [ids]}}`, such as that of
    MUSIC-21; None: the published list of the part, version 1.0.

    The label of a duet is "flute and violin". No split was published; see `Manifest.with_splits`. Raises MediaError for
    a list that is none, or if the folder holds none of the videos.
    """
    if ids is not None:
        listed = _music_json(Path(ids))
    elif part in ("solo", "duet"):
        listed = [(row["id"], row["label"]) for row in _shipped("music.csv") if row["part"] == part]
    else:
        raise MediaError(f'the part of MUSIC is "solo" or "duet", got {part!r}')
    labels = {video: label.replace(" ", " and ").replace("_", " ") for video, label in listed}
    return _found(root, [((video,), MediaItem(video, "video", labels[video], group=video)) for video, _ in listed])


def vggsound(
    root: str | os.PathLike[str],
    csv_path: str | os.PathLike[str],
    *,
    files: Literal["cuts", "videos"] = "cuts",
    music: bool | None = None,
) -> Manifest:
    """Return the cuts of VGGSound below a folder, with the published split (Chen et al. 2020).

    Args:
        root: Where files are named `<YouTube id>_<start as six digits>.<extension>` as in the published archives, or
            `<YouTube id>.<extension>`.
        csv_path: Your copy of `vggsound.csv` (199,467 rows: id, start in seconds, label, train or test), from
            https://www.robots.ox.ac.uk/~vgg/data/vggsound/.
        files: "cuts": files are the ten seconds that are meant; "videos": whole videos, of which a part is meant.
        music: False: without the 64 classes that are called "playing …", the rule by which Dong et al. (2023) made the
            interferers of VGGSound-Clean+ from the test part (sports are among them, and singing is not); True: these
            classes alone; None: all.

    Labels are as published, "vehicle horn, car horn, honking". Raises MediaError for a list that is none, or if the
    folder holds none of the videos.
    """
    wanted = []
    for number, row in enumerate(_rows(Path(csv_path)), 1):
        try:
            video, start, label, split = (value.strip() for value in row)
            start_s = float(start)
        except ValueError:
            if number == 1:  # a heading
                continue
            raise MediaError(f"{Path(csv_path).name}: row {number} is not id, start, label, split: {row}") from None
        if music is not None and label.startswith("playing ") != music:
            continue
        part = (start_s, start_s + CUT_S) if files == "videos" else (0.0, None)
        item = MediaItem(video, "video", label, split, video, *part)
        wanted.append(((f"{video}_{round(start_s):06d}", video), item))
    return _found(root, wanted)


def vggsound_clean(root: str | os.PathLike[str], *, music: bool | None = None) -> Manifest:
    """Return the 100 clips of VGGSound-Clean below a folder (Dong et al. 2023), which are clips of VGGSound's test set.

    root: where files are named as for `vggsound`. music: False for the 75 without music, the interferers of MUSIC+;
    True for the other 25; None for all. Raises MediaError if the folder holds none of them.
    """
    rows = [row for row in _shipped("vggsound_clean.csv") if music is None or (row["music"] == "true") == music]
    return _found(
        root, [((row["id"],), MediaItem(row["id"], "video", row["label"], "test", row["id"])) for row in rows]
    )


def vggsound_classes() -> tuple[str, ...]:
    """Return the 309 classes of VGGSound, sorted."""
    return tuple(row["label"] for row in _shipped("vggsound_classes.csv"))


def esc50(root: str | os.PathLike[str]) -> Manifest:
    """Return the 2,000 sounds of ESC-50 in the folder of its archive (Piczak 2015), split "fold 1" to "fold 5".

    root: holds `meta/esc50.csv` and `audio/`, as published (github.com/karolpiczak/ESC-50, CC BY-NC 3.0). Sounds
    of one recording are a group, which the folds respect. Raises MediaError if it does not.
    """
    root = Path(root)
    table = root / "meta" / "esc50.csv"
    if not table.is_file():
        raise MediaError(f"{root}: holds no meta/esc50.csv; name the folder of the archive, ESC-50-master")
    rows = list(csv.DictReader(io.StringIO(_text(table))))
    if not rows or not set(ESC50_COLUMNS) <= set(rows[0]):
        raise MediaError(f"esc50.csv: its columns are not those of ESC-50 ({', '.join(ESC50_COLUMNS)}, …)")
    items, missing = [], []
    for row in rows:
        name = f"audio/{row['filename']}"
        if (root / name).is_file():
            label = row["category"].replace("_", " ")
            items.append(MediaItem(name, "audio", label, f"fold {row['fold']}", row["src_file"]))
        else:
            missing.append(row["filename"])
    return _manifest(items, missing, root)


# --- lists and files -------------------------------------------------------------------------------------------------


def _found(root: str | os.PathLike[str], wanted: Sequence[tuple[tuple[str, ...], MediaItem]]) -> Manifest:
    """Put the files of a folder in the place of names: (names in order of preference, item without its path)."""
    by_stem: dict[str, MediaItem] = {}
    for item in sorted(find_media(root, kinds=("video", "audio"), labels="none"), key=lambda item: item.kind):
        by_stem[Path(item.path).stem] = item  # "video" sorts behind "audio" and takes its place
    items, missing = [], []
    for names, item in wanted:
        file = next((by_stem[name] for name in names if name in by_stem), None)
        if file is None:
            missing.append(item.path)
        else:
            items.append(dataclasses.replace(item, path=file.path, kind=file.kind))
    return _manifest(items, missing, Path(root))


def _manifest(items: Sequence[MediaItem], missing: Sequence[str], root: Path) -> Manifest:
    if not items:
        raise MediaError(f"{root}: holds none of the {len(missing):,} files of the list, such as {missing[0]}")
    return Manifest(tuple(items), root, missing=tuple(missing))


def _shipped(name: str) -> list[dict[str, str]]:
    text = (resources.files("muspy_core.media") / "lists" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _music_json(path: Path) -> list[tuple[str, str]]:
    try:
        videos: Mapping[str, Any] = json.loads(_text(path))["videos"]
        listed = [(str(video), str(label)) for label, ids in videos.items() for video in ids]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MediaError(f'{path.name}: is no list of MUSIC, {{"videos": {{label: [ids]}}}}: {error!r}') from None
    if not listed or not all(re.fullmatch(r"[\w-]{11}", video) for video, _ in listed):
        raise MediaError(f"{path.name}: is no list of MUSIC: ids have 11 letters, digits, _ or -")
    return listed


def _rows(path: Path) -> Iterator[list[str]]:
    if not path.is_file():
        where = "https://www.robots.ox.ac.uk/~vgg/data/vggsound/"
        raise MediaError(f"{path}: there is no such list; vggsound.csv is published at {where}")
    yield from (row for row in csv.reader(io.StringIO(_text(path))) if row)


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MediaError(f"{path.name}: is not UTF-8 text") from None
