"""Vectors that networks make of videos, sounds, images and texts, kept on disk by content (the end of this flow).

Layout of a cache: ROOT/MODEL-<12 hex>/ holds `cache.json` (model, preprocessing, length and type of the vectors) and
shards, pairs of files that are only ever appended to by the one process that began them:

    <shard>.vectors   (rows, dim) float16 or float32, little-endian, memory-mapped by readers
    <shard>.keys      one record a row: 32 bytes of key, 4 bytes CRC-32 of the vector

A vector is written before its key, so that a process may be killed at any moment: a row without a key does not exist,
and half a key is ignored. No process waits for another, and readers see what others have finished.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from muspy_core.errors import CacheError
from muspy_core.io.files import write_atomically

FORMAT = "muspy-core embeddings 1"
META = "cache.json"
_KEY = np.dtype([("key", "V32"), ("crc", "<u4")])
_TYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}
_HASH_BLOCK = 1 << 20


def content_hash(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def embedding_key(content: str | bytes, part: str = "") -> str:
    """Return the key of an embedding: 64 hexadecimal digits.

    content: what was embedded: a `content_hash`, a text, or bytes. part: which part of it, such as "frame 1.500" or
    "audio 0-10". Two contents, or two parts of one, never share a key.
    """
    kind, data = ("bytes", content) if isinstance(content, bytes) else ("text", content.encode())
    head = json.dumps([kind, part, len(data)]).encode()
    return hashlib.sha256(head + b"\0" + data).hexdigest()


@dataclasses.dataclass
class _Shard:
    """A pair of files as far as it was read: rows counts whole records only."""

    stem: Path
    rows: int = 0
    vectors: NDArray[Any] | None = None


class EmbeddingCache:
    """Vectors of one model on disk, by key; made to be shared by processes and killed at any time.

        cache = EmbeddingCache("cache", "ViT-B-32/openai", preprocessing="224 bicubic centre")
        vectors = cache.get_or_compute(keys, lambda missing: tower([pictures[i] for i in missing]))

    Args:
        root: Folder of the caches of all models; it is made if need be.
        model: The network with its weights: vectors of different networks never meet.
        preprocessing: What happens before the network; another preprocessing is another cache.
        dtype: "float16" (a relative error of 0.05 %) or "float32"; another type is another cache.

    Raises CacheError if what is there was damaged.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        model: str,
        *,
        preprocessing: str = "",
        dtype: Literal["float16", "float32"] = "float16",
    ) -> None:
        if not model:
            raise CacheError("a cache needs the name of the model, with its weights")
        if dtype not in _TYPES:
            raise CacheError(f'the type of vectors is "float16" or "float32", got {dtype!r}')
        self.model, self.preprocessing, self.dtype = model, preprocessing, dtype
        described = json.dumps([model, preprocessing, dtype]).encode()
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", model).strip("-.")[:60] or "model"
        self.folder = Path(root) / f"{readable}-{hashlib.sha256(described).hexdigest()[:12]}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._shards: dict[str, _Shard] = {}
        self._rows: dict[bytes, tuple[str, int, int]] = {}
        self._writer: _Writer | None = None
        self.dim: int | None = None
        self.refresh()

    def __repr__(self) -> str:
        return f"EmbeddingCache({self.model!r}, vectors={len(self)}, dim={self.dim}, dtype={self.dtype!r})"

    def __len__(self) -> int:
        """Number of different keys seen so far."""
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        raw = _raw(key)
        if raw not in self._rows:
            self.refresh()
        return raw in self._rows

    def get(self, key: str) -> NDArray[np.float32] | None:
        """Return a vector, (dim,) float32, or None if there is none for the key.

        Raises CacheError if the stored vector is damaged.
        """
        return self._vector(key) if key in self else None

    def get_many(self, keys: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return vectors, (keys, dim) float32 with zeros where there is none, and whether there is one, (keys,)."""
        if any(_raw(key) not in self._rows for key in keys):
            self.refresh()
        found = np.array([_raw(key) in self._rows for key in keys], bool)
        vectors = np.zeros((len(keys), self.dim or 0), np.float32)
        for index in np.flatnonzero(found).tolist():
            vectors[index] = self._vector(keys[index])
        return vectors, found

    def put(self, key: str, vector: ArrayLike) -> None:
        """Store a vector, (dim,); see `put_many`."""
        self.put_many([key], np.asarray(vector)[None])

    def put_many(self, keys: Sequence[str], vectors: ArrayLike) -> None:
        """Store vectors, (keys, dim); a key that is there already keeps its vector.

        Raises CacheError for vectors that are not finite (in the type of the cache) or have another length than those
        that are there, OSError if the disk takes no more.
        """
        array: NDArray[Any] = np.asarray(vectors)
        if array.ndim != 2 or len(array) != len(keys) or not array.shape[1]:
            raise CacheError(f"{len(keys)} keys need vectors of shape ({len(keys)}, dim), got {array.shape}")
        with np.errstate(over="ignore"):
            stored = np.ascontiguousarray(array, _TYPES[self.dtype])
        if not np.isfinite(stored).all():
            raise CacheError(f"a vector holds values that are not finite as {self.dtype}")
        self._settle(array.shape[1])
        fresh = {_raw(key): index for index, key in enumerate(keys) if _raw(key) not in self._rows}
        if not fresh:
            return
        rows = stored[list(fresh.values())]
        # A fork shares open files with its parent, and must not write into them.
        if self._writer is None or self._writer.owner != os.getpid():
            self._writer = _Writer(self.folder, os.getpid())
        records = np.array([(key, zlib.crc32(row.tobytes())) for key, row in zip(fresh, rows, strict=True)], _KEY)
        self._writer.append(rows, records)
        self._read_shard(self._writer.stem)

    def get_or_compute(
        self, keys: Sequence[str], compute: Callable[[list[int]], ArrayLike], *, batch: int = 64
    ) -> NDArray[np.float32]:
        """Return vectors for all keys, (keys, dim) float32; missing ones are computed, and stored as they come.

        compute: is given at most `batch` indices into `keys` at a time, and returns their vectors, (indices, dim).
        """
        _, found = self.get_many(keys)
        first: dict[str, int] = {}
        for index in np.flatnonzero(~found).tolist():
            first.setdefault(keys[index], index)
        missing = list(first.values())
        for start in range(0, len(missing), max(batch, 1)):
            chosen = missing[start : start + max(batch, 1)]
            self.put_many([keys[index] for index in chosen], compute(chosen))
        return self.get_many(keys)[0]

    def refresh(self) -> None:
        """Take notice of what other processes have written."""
        self._read_meta()
        for path in sorted(self.folder.glob("[!.]*.keys")):
            # One that is gone was joined with others.
            with contextlib.suppress(FileNotFoundError):
                self._read_shard(path.with_suffix(""))

    def verify(self) -> int:
        """Compare every vector with its checksum; return how many there are. Raises CacheError naming a damaged one."""
        self.refresh()
        for raw in self._rows:
            self._checked(raw)
        return len(self._rows)

    def compact(self) -> None:
        """Join all shards into one; nobody else may be writing to the cache meanwhile."""
        self.close()
        self.refresh()
        old = [shard.stem for shard in self._shards.values()]
        if len(old) < 2:
            return
        stem = self.folder / secrets.token_hex(8)
        with write_atomically(stem.with_suffix(".vectors")) as temporary, open(temporary, "wb") as file:
            for raw in self._rows:
                file.write(self._checked(raw).tobytes())
        with write_atomically(stem.with_suffix(".keys")) as temporary:
            records = [(raw, crc) for raw, (_, _, crc) in self._rows.items()]
            temporary.write_bytes(np.array(records, _KEY).tobytes())
        for path in old:
            # Keys first: vectors without keys do not exist.
            path.with_suffix(".keys").unlink(missing_ok=True)
            path.with_suffix(".vectors").unlink(missing_ok=True)
        self._shards.clear()
        self._rows.clear()
        self.refresh()

    def close(self) -> None:
        """Close the file that is written to; the cache can still be used."""
        if self._writer is not None and self._writer.owner == os.getpid():
            self._writer.close()
        self._writer = None

    def __getstate__(self) -> dict[str, Any]:
        # Another process opens the files for itself.
        return {**self.__dict__, "_writer": None, "_shards": {}, "_rows": {}}

    # --- files -----------------------------------------------------------------------------------------------------

    def _read_meta(self) -> None:
        path = self.folder / META
        if self.dim is not None or not path.exists():
            return
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
            known = (meta["format"], meta["model"], meta["preprocessing"], meta["dtype"])
            dim = int(meta["dim"])
        except (ValueError, KeyError, TypeError) as error:
            raise CacheError(f"{path}: is not the description of a cache: {error}") from None
        if known != (FORMAT, self.model, self.preprocessing, self.dtype) or dim < 1:
            raise CacheError(f"{path}: describes another cache ({known[1]}, {known[2]!r}, {known[3]}, {known[0]})")
        self.dim = dim

    def _settle(self, dim: int) -> None:
        """Agree with all other processes on the length of the vectors: the first to write it decides."""
        if self.dim is None:
            meta = {"format": FORMAT, "model": self.model, "preprocessing": self.preprocessing}
            text = json.dumps({**meta, "dtype": self.dtype, "dim": dim}, indent=1)
            # A hard link is made for one of several at a time, and never over a file.
            temporary = self.folder / f".{secrets.token_hex(8)}.json"
            temporary.write_text(text, encoding="utf-8")
            with contextlib.suppress(FileExistsError):
                os.link(temporary, self.folder / META)
            temporary.unlink()
            self._read_meta()
        if dim != self.dim:
            raise CacheError(f"{self.folder.name}: holds vectors of length {self.dim}, not {dim}")

    def _read_shard(self, stem: Path) -> None:
        """Take notice of the whole records of a shard that are new."""
        shard = self._shards.setdefault(stem.name, _Shard(stem))
        with open(stem.with_suffix(".keys"), "rb") as file:
            file.seek(shard.rows * _KEY.itemsize)
            content = file.read()
        count = len(content) // _KEY.itemsize
        if not count:
            return
        self._read_meta()  # which is written before the first key, but perhaps after it was looked for
        if self.dim is None:
            raise CacheError(f"{self.folder}: there are vectors but no {META}")
        vectors = stem.with_suffix(".vectors")
        rows, size = shard.rows + count, _TYPES[self.dtype].itemsize * self.dim
        if vectors.stat().st_size < rows * size:
            raise CacheError(f"{vectors}: holds fewer vectors than there are keys; remove this pair of files")
        shard.vectors = np.memmap(vectors, _TYPES[self.dtype], "r", shape=(rows, self.dim))
        for offset, record in enumerate(np.frombuffer(content, _KEY, count)):
            self._rows.setdefault(bytes(record["key"]), (stem.name, shard.rows + offset, int(record["crc"])))
        shard.rows = rows

    def _vector(self, key: str) -> NDArray[np.float32]:
        return self._checked(_raw(key)).astype(np.float32)

    def _checked(self, raw: bytes) -> NDArray[Any]:
        name, row, crc = self._rows[raw]
        vectors = self._shards[name].vectors
        assert vectors is not None  # a row is known only with its shard
        vector = np.asarray(vectors[row])
        if zlib.crc32(vector.tobytes()) != crc:
            raise CacheError(f"{self.folder / name}.vectors: row {row} is damaged; remove this pair of files")
        return vector


class _Writer:
    """Appends to a shard of its own."""

    def __init__(self, folder: Path, owner: int) -> None:
        self.owner = owner
        self.stem = folder / secrets.token_hex(8)
        self._files: list[BinaryIO] = []
        for suffix in (".vectors", ".keys"):
            self._files.append(open(self.stem.with_suffix(suffix), "xb", buffering=0))  # noqa: SIM115 - open till close

    def append(self, rows: NDArray[Any], records: NDArray[Any]) -> None:
        """Write vectors, then their keys; if the disk takes only a part, take back all of it and raise."""
        ends = [file.tell() for file in self._files]
        try:
            for file, data in zip(self._files, (rows, records), strict=True):
                view = memoryview(data.tobytes())
                while view:
                    view = view[file.write(view) :]
        except OSError:
            for file, end in zip(self._files, ends, strict=True):
                file.truncate(end)
                file.seek(end)
            raise

    def close(self) -> None:
        """Close both files."""
        for file in self._files:
            file.close()


def _raw(key: str) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{64}", key):
        raise CacheError(f"a key is 64 hexadecimal digits (see `embedding_key`), got {key[:80]!r}")
    return bytes.fromhex(key)
