"""Manifests: tables of videos, sounds and images, one row an item, as CSV, JSON Lines or Parquet (files → rows).

Paths in a manifest are relative to its root, with "/", so that a folder and its manifest can move together. The table
has the columns of `MediaItem`; what is not known is empty.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from muspy_core.audio import AudioClip
from muspy_core.datasets.splits import grouped_split
from muspy_core.errors import MediaError
from muspy_core.io.files import read_bytes, write_atomically
from muspy_core.media.files import Kind
from muspy_core.media.frames import Frame, Size, evenly_spaced_frames, read_frames
from muspy_core.media.sound import read_clip

SUFFIXES = (".csv", ".jsonl", ".parquet")


@dataclasses.dataclass(frozen=True)
class MediaItem:
    """One row: a file, or a part of one.

    path: relative to the root of the manifest. kind: "video", "audio" or "image". label: what is seen and heard. split:
    "train", "test", … group: items of one group (cuts of one recording) stay together in a split. start_s, end_s: the
    part that is meant; end_s None: to the end. The rest describes the file as `MediaInfo` does, with its size and
    SHA-256.
    """

    path: str
    kind: Kind = "video"
    label: str | None = None
    split: str | None = None
    group: str | None = None
    start_s: float = 0.0
    end_s: float | None = None
    duration_s: float | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    rotation: int | None = None
    has_audio: bool | None = None
    sample_rate: int | None = None
    channels: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("video", "audio", "image"):
            raise MediaError(f'{self.path}: the kind is "video", "audio" or "image", got {self.kind!r}')
        if not self.path or "\0" in self.path:
            raise MediaError("an item needs the path of its file")
        if self.start_s < 0 or (self.end_s is not None and self.end_s <= self.start_s):
            raise MediaError(f"{self.path}: the part from {self.start_s} s to {self.end_s} s is none")


COLUMNS = tuple(field.name for field in dataclasses.fields(MediaItem))
_NUMBERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("start_s", "end_s", "duration_s", "fps"), float),
    **dict.fromkeys(("width", "height", "rotation", "sample_rate", "channels", "size_bytes"), int),
}


@dataclasses.dataclass(frozen=True)
class Manifest(Sequence[MediaItem]):
    """Items in a fixed order, with the folder that their paths are relative to.

    failed: (path, reason) of files that were left out because they cannot be used; missing: what a published list names
    and the folder does not hold. Neither is written to the file.
    """

    items: tuple[MediaItem, ...]
    root: Path = Path()
    failed: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> MediaItem: ...
    @overload
    def __getitem__(self, index: slice) -> Manifest: ...
    def __getitem__(self, index: int | slice) -> MediaItem | Manifest:
        return self.of(self.items[index]) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[MediaItem]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"Manifest(items={len(self)}, labels={len(self.labels)}, splits={dict(self.splits)})"

    @property
    def labels(self) -> tuple[str, ...]:
        """The different labels, sorted."""
        return tuple(sorted({item.label for item in self.items if item.label is not None}))

    @property
    def splits(self) -> Counter[str | None]:
        """How many items each split has."""
        return Counter(item.split for item in self.items)

    def of(self, items: Iterable[MediaItem]) -> Manifest:
        """Return a manifest of other items of the same folder."""
        return dataclasses.replace(self, items=tuple(items))

    def where(
        self,
        *,
        split: str | None = None,
        label: str | None = None,
        kind: Kind | None = None,
        has_audio: bool | None = None,
    ) -> Manifest:
        """Return the items that have all of the given values."""
        wanted = {"split": split, "label": label, "kind": kind, "has_audio": has_audio}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        return self.of(item for item in self.items if all(getattr(item, n) == value for n, value in wanted.items()))

    def with_splits(self, shares: float | Sequence[float], seed: int = 0) -> Manifest:
        """Return the manifest with a random split: groups stay together, and the order of the items does not matter.

        shares: of train and test, or of train, test and validation; a number f means (f, 1 - f).
        """
        # Drawn over sorted groups, so that a folder listed in another order is split in the same way.
        groups = [item.group or item.path for item in self.items]
        order = sorted(range(len(groups)), key=lambda index: (groups[index], self.items[index].path))
        parts = grouped_split([groups[index] for index in order], shares, seed)
        split = {order[place]: name for name, places in parts.items() for place in places}
        return self.of(dataclasses.replace(item, split=split[index]) for index, item in enumerate(self.items))

    # --- content ---------------------------------------------------------------------------------------------------

    def path(self, index: int) -> Path:
        """Return the path of the file of an item."""
        return self.root / self.items[index].path

    def clip(self, index: int, *, sample_rate: int | None = None, channels: int | None = None) -> AudioClip:
        """Return the sound of an item with its label; see `read_audio`."""
        item = self.items[index]
        return read_clip(
            self.path(index),
            item.label,
            start_s=item.start_s,
            end_s=item.end_s,
            sample_rate=sample_rate,
            channels=channels,
        )

    def frames(
        self,
        index: int,
        times_s: Sequence[float] | int = 1,
        *,
        short_side: int | None = None,
        crop: Size | None = None,
    ) -> list[Frame]:
        """Return pictures of an item: at times counted from its start, or a number of them evenly spaced."""
        item, path = self.items[index], self.path(index)
        if isinstance(times_s, int):
            if item.kind == "image":
                return read_frames(path, [0.0] * times_s, short_side=short_side, crop=crop)
            end_s = item.end_s if item.end_s is not None else item.duration_s
            return evenly_spaced_frames(
                path, times_s, start_s=item.start_s, end_s=end_s, short_side=short_side, crop=crop
            )
        return read_frames(path, [item.start_s + time_s for time_s in times_s], short_side=short_side, crop=crop)

    # --- files -----------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> Manifest:
        """Read a manifest; a CSV of CLIPSep's four columns (sound, folder of frames, number of them, label) too.

        root: the folder that the paths are relative to; None: the folder of the manifest.

        Raises MediaError, naming the file and the row, for content that is no manifest; OSError if it cannot be opened.
        """
        path = Path(path)
        rows = _READERS[_suffix(path)](path)
        items = []
        for number, row in enumerate(rows, 1):
            try:
                items.append(_item(row))
            except (MediaError, ValueError, TypeError, KeyError) as error:
                raise MediaError(f"{path.name}: row {number}: {error}") from None
        return cls(tuple(items), Path(root) if root is not None else path.parent)

    def write(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the table as .csv, .jsonl or .parquet (which needs pyarrow); return its path.

        The file reads back equal. If it lies elsewhere than the root, pass the root to `read`. Raises FileExistsError
        if it exists and `overwrite` is false.
        """
        path = Path(path)
        writer = _WRITERS[_suffix(path)]
        with write_atomically(path, overwrite) as temporary:
            writer(temporary, [dataclasses.asdict(item) for item in self.items])
        return path


def check_table(path: Path) -> None:
    """Raise MediaError or OSError, before any work is done, if no manifest can be written there."""
    _suffix(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "no such folder", str(path.parent))


def _suffix(path: Path) -> Literal[".csv", ".jsonl", ".parquet"]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise MediaError(f"{path.name}: the extension of a manifest is one of {', '.join(SUFFIXES)}")
    return suffix  # type: ignore[return-value]  # the check above is what Literal says


def _item(row: Mapping[str, Any]) -> MediaItem:
    """Make an item of a row whose values may still be text."""
    unknown = set(row) - set(COLUMNS)
    if unknown:
        raise MediaError(f"unknown columns: {', '.join(sorted(map(str, unknown)))}")
    values = {name: value for name, value in row.items() if value not in (None, "")}
    for name, number in _NUMBERS.items():
        if name in values:
            values[name] = number(values[name])
    if isinstance(values.get("has_audio"), str):
        values["has_audio"] = {"true": True, "false": False}[values["has_audio"].lower()]
    return MediaItem(**values)


# --- CSV, JSON Lines, Parquet ----------------------------------------------------------------------------------------


def _read_csv(path: Path) -> Iterable[Mapping[str, Any]]:
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MediaError(f"{path.name}: is not UTF-8 text") from None
    first = next(csv.reader(io.StringIO(text)), [])
    if "path" in first:
        return csv.DictReader(io.StringIO(text, newline=""))
    if len(first) == 4 and first[2].strip().isdigit():
        return [_clipsep_row(path, number, row) for number, row in enumerate(csv.reader(io.StringIO(text)), 1)]
    raise MediaError(f"{path.name}: is no manifest: the first line names no column `path`")


def _clipsep_row(path: Path, number: int, row: list[str]) -> Mapping[str, Any]:
    if len(row) != 4:
        raise MediaError(f"{path.name}: row {number} has {len(row)} columns, not the 4 of the first row")
    sound, _, _, label = (value.strip() for value in row)
    return {"path": sound, "kind": "audio", "label": label.replace("_", " "), "group": Path(sound).stem}


def _read_json_lines(path: Path) -> Iterable[Mapping[str, Any]]:
    rows = []
    try:
        for number, line in enumerate(read_bytes(path).decode("utf-8-sig").split("\n"), 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise MediaError(f"{path.name}: line {number} is no object")
                rows.append(row)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MediaError(f"{path.name}: is not JSON Lines: {error}") from None
    return rows


def _read_parquet(path: Path) -> Iterable[Mapping[str, Any]]:
    pyarrow, parquet = _parquet()
    with open(path, "rb") as file:
        try:
            table = parquet.read_table(file)
        except (pyarrow.ArrowInvalid, OSError) as error:
            raise MediaError(f"{path.name}: is no Parquet file: {error}") from None
        rows: list[Mapping[str, Any]] = table.to_pylist()
        return rows


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in rows)


def _write_json_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            known = {name: value for name, value in row.items() if value is not None}
            file.write(json.dumps(known, ensure_ascii=False) + "\n")


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    pyarrow, parquet = _parquet()
    kinds = {name: pyarrow.float64() if number is float else pyarrow.int64() for name, number in _NUMBERS.items()}
    kinds["has_audio"] = pyarrow.bool_()
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema), path)


def _parquet() -> tuple[Any, Any]:
    import importlib

    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        message = f"Parquet files need the package pyarrow: pip install 'muspy-core[arrow]' ({error})"
        raise ImportError(message, name="pyarrow") from None


_READERS = {".csv": _read_csv, ".jsonl": _read_json_lines, ".parquet": _read_parquet}
_WRITERS = {".csv": _write_csv, ".jsonl": _write_json_lines, ".parquet": _write_parquet}
