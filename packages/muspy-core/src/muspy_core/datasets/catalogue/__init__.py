"""The catalogue: every data set that is known by name, with its source, licence and citation.

Keys and classes of MusPy keep their names. A checksum that nobody could verify is not there, and the table says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from muspy_core.datasets.base import Dataset
from muspy_core.datasets.catalogue.chorales import JSBChoralesDataset
from muspy_core.datasets.catalogue.extracted import DatasetFilesError, OfficialSplit
from muspy_core.datasets.catalogue.folk import EssenFolkSongDatabase, NottinghamDatabase
from muspy_core.datasets.catalogue.games import NESMusicDatabase
from muspy_core.datasets.catalogue.haydn import HaydnOp20Dataset
from muspy_core.datasets.catalogue.hymnal import HymnalDataset, HymnalTuneDataset
from muspy_core.datasets.catalogue.lakh import LakhMIDIAlignedDataset, LakhMIDIDataset, LakhMIDIMatchedDataset
from muspy_core.datasets.catalogue.lead_sheets import WikifoniaDataset
from muspy_core.datasets.catalogue.maestro import MAESTRODatasetV1, MAESTRODatasetV2, MAESTRODatasetV3
from muspy_core.datasets.catalogue.openscore import OpenScoreLiederDataset, OpenScoreStringQuartetsDataset
from muspy_core.datasets.catalogue.orchestral import MusicNetDataset, SymbolicOrchestralDatabase, SymphonyNetDataset
from muspy_core.datasets.catalogue.piano import ASAPDataset, EMOPIADataset, GiantMIDIPianoDataset
from muspy_core.datasets.catalogue.pop import POP909Dataset
from muspy_core.datasets.corpus import (
    AirdsAirsDataset,
    EssenCorpusDataset,
    Music21ChoralesDataset,
    Music21Dataset,
    Music21WithoutBachDataset,
    ONeillsDataset,
    RyansMammothDataset,
)

__all__ = [
    "CATALOGUE",
    "ASAPDataset",
    "DatasetFilesError",
    "EMOPIADataset",
    "EssenFolkSongDatabase",
    "GiantMIDIPianoDataset",
    "HaydnOp20Dataset",
    "HymnalDataset",
    "HymnalTuneDataset",
    "JSBChoralesDataset",
    "LakhMIDIAlignedDataset",
    "LakhMIDIDataset",
    "LakhMIDIMatchedDataset",
    "MAESTRODatasetV1",
    "MAESTRODatasetV2",
    "MAESTRODatasetV3",
    "MusicNetDataset",
    "NESMusicDatabase",
    "NottinghamDatabase",
    "OfficialSplit",
    "OpenScoreLiederDataset",
    "OpenScoreStringQuartetsDataset",
    "POP909Dataset",
    "SymbolicOrchestralDatabase",
    "SymphonyNetDataset",
    "WikifoniaDataset",
    "get_dataset",
    "list_datasets",
]

CATALOGUE: Mapping[str, type[Dataset]] = {
    "airds": AirdsAirsDataset,
    "asap": ASAPDataset,
    "emopia": EMOPIADataset,
    "essen": EssenFolkSongDatabase,
    "essen-music21": EssenCorpusDataset,
    "giantmidi": GiantMIDIPianoDataset,
    "haydn": HaydnOp20Dataset,
    "hymnal": HymnalDataset,
    "hymnal-tune": HymnalTuneDataset,
    "jsb": JSBChoralesDataset,
    "lmd": LakhMIDIDataset,
    "lmd-aligned": LakhMIDIAlignedDataset,
    "lmd-matched": LakhMIDIMatchedDataset,
    "maestro-v1": MAESTRODatasetV1,
    "maestro-v2": MAESTRODatasetV2,
    "maestro": MAESTRODatasetV3,
    "music21": Music21Dataset,
    "music21-jsb": Music21ChoralesDataset,
    "music21-without-bach": Music21WithoutBachDataset,
    "musicnet": MusicNetDataset,
    "nes": NESMusicDatabase,
    "nmd": NottinghamDatabase,
    "oneills": ONeillsDataset,
    "openscore-lieder": OpenScoreLiederDataset,
    "openscore-quartets": OpenScoreStringQuartetsDataset,
    "pop909": POP909Dataset,
    "ryans": RyansMammothDataset,
    "sod": SymbolicOrchestralDatabase,
    "symphonynet": SymphonyNetDataset,
    "wikifonia": WikifoniaDataset,
}
ALIASES: Mapping[str, str] = {"lmd-full": "lmd", "maestro-v3": "maestro"}


def get_dataset(key: str) -> type[Dataset]:
    """Return the class of a data set by its key ("lmd", "maestro", "pop909", …), in any case.

    Raises ValueError, which lists the keys, for an unknown one.
    """
    name = key.lower().replace("_", "-")
    try:
        return CATALOGUE[ALIASES.get(name, name)]
    except KeyError:
        raise ValueError(f"no data set is called {key!r}; there are {', '.join(CATALOGUE)}") from None


def list_datasets() -> list[type[Dataset]]:
    """Return the classes of all data sets in the catalogue, in the order of their keys."""
    return list(CATALOGUE.values())
