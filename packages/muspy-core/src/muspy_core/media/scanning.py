"""A folder of videos, sounds and images → its manifest: every file described, hashed, and broken ones named.

The work is done by processes and written down file by file, so that a scan that was killed goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from tqdm.auto import tqdm

from muspy_core.errors import MediaError
from muspy_core.media.embeddings import content_hash
from muspy_core.media.files import IMAGES, SOUNDS, VIDEOS, Kind, check_whole, kind_of, probe
from muspy_core.media.manifest import Manifest, MediaItem, check_table

Depth = Literal["header", "whole"]
Labels = Literal["folder", "none"]
_FORMAT = 1


def find_media(
    folder: str | os.PathLike[str],
    *,
    kinds: Sequence[Kind] = ("video", "audio", "image"),
    labels: Labels = "folder",
) -> Manifest:
    """List the media files of a folder and its sub-folders by their extensions, sorted by path; none is opened.

    labels: "folder": the name of the sub-folder, with spaces for underscores, is the label of its files (files in the
    folder itself have none); "none": no labels. Files of one name, such as `a.mp4` and `a.wav` of one folder, are one
    group.

    Raises MediaError if there is no such file.
    """
    root = Path(folder)
    if not root.is_dir():
        raise NotADirectoryError(20, "is no folder", str(root))
    extensions: dict[Kind, tuple[str, ...]] = {"video": VIDEOS, "audio": SOUNDS, "image": IMAGES}
    wanted = tuple(suffix for kind in kinds for suffix in extensions[kind])
    items = [_listed(path, root, labels) for path in _files(root) if path.suffix.lower() in wanted]
    if not items:
        raise MediaError(f"{root}: no file in this folder ends in {', '.join(wanted)}")
    return Manifest(tuple(sorted(items, key=lambda item: item.path)), root)


def build_manifest(
    source: Manifest | str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    depth: Depth = "header",
    n_jobs: int = 1,
    overwrite: bool = False,
    progress: bool | None = None,
) -> Manifest:
    """Describe every file of a folder or a list, and write the manifest; what cannot be used is in its `failed`.

    Args:
        source: A folder (listed by `find_media`) or a manifest (of `music`, `vggsound`, …), whose files are described.
        output: The table to write, .csv, .jsonl or .parquet; None: only return it. Paths in it are relative to the
            folder of the source. Beside it, while the work lasts, a hidden journal holds what is done: called again
            after it was killed, the work goes on from there.
        depth: "header": read headers and decode one picture; "whole": decode everything, which finds damage within.
        n_jobs: Number of processes, -1 for all cores.
        overwrite: Whether an existing table may be replaced.
        progress: Show a progress bar; None: on terminals only.

    Raises MediaError if no file is there to describe, FileExistsError if the output exists and must not be replaced.
    """
    if depth not in ("header", "whole"):
        raise MediaError(f'depth is "header" or "whole", got {depth!r}')
    listed = source if isinstance(source, Manifest) else find_media(source)
    target = Path(output) if output is not None else None
    if target is not None:
        check_table(target)
    if target is not None and target.exists() and not overwrite:
        raise FileExistsError(17, "exists already; choose another name or allow overwriting", str(target))
    journal = target.with_name(f".{target.name}.journal") if target is not None else None
    described = dict(_journal(journal, depth) if journal is not None else ())
    files = sorted({item.path for item in listed})
    open_files = [path for path in files if _stamp(listed.root / path) != described.get(path, {}).get("stamp")]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(journal, "a", encoding="utf-8")) if journal is not None else None
        work = _all(listed.root, open_files, depth, n_jobs)
        for path, found in tqdm(
            work, total=len(open_files), desc="media", disable=None if progress is None else not progress
        ):
            described[path] = found
            if log is not None:
                log.write(json.dumps({"path": path, "depth": depth, "format": _FORMAT, **found}) + "\n")
                log.flush()
    made = _with_descriptions(listed, described)
    if target is not None:
        made.write(target, overwrite=overwrite)
        if journal is not None:
            journal.unlink(missing_ok=True)
    return made


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _listed(path: Path, root: Path, labels: Labels) -> MediaItem:
    inside = path.relative_to(root)
    label = inside.parent.name.replace("_", " ") if labels == "folder" and inside.parent.name else None
    kind = kind_of(path)
    assert kind is not None  # only files with an extension of a kind are listed
    return MediaItem(inside.as_posix(), kind, label, group=inside.with_suffix("").as_posix())


# --- describing files ------------------------------------------------------------------------------------------------


def _all(root: Path, paths: Sequence[str], depth: Depth, n_jobs: int) -> Iterable[tuple[str, dict[str, Any]]]:
    if n_jobs == 1 or len(paths) < 2:
        return (_describe(root, path, depth) for path in paths)
    from joblib import Parallel, delayed

    done: Iterable[tuple[str, dict[str, Any]]] = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_describe)(root, path, depth) for path in paths
    )
    return done


def _describe(root: Path, path: str, depth: Depth) -> tuple[str, dict[str, Any]]:
    """Return what goes into the journal: the columns of the file, or the error."""
    file = root / path
    stamp = _stamp(file)
    try:
        info = probe(file)
        if depth == "whole":
            check_whole(file)
        columns = dataclasses.asdict(info)
        if info.duration_s is not None:
            columns["duration_s"] = round(info.duration_s, 3)
        columns.update(has_audio=info.has_audio, size_bytes=file.stat().st_size, sha256=content_hash(file))
    except MediaError as error:
        return path, {"stamp": stamp, "error": str(error).removeprefix(f"{file.name}: ")}
    except OSError as error:
        return path, {"stamp": stamp, "error": (error.strerror or str(error)).lower()}
    return path, {"stamp": stamp, "columns": columns}


def _stamp(path: Path) -> list[int] | None:
    """Size and time of a file: when they change, it is described again."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _journal(path: Path, depth: Depth) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read what an interrupted scan has done; a line that was cut off is not counted."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if (entry.pop("format", None), entry.pop("depth", None)) == (_FORMAT, depth):
                yield entry.pop("path"), entry


def _with_descriptions(listed: Manifest, described: dict[str, dict[str, Any]]) -> Manifest:
    items, failed = [], dict(listed.failed)
    for item in listed:
        found = described[item.path]
        if "error" in found:
            failed[item.path] = found["error"]
            continue
        columns = found["columns"]
        duration = columns["duration_s"]
        if duration is not None and item.start_s >= duration:
            failed[item.path] = f"the part from {item.start_s:g} s on is past its end, {duration:g} s"
            continue
        items.append(dataclasses.replace(item, **columns))
    return dataclasses.replace(listed, items=tuple(items), failed=tuple(sorted(failed.items())))
