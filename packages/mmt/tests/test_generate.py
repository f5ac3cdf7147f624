"""Generation: every song decodes, songs do not depend on one another, filters keep what they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmt.config import MMTConfig
from mmt.encoding import END_OF_SONG, INSTRUMENT, NOTE, START_OF_NOTES, Codes, decode, encode
from mmt.generate import Options, continuation, generate, instrument_informed, stream, unconditioned
from mmt.grammar import Bans, Grammar
from mmt.model import MMT
from mmt.notes import EncodingError
from mmt.sampling import PAPER, Logits, Sampling, draw_codes, entmax, filtered, keep_largest, keep_mass, softmax
from test_encoding import rows


@pytest.fixture(scope="module", params=["parallel", "conditional"])
def model(request: pytest.FixtureRequest) -> MMT:
    """A model that knows nothing but that notes are frequent and follow one another closely."""
    torch.random.manual_seed(0)
    made = MMT(MMTConfig(dim=64, depth=1, max_length=64, heads=request.param)).eval()
    biases = (
        made.heads.logits.bias.split(made.heads.sizes)  # type: ignore[union-attr,operator]  # parallel heads have it
        if request.param == "parallel"
        else [field.logits.bias for field in made.heads.fields]  # type: ignore[union-attr]  # conditional heads have it
    )
    with torch.no_grad():
        biases[0][NOTE] += 5
        for column in (1, 2):
            biases[column].sub_(torch.arange(len(biases[column])) * 0.5)
    return made


def check_song(codes: Codes) -> None:
    kinds = codes[:, 0].tolist()
    assert kinds == sorted(kinds)
    assert kinds[0] == 0
    assert kinds.count(START_OF_NOTES) == kinds.count(END_OF_SONG) == 1
    instruments = codes[codes[:, 0] == INSTRUMENT, 5].tolist()
    assert instruments == sorted(set(instruments))
    assert instruments
    notes = codes[codes[:, 0] == NOTE]
    keys = [tuple(row) for row in notes[:, 1:].tolist()]
    assert keys == sorted(keys)
    assert len({(b, p, k, i) for b, p, k, _, i in keys}) == len(keys)
    assert set(notes[:, 5].tolist()) <= set(instruments)
    assert len(decode(codes)) == len(notes)


def test_every_song_decodes_to_what_was_meant(model: MMT) -> None:
    for song in generate(model, [unconditioned()] * 16, Options(length=80, seed=1)):
        check_song(song)
        assert (song[:, 0] == NOTE).any()


def test_a_song_does_not_depend_on_those_beside_it(model: MMT) -> None:
    together = generate(model, [unconditioned(), instrument_informed(["violin"]), unconditioned()], Options(40, seed=4))
    alone = generate(model, [unconditioned()], Options(40, seed=6))
    assert together[2].tolist() == alone[0].tolist()


def test_prompts_of_unequal_length_are_kept_and_continued(model: MMT) -> None:
    song = encode(rows(*((beat, 0, 60, 12, program) for beat in range(6) for program in (0, 40))))
    prompts = [instrument_informed(["flute"]), continuation(song, 4), unconditioned()]
    for prompt, result in zip(prompts, generate(model, prompts, Options(20)), strict=True):
        assert result[: len(prompt)].tolist() == prompt.tolist()
        assert len(result) > len(prompt)
        check_song(result)


def test_only_the_named_instruments_play(model: MMT) -> None:
    song = generate(model, [instrument_informed(["Violin", "piano"])], Options(50))[0]
    assert set(decode(song)[:, 4].tolist()) <= {0, 40}


def test_songs_go_on_when_the_model_can_see_no_more(model: MMT) -> None:
    songs = generate(model, [instrument_informed(["piano"]), instrument_informed(["piano", "flute"])], Options(150))
    assert max(map(len, songs)) > 100  # of 64 that the model sees
    for song in songs:
        check_song(song)


def test_prompts_may_be_longer_than_what_the_model_sees(model: MMT) -> None:
    prompt = encode(rows(*((beat, 0, 60, 12, 0) for beat in range(100))))[:-1]
    song = generate(model, [prompt], Options(10))[0]
    assert song[: len(prompt)].tolist() == prompt.tolist()
    check_song(song)


def test_a_stream_gives_the_events_of_the_song(model: MMT) -> None:
    prompt = instrument_informed(["piano"])
    song = generate(model, [prompt], Options(30, seed=2))[0]
    assert np.array(list(stream(model, prompt, Options(30, seed=2)))).tolist() == song[len(prompt) :].tolist()


def test_a_model_writes_music_and_streams_its_notes(model: MMT) -> None:
    prompt = instrument_informed(["piano"])
    songs = model.generate(prompt, n=2, length=12, seed=5)
    notes = list(model.stream(prompt, length=12, seed=6))
    assert [(note.time, note.pitch) for note in notes] == [(note.time, note.pitch) for note in songs[1].tracks[0].notes]


def test_the_same_seed_gives_the_same_songs(model: MMT) -> None:
    first, second = (generate(model, [unconditioned()] * 2, Options(30, seed=9)) for _ in range(2))
    assert [song.tolist() for song in first] == [song.tolist() for song in second]


@settings(max_examples=20)
@given(st.data())
def test_bans_are_kept_whatever_the_prompt(data: st.DataObject) -> None:
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(dim=64, depth=1, max_length=64)).eval()
    low = data.draw(st.integers(0, 127))
    bans = Bans((low, data.draw(st.integers(low, 127))), data.draw(st.integers(1, 3)), data.draw(st.integers(1, 9)))
    note = st.tuples(st.integers(0, 9), st.integers(0, 11), st.integers(0, 127), st.just(12), st.sampled_from([0, 40]))
    song = encode(rows(*data.draw(st.lists(note, min_size=1, max_size=6))))
    prompt = song[: data.draw(st.integers(1, len(song) - 1))]
    result = generate(model, [prompt], Options(25, bans=bans, seed=data.draw(st.integers(0, 99))))[0]
    check_song(result)
    new = decode(result[len(prompt) :])
    if len(new):
        assert bans.pitches[0] <= new[:, 2].min() <= new[:, 2].max() <= bans.pitches[1]
        assert new[:, 0].max() < (bans.max_beat or 0)
        _, counts = np.unique(new[:, 0] * 12 + new[:, 1], return_counts=True)
        assert counts.max() <= (bans.polyphony or 0)


def test_a_song_that_would_go_on_after_its_last_beat_ends_there() -> None:
    """An untrained model draws any of 256 beats: held to the first one, it has hardly a second note to write there."""
    torch.random.manual_seed(0)
    model = MMT(MMTConfig(dim=64, depth=1, max_length=64)).eval()
    songs = generate(model, [instrument_informed(["piano"])] * 8, Options(30, bans=Bans(max_beat=1), seed=0))
    written = [len(decode(song)) for song in songs]
    assert min(written) >= 1
    assert max(written) <= 3


def test_the_grammar_never_leaves_a_field_without_a_code() -> None:
    """Random walks in a tiny world, where room runs out all the time."""
    sizes = (5, 3, 3, 4, 3, 3)
    rng = np.random.default_rng(0)
    for _ in range(60):
        rules = Grammar(sizes, 1, Bans((0, 2)))
        events = np.zeros((1, 6), np.int64)
        rules.read(events)
        for _ in range(80):
            chosen = np.zeros((1, 6), np.int64)
            for column in range(6):
                kind = int(chosen[0, 0])
                if column == 0 or kind == NOTE or (kind == INSTRUMENT and column == 5):
                    choices = np.flatnonzero(rules.allowed(column, chosen)[0])
                    assert len(choices)
                    chosen[0, column] = int(rng.choice(choices))
            rules.read(chosen)
            if chosen[0, 0] == END_OF_SONG:
                break
        assert chosen[0, 0] == END_OF_SONG  # the world is used up at last


def test_the_paper_s_rules_keep_types_and_beats_in_order(model: MMT) -> None:
    song = generate(model, [unconditioned()], Options(60, PAPER, "published", seed=1))[0]
    assert (np.diff(song[:, 0]) >= 0).all()
    beats = song[song[:, 0] == NOTE, 1]
    assert (np.diff(beats) >= 0).all()


# --- prompts ---------------------------------------------------------------------------------------------------------


def test_a_continuation_keeps_all_notes_before_the_beat_and_all_instruments() -> None:
    song = encode(rows((0, 0, 60, 12, 0), (3, 11, 60, 12, 0), (4, 0, 60, 12, 40)))
    kept = continuation(song, 4)
    assert kept[:, 0].tolist() == [0, 1, 1, 2, 3, 3]


def test_a_continuation_of_nothing_is_refused() -> None:
    late = encode(rows((8, 0, 60, 12, 0)))
    with pytest.raises(EncodingError, match="the first note is at beat 8"):
        continuation(late, 4)
    with pytest.raises(EncodingError, match="the song has no note"):
        continuation(encode(rows()), 4)


def test_prompts_that_the_model_cannot_read_are_refused(model: MMT) -> None:
    with pytest.raises(EncodingError, match="at least one event"):
        generate(model, [np.zeros((0, 6), np.int64)])
    with pytest.raises(EncodingError, match="does not know"):
        generate(model, [encode(rows((1000, 0, 60, 12, 0)))[:-1]])
    with pytest.raises(EncodingError, match="no instrument"):
        instrument_informed([])


# --- filters ---------------------------------------------------------------------------------------------------------


def test_filters_keep_what_their_names_say() -> None:
    logits = np.log([[0.5, 0.3, 0.1, 0.06, 0.04]])
    assert kept(keep_largest(logits, 2)) == [0, 1]
    assert kept(keep_mass(logits, 0.75)) == [0, 1]
    assert kept(keep_mass(logits, 0.81)) == [0, 1, 2]
    assert kept(keep_mass(logits, 0.0)) == [0]
    assert filtered(logits, "min-p", 0.15).nonzero()[1].tolist() == [0, 1, 2]
    assert filtered(logits, "top-k", 0.4).nonzero()[1].tolist() == [0, 1]
    np.testing.assert_allclose(filtered(logits, "top-k", 0.4), [[0.625, 0.375, 0, 0, 0]])


def kept(logits: Logits) -> list[int]:
    return np.flatnonzero(np.isfinite(logits[0])).tolist()


@pytest.mark.parametrize(
    ("size", "expected"), [(5, 1), (257, 26), (13, 2), (129, 13), (33, 4), (65, 7), (372, 38), (1264, 127)]
)
def test_the_published_top_k_keeps_the_published_numbers_of_codes(size: int, expected: int) -> None:
    logits = np.random.default_rng(0).normal(size=(1, size))
    assert int((filtered(logits, "published-top-k", 0.9) > 0).sum()) == expected


def test_the_published_top_p_is_the_usual_one_inverted() -> None:
    logits = np.random.default_rng(0).normal(size=(1, 40))
    np.testing.assert_allclose(filtered(logits, "published-top-p", 0.9), filtered(logits, "top-p", 0.1))


def test_the_published_top_a_makes_survivors_equally_likely() -> None:
    probabilities = filtered(np.log([[0.6, 0.39, 0.006, 0.004]]), "published-top-a", 0.9)
    np.testing.assert_allclose(probabilities, [[0.5, 0.5, 0.0, 0.0]])


def test_entmax_lies_between_softmax_and_sparsemax() -> None:
    logits = np.array([[2.0, 1.0, -3.0]])
    nearly_softmax = entmax(logits, 1.001)
    np.testing.assert_allclose(nearly_softmax, softmax(logits), atol=5e-3, rtol=5e-3)
    assert entmax(logits, 1.9)[0, 2] == 0
    np.testing.assert_allclose(entmax(logits, 1.3).sum(-1), 1.0, rtol=1e-6)


def test_codes_are_drawn_as_often_as_they_are_likely() -> None:
    logits = np.log(np.array([[0.5, 0.0, 0.3, 0.2]]), where=[[True, False, True, True]], out=np.full((1, 4), -np.inf))
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_codes(logits, Sampling(filter="none"), 0, [generator])[0] for _ in range(4000)]
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    np.testing.assert_allclose(shares, [0.5, 0.0, 0.3, 0.2], atol=0.03)
    with pytest.raises(ValueError, match="forbid every code"):
        draw_codes(np.full((1, 4), -np.inf), Sampling(), 0, [generator])


def test_settings_of_sampling_are_checked() -> None:
    with pytest.raises(ValueError, match="temperature"):
        Sampling(temperature=0.0)
    with pytest.raises(ValueError, match="filter"):
        Sampling(filter="top")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="threshold"):
        Sampling(threshold=(0.9, 1.1, 0.9, 0.9, 0.9, 0.9))
