"""Small whole files of every kind that the six commands read, and models that have learned nothing."""

from __future__ import annotations

import json
from pathlib import Path

import muspy_core
import numpy as np
import torch
from clipsep.checkpoint import Training
from clipsep.checkpoint import save_checkpoint as save_separator
from clipsep.model import build_model
from clipsonic.checkpoint import Network, QuerySpace, save_network, save_vocoder
from clipsonic.config import MelConfig
from clipsonic.features.queries import LabelEncoder
from clipsonic.vocoder.config import InverterConfig
from clipsonic.vocoder.inverter import Inverter
from deepperformer.checkpoint import save_checkpoint as save_performer
from deepperformer.config import ISTFTConfig, SynthesisConfig
from deepperformer.features.spectrogram import MelDefinition
from deepperformer.model import SynthesisModel
from deepperformer.vocoder.istft import ISTFTInverter
from media_samples import write_video
from mmt.config import MMTConfig
from mmt.model import MMT
from muspy_core import Audio
from PIL import Image
from small_networks import network

# One chord a beat, from the highest to the lowest part.
CHORDS = [(72, 67, 64, 48), (71, 67, 62, 43), (72, 67, 60, 45), (74, 65, 57, 50)]
LABELS = ("flute", "violin")
RATE = 16_000
NOTES = [(beat, pitch) for beat in range(8) for pitch in sorted(CHORDS[beat % 4])]


def piece(beats: int = 8) -> muspy_core.Music:
    """Chords for the four parts of a quartet."""
    tracks = [
        muspy_core.Track(
            program=program,
            name=name,
            notes=[muspy_core.Note(24 * beat, CHORDS[beat % 4][part], 24) for beat in range(beats)],
        )
        for part, (program, name) in enumerate(((40, "Violin 1"), (40, "Violin 2"), (41, "Viola"), (42, "Cello")))
    ]
    return muspy_core.Music(
        resolution=24,
        tempos=[muspy_core.Tempo(0, 120)],
        time_signatures=[muspy_core.TimeSignature(0, 4, 4)],
        tracks=tracks,
    )


def tone(seconds: float = 0.5, hz: float = 440.0) -> Audio:
    """A note of one instrument."""
    times = np.arange(round(seconds * RATE)) / RATE
    return Audio(0.3 * np.sin(2 * np.pi * hz * times), RATE)


def write_files(folder: Path) -> None:
    """Write music, sounds, a video, a picture and tables; names say what they are."""
    for form in ("mid", "musicxml", "mxl", "abc", "json", "yaml"):
        piece().write(folder / f"song.{form}")
    for form in ("wav", "flac", "mp3"):
        tone().write(folder / f"sound.{form}")
    write_video(folder / "clip.mp4", seconds=1.0)
    Image.new("RGB", (32, 32), "red").save(folder / "picture.png")
    for label in LABELS:
        (folder / "sounds" / label).mkdir(parents=True)
        for number in range(3):
            tone(1.0, 200 * (number + 1)).write(folder / "sounds" / label / f"{number}.wav")
    (folder / "prompts.csv").write_text("text,name,n\nflute,a,1\nviolin,b,1\n", encoding="utf-8")
    (folder / "locks.csv").write_text("0,C3,Bass\n1,C5,Soprano\n", encoding="utf-8")
    (folder / "questions.yaml").write_text("title: Which is better?\nquestions: [How good?]\n", encoding="utf-8")
    (folder / "wordings.csv").write_text("label,text,split\nflute,a high pipe,train\n", encoding="utf-8")
    sounds = [f"sounds/{label}/{number}.wav,{label}" for label in LABELS for number in range(3)]
    (folder / "list.csv").write_text("\n".join(["path,label", *sounds]) + "\n", encoding="utf-8")
    notes = [f"{24 * beat},{24 * beat + 24},{pitch},64,{beat / 2},{beat / 2 + 0.5}" for beat, pitch in NOTES]
    lines = ["onset,offset,pitch,velocity,start,end", *notes]
    (folder / "timings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    np.save(folder / "mel.npy", np.full((20, 80), -4.0, np.float32))


def write_models(folder: Path) -> None:
    """Write a model of each package that has one below a folder of its name."""
    torch.random.manual_seed(0)
    MMT(MMTConfig(dim=64, depth=1, max_length=64)).save_pretrained(folder / "mmt")
    sizes = {"dim": 16, "attention_dim": 16, "ffn": 16, "encoder_layers": 1, "performers": 2}
    synthesis = SynthesisModel(SynthesisConfig(**sizes, decoder_layers=1))
    synthesis.start_from_mean(torch.full((80,), -4.0))
    performer = folder / "deepperformer"
    save_performer(performer / "synthesis", synthesis, MelDefinition(), ("ann", "bob"))
    save_performer(performer / "inverter", ISTFTInverter(ISTFTConfig(dim=16, hidden=16, layers=1)), MelDefinition())
    separator = build_model("labelsep", width=2, depth=5, labels=list(LABELS))
    save_separator(folder / "clipsep", separator, Training(encoder={"kind": "labels"}))
    vectors = torch.from_numpy(LabelEncoder(8).texts(list(LABELS)))
    space = QuerySpace("labels-8")
    save_network(folder / "clipsonic" / "network", Network(network(), MelConfig(), space, LABELS, vectors))
    save_vocoder(folder / "clipsonic" / "vocoder", Inverter(InverterConfig(8, 16, 1)))


def write_listening_test(folder: Path) -> None:
    """Write the key of a listening test and an answer to it."""
    key = {"questions": [{"kind": "mos", "text": "How good?"}], "sounds": {"s1.wav": {"system": "ours", "item": "one"}}}
    (folder / "key.json").write_text(json.dumps(key), encoding="utf-8")
    answer = {"listener": "l1", "question": 0, "sounds": ["s1.wav"], "value": 4}
    (folder / "answers.json").write_text(json.dumps({"answers": [answer]}), encoding="utf-8")
