"""The cache of embeddings: what is stored comes back, from many processes, after kill -9, or not at all."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from muspy_core.errors import CacheError
from muspy_core.media import EmbeddingCache, content_hash, embedding_key

DIM = 16


def vector_of(number: int) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(DIM).astype(np.float32)


def key_of(number: int) -> str:
    return embedding_key(f"item {number}")


class TestVectors:
    @given(arrays.arrays(np.float32, (3, DIM), elements=st.floats(-1e4, 1e4, width=32)), st.booleans())
    def test_vectors_come_back_as_their_type_holds_them(
        self, tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray, half: bool
    ) -> None:
        dtype = "float16" if half else "float32"
        folder = tmp_path_factory.mktemp("cache")
        keys = [key_of(number) for number in range(3)]
        EmbeddingCache(folder, "model", dtype=dtype).put_many(keys, vectors)
        again, found = EmbeddingCache(folder, "model", dtype=dtype).get_many(keys)
        assert found.all()
        assert np.array_equal(again, vectors.astype(dtype).astype(np.float32))

    def test_missing_vectors_are_computed_once(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model")
        asked: list[int] = []

        def compute(indices: list[int]) -> np.ndarray:
            asked.extend(indices)
            return np.stack([vector_of(index) for index in indices])

        keys = [key_of(number) for number in (0, 1, 2, 1)]
        first = cache.get_or_compute(keys, compute, batch=2)
        assert asked == [0, 1, 2]
        assert np.array_equal(first[1], first[3])
        assert np.array_equal(EmbeddingCache(tmp_path, "model").get_or_compute(keys, compute), first)
        assert asked == [0, 1, 2]

    def test_a_key_that_is_there_keeps_its_vector(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model", dtype="float32")
        cache.put(key_of(0), vector_of(0))
        cache.put(key_of(0), vector_of(1))
        assert np.array_equal(cache.get(key_of(0)), vector_of(0))
        assert cache.get(key_of(1)) is None
        assert key_of(0) in cache
        assert len(cache) == 1

    def test_models_and_preprocessings_never_meet(self, tmp_path: Path) -> None:
        EmbeddingCache(tmp_path, "a/b").put(key_of(0), vector_of(0))
        for other in (
            EmbeddingCache(tmp_path, "a-b"),
            EmbeddingCache(tmp_path, "a/b", preprocessing="224"),
            EmbeddingCache(tmp_path, "a/b", dtype="float32"),
        ):
            assert other.get(key_of(0)) is None
            other.put(key_of(0), np.ones(3))  # of another length, too

    def test_keys_are_those_of_content_and_part(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"same")
        (tmp_path / "b").write_bytes(b"same")
        assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b")
        keys = [embedding_key("a", "b"), embedding_key("ab"), embedding_key("a"), embedding_key(b"a")]
        assert len(set(keys)) == 4

    def test_what_cannot_be_stored_is_refused(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model")
        cache.put(key_of(0), vector_of(0))
        for vectors in (np.ones(DIM + 1), np.full(DIM, np.nan), np.full(DIM, 1e6), np.ones((2, DIM)), np.ones(0)):
            with pytest.raises(CacheError):
                cache.put(key_of(1), vectors)
        for key in ("short", "A" * 64, ""):
            with pytest.raises(CacheError, match="64 hexadecimal"):
                cache.get(key)
        with pytest.raises(CacheError, match="name of the model"):
            EmbeddingCache(tmp_path, "")
        assert EmbeddingCache(tmp_path, "model").verify() == 1


class TestFiles:
    def test_others_see_what_one_has_written(self, tmp_path: Path) -> None:
        one, other = EmbeddingCache(tmp_path, "model"), EmbeddingCache(tmp_path, "model")
        for number in range(5):
            one.put(key_of(number), vector_of(number))
            assert other.get(key_of(number)) is not None
        other.put(key_of(9), vector_of(9))
        assert one.get(key_of(9)) is not None

    def test_half_a_record_is_none_and_disturbs_nothing(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model")
        cache.put_many([key_of(0), key_of(1)], [vector_of(0), vector_of(1)])
        (keys,) = cache.folder.glob("*.keys")
        with open(keys.with_suffix(".vectors"), "ab") as file:
            file.write(b"half a vector")
        with open(keys, "ab") as file:
            file.write(b"half a key")
        again = EmbeddingCache(tmp_path, "model")
        assert again.verify() == 2
        again.put(key_of(2), vector_of(2))
        assert EmbeddingCache(tmp_path, "model").verify() == 3

    def test_damage_is_found_and_named(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model")
        cache.put_many([key_of(0), key_of(1)], [vector_of(0), vector_of(1)])
        (vectors,) = cache.folder.glob("*.vectors")
        content = bytearray(vectors.read_bytes())
        content[-1] ^= 1
        vectors.write_bytes(content)
        again = EmbeddingCache(tmp_path, "model")
        assert again.get(key_of(0)) is not None
        with pytest.raises(CacheError, match="row 1 is damaged"):
            again.get(key_of(1))
        vectors.write_bytes(content[:10])
        with pytest.raises(CacheError, match="fewer vectors"):
            EmbeddingCache(tmp_path, "model")
        (cache.folder / "cache.json").write_text("{}")
        with pytest.raises(CacheError, match=r"cache\.json"):
            EmbeddingCache(tmp_path, "model")

    def test_joining_shards_keeps_every_vector(self, tmp_path: Path) -> None:
        for number in range(4):
            cache = EmbeddingCache(tmp_path, "model")
            cache.put(key_of(number), vector_of(number))
        before, _ = cache.get_many([key_of(number) for number in range(4)])
        cache.compact()
        assert len(list(cache.folder.glob("*.keys"))) == 1
        after, found = EmbeddingCache(tmp_path, "model").get_many([key_of(number) for number in range(4)])
        assert found.all()
        assert np.array_equal(before, after)
        cache.put(key_of(5), vector_of(5))
        assert cache.verify() == 5

    def test_a_cache_travels_to_other_processes(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model")
        cache.put(key_of(0), vector_of(0))
        other = pickle.loads(pickle.dumps(cache))
        other.put(key_of(1), vector_of(1))
        assert len(list(cache.folder.glob("*.keys"))) == 2
        assert cache.get(key_of(1)) is not None

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_fork_writes_into_files_of_its_own(self, tmp_path: Path) -> None:
        cache = EmbeddingCache(tmp_path, "model")
        cache.put(key_of(0), vector_of(0))
        child = multiprocessing.get_context("fork").Process(target=cache.put, args=(key_of(1), vector_of(1)))
        child.start()
        cache.put(key_of(2), vector_of(2))
        child.join()
        assert EmbeddingCache(tmp_path, "model").verify() == 3
        assert len(list(cache.folder.glob("*.keys"))) == 2


def test_a_reader_may_look_while_another_process_begins_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = EmbeddingCache._read_meta
    written = []

    def read_just_before_it_is_written(cache: EmbeddingCache) -> None:
        read(cache)
        if not written:
            written.append(True)
            EmbeddingCache(tmp_path, "model").put(key_of(1), vector_of(1))

    monkeypatch.setattr(EmbeddingCache, "_read_meta", read_just_before_it_is_written)
    assert EmbeddingCache(tmp_path, "model").verify() == 1


WRITER = """
import sys
import numpy as np
from muspy_core.media import EmbeddingCache, embedding_key
cache = EmbeddingCache(sys.argv[1], "model")
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    vector = np.random.default_rng(number).standard_normal(16).astype(np.float32)
    cache.put(embedding_key(f"item {number}"), vector)
"""


@pytest.mark.slow
def test_four_processes_at_once(tmp_path: Path) -> None:
    spans = [(0, 300), (200, 500), (400, 700), (0, 700)]
    children = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(first), str(last)]) for first, last in spans
    ]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    cache = EmbeddingCache(tmp_path, "model")
    assert cache.verify() == 700
    vectors, found = cache.get_many([key_of(number) for number in range(700)])
    assert found.all()
    assert np.array_equal(vectors[650], vector_of(650).astype(np.float16).astype(np.float32))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_kill_9_at_any_moment_leaves_a_valid_cache(tmp_path: Path) -> None:
    rng = random.Random(0)
    seen = 0
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "0", "1000000"])
        while EmbeddingCache(tmp_path, "model").verify() <= seen:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.05)
        child.kill()
        child.wait()
        cache = EmbeddingCache(tmp_path, "model")
        now = cache.verify()
        assert now > seen
        vectors, found = cache.get_many([key_of(number) for number in range(now)])
        assert found.all()  # in the order of writing: nothing before the end is lost
        assert np.array_equal(vectors[-1], vector_of(now - 1).astype(np.float16).astype(np.float32))
        seen = now
