"""What is measured: columns (corpora) and rows (models) of Tables 4.2 to 4.4, with the paper's figures (§4.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal["decoded", "undecoded", "true history"]


@dataclass(frozen=True)
class Column:
    """A corpus. prefix: of its configurations. bundled: the shipped model. paper: its column in the paper's tables."""

    name: str
    title: str
    corpus: str
    prefix: str
    bundled: str = ""
    paper: str = ""


COLUMNS = {
    "bach": Column("bach", "Bach chorales", "bach", "bach", "bach-chorales", "Bach"),
    "quartets": Column("quartets", "String quartets", "openscore-quartets", "quartets", "string-quartets", "String"),
    "freedoom": Column("freedoom", "Game music in five families (Freedoom)", "freedoom", "freedoom"),
}


@dataclass(frozen=True)
class Row:
    """A line of a table.

    model: name of a baseline, or of a configuration without the column's prefix. mode: of a model, empty for a
    baseline. paper: the paper's figures in percent, by the paper's column. measure: which figure stands beside it.
    """

    title: str
    model: str
    mode: str = ""
    paper: tuple[tuple[str, float], ...] = ()
    measure: Measure = "undecoded"

    def published(self, column: Column) -> float | None:
        """Return the paper's figure for a column."""
        return dict(self.paper).get(column.paper)


def _paper(bach: float, string: float | None = None) -> tuple[tuple[str, float], ...]:
    return (("Bach", bach),) if string is None else (("Bach", bach), ("String", string))


_LSTM = Row("LSTM", "lstm-emb", "causal", _paper(93.02, 67.43))
_LSTM_HINTS = Row("LSTM", "lstm-emb-eh", "causal", _paper(92.70, 62.64))

# (heading, rows): Table 4.2.
MODELS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "Online",
        (
            Row("Zones", "zone", "", _paper(73.14, 58.85), "decoded"),
            Row("MLP, free-running", "mlp", "offline", _paper(81.63, 29.85)),
            _LSTM,
            Row("Transformer-Dec", "transformer-dec-emb", "causal", _paper(91.51, 57.03)),
        ),
    ),
    (
        "Oracle",
        (
            Row("Zones, best for each piece", "zone-oracle", "", _paper(78.33, 66.89), "decoded"),
            Row("MLP, true history", "mlp", "offline", _paper(97.59, 58.16), "true history"),
        ),
    ),
    (
        "Offline",
        (
            Row("BiLSTM", "bilstm-emb-dur", "offline", _paper(97.13, 74.38)),
            Row("Transformer-Enc", "transformer-enc-emb-dur", "offline", _paper(96.81, 58.86)),
        ),
    ),
    (
        "Online, entry hints",
        (
            Row("Closest pitch", "closest", "", _paper(68.87, 50.69), "decoded"),
            Row("Closest pitch, monophonic", "closest-mono", "", _paper(89.76, 42.82), "decoded"),
            _LSTM_HINTS,
            Row("Transformer-Dec", "transformer-dec-emb-eh", "causal", _paper(91.17, 62.12)),
        ),
    ),
    (
        "Offline, entry hints",
        (
            Row("BiLSTM", "bilstm-emb-dur-eh", "offline", _paper(97.39, 71.51)),
            Row("Transformer-Enc", "transformer-enc-emb-dur-eh", "offline", _paper(93.81, 56.72)),
        ),
    ),
)

# Table 4.3: what the LSTM reads. "Raw" is pitch and time as numbers; in Table 4.4 the pitch is always embedded.
FEATURES: tuple[Row, ...] = (
    Row("raw pitch and time", "lstm-raw", "causal", _paper(92.10, 37.29)),
    Row("Emb", "lstm-emb", "causal", _paper(93.02, 67.43)),
    Row("Emb + Dur", "lstm-emb-dur", "offline", _paper(96.17, 66.96)),
    Row("Emb + EH", "lstm-emb-eh", "causal", _paper(92.70, 62.64)),
    Row("Emb + Dur + EH", "lstm-emb-dur-eh", "offline", _paper(95.95, 68.17)),
    Row("Emb + PH", "lstm-emb-ph", "causal", _paper(92.87, 70.20)),
)

# Table 4.4: how time enters the LSTM, and how far the music is transposed in training.
TIME: tuple[Row, ...] = (
    Row("raw time", "lstm-raw-time", "causal", _paper(91.97, 37.26)),
    Row("raw beat and position", "lstm-raw-beat", "causal", _paper(93.13, 66.72)),
    Row("time embedded", "lstm-time", "causal", _paper(92.21, 68.31)),
    Row("beat and position embedded", "lstm-emb", "causal", _paper(93.02, 67.43)),
    Row("no augmentation", "lstm-emb-no-aug", "causal", _paper(93.03, 69.36)),
    Row("light augmentation, −1 to +1", "lstm-emb-light-aug", "causal", _paper(92.85, 68.66)),
    Row("strong augmentation, −5 to +6", "lstm-emb", "causal", _paper(93.02, 67.43)),
)

# Beyond the paper.
OURS: tuple[Row, ...] = (
    Row("most common part", "most-common", "", (), "decoded"),
    Row("MLP without activations (published code)", "mlp-linear", "offline"),
    Row("LSTM with what still sounds, strictly causal", "lstm-causal-context", "causal", (), "decoded"),
    Row("LSTM with the whole onset, onset-synchronous", "lstm-onset-context", "online", (), "decoded"),
    Row("BiLSTM with what sounds around a note, offline", "bilstm-context", "offline", (), "decoded"),
    Row("BiLSTM that knows no time, offline", "bilstm-tempo-free", "tempo-free", (), "decoded"),
)

# The shipped models; which of the three modes a column has is seen from the model's files.
SHIPPED = (
    Row("shipped model, strictly causal", "shipped-causal", "causal", (), "decoded"),
    Row("shipped model, onset-synchronous", "shipped-online", "online", (), "decoded"),
    Row("shipped model, offline", "shipped-offline", "offline", (), "decoded"),
    Row("shipped model without time, offline", "shipped-tempo-free", "tempo-free", (), "decoded"),
)

# Rows of Table 4.3 and 4.4 that the quartets column has; the paper's others are left to the chorales.
_QUARTET_FEATURES = ("lstm-emb", "lstm-emb-dur", "lstm-emb-ph", "lstm-emb-no-aug")


def rows_of(column: Column) -> list[Row]:
    """Return all rows that a column can have, in the order in which they are to be run; a model may have two."""
    table = [row for _, rows in MODELS for row in rows]
    extra = [row for row in (*FEATURES, *TIME) if column.name == "bach" or row.model in _QUARTET_FEATURES]
    return [*table, *OURS, *extra]
