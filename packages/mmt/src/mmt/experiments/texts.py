"""What stands above each table of the results page, and the heads of the tables."""

from __future__ import annotations

MODELS = """\
## Models of one size

Width 128, 3 layers, 500 steps of 8 excerpts of 64 notes, each model with the same excerpts in the same order; the best
of two validations. Mean ± standard deviation over seeds. Conditional heads have a third more parameters.

| | -log p of a note | seeds | parameters | by seed |
|---|---|---|---|---|"""

COVERAGE = """\
## Music within 1,024 events

Events a note over whole songs, and the beats that the first 1,024 events hold where a song is cut in time, of songs
that no encoding holds whole; no training. MMT by another encoding: the mean ratio, song by song. The paper says 2.6
times MMM's and 3.5 times REMI+'s music.

| | songs | events a note: MMT | MMM | REMI+ | long songs | beats: MMT | MMM | REMI+ | MMT by MMM | MMT by REMI+ |
|---|---|---|---|---|---|---|---|---|---|---|"""

SAMPLES = """\
## Samples: length and speed

100 songs from nothing, of at most 1,024 events. The models of one size have learned excerpts of 64 notes, and their
songs are as long. Length at 100 beats a minute. The paper's speed is that of its GPU, without a cache.

| | length (s) | notes a song | notes a second, 25 at once | s a note, one alone | without cache | paper: length (s) \
| paper: notes a second |
|---|---|---|---|---|---|---|---|"""

METRICS = """\
## Samples beside the test songs

| | pitch class entropy | scale consistency | groove consistency | within 1 sd of the test songs | -log p of a note \
| a bigram's | longest run in a training song | instruments that play |
|---|---|---|---|---|---|---|---|---|"""

VALIDITY = """\
## Faults of samples

Shares of songs with a fault, from the same weights. Undeclared, unused: instruments that play and are not listed, or
are listed and do not play (a song that is cut at its length may not have come to them). Crowded: more notes at once
than in any test song.
"""

INFILLING = """\
## Filling in

The bundled model on eight beats in the middle of test songs: with the music on both sides in view, with the music
before alone, and from nothing but the instruments. -log p is that of the song's own notes there. Overlap: what the
pitch classes of the notes that it writes have in common with the song's own; the other columns are the mean difference
of a metric from that of the song's own notes. Notes outside the bars stay bit for bit, which a test looks after.

| | -log p of a note | minus filling in | overlap of pitch classes | pitch class entropy | scale consistency \
| groove consistency |
|---|---|---|---|---|---|---|"""

WHOLE = """\
## Whole music

What the bundled model `extended` pays for each field of a note, in nats, on test songs: types, beats and so on in the
order in which it says them, each given those before. The first six are the paper's fields, here of pitched notes and
drums together; velocity, tempo and time signature are what whole music adds. A note stays one event.
"""

ATTENTION = """\
## What the models attend to

The paper's findings (§3.4.4) as claims about the gain of the last layer's attention: at some differences between the
event that is predicted and those seen, minus that at their neighbours. Mean over test songs with the 95 % interval of a
bootstrap over songs (1,000 resamples); *holds* if all of it is above 0, *fails* if below. The baseline is causal:
uniform over what is seen. *Full* is the published baseline, uniform over all pairs. The paper finds heads 2 and 6 of
its 8 near in time.
"""

OPINIONS = """\
## What listeners said (the paper's)

Mean opinions of nine listeners from 1 to 5, for reference. We have asked no listeners. `muspy-core listening build`
makes the same test of any songs, with coherence, richness and arrangement as its three questions
([listening tests](../muspy-core/listening.md)).

| | coherence | richness | arrangement | overall |
|---|---|---|---|---|"""
