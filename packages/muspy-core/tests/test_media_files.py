"""Sound and pictures out of real videos: every container, odd ones, damaged ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from muspy_core import Audio
from muspy_core.errors import MediaError

av = pytest.importorskip("av", reason="PyAV (muspy-core[media]) is not installed")
pytest.importorskip("PIL", reason="Pillow (muspy-core[media]) is not installed")

from media_samples import CODECS, RATE, brightness, pitch_of, rotate, sine, write_video  # noqa: E402 - needs PyAV
from muspy_core.media import (  # noqa: E402
    evenly_spaced_frames,
    extract_audio,
    probe,
    read_audio,
    read_clip,
    read_frames,
    read_picture,
    stream_audio,
    stream_frames,
)
from muspy_core.media.files import check_whole  # noqa: E402

SUFFIXES = sorted(CODECS)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three seconds, ten pictures a second growing brighter, a tone of 440 Hz, in every container."""
    folder = tmp_path_factory.mktemp("videos")
    return {suffix: write_video(folder / f"video{suffix}", options=early_index(suffix)) for suffix in SUFFIXES}


def early_index(suffix: str) -> dict[str, str]:
    """MP4 files with their index at the front can be read, up to where they are cut off."""
    return {"movflags": "faststart"} if suffix in (".mp4", ".mov") else {}


def grey(pixels: np.ndarray) -> int:
    return int(pixels[40, 50, 0])


class TestEveryContainer:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_is_described(self, videos: dict[str, Path], suffix: str) -> None:
        info = probe(videos[suffix])
        assert (info.kind, info.width, info.height, info.rotation) == ("video", 64, 48, 0)
        assert (info.sample_rate, info.channels, info.has_audio) == (RATE, 1, True)
        assert info.duration_s == pytest.approx(3.0, abs=0.03)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_gives_its_sound(self, videos: dict[str, Path], suffix: str) -> None:
        audio = read_audio(videos[suffix])
        assert audio.duration == pytest.approx(3.0, abs=0.03)
        assert pitch_of(audio.samples[0], RATE) == pytest.approx(440, abs=1)
        assert audio.rms == pytest.approx(0.3 / 2**0.5, abs=0.015)  # the MP3 encoder is 5 % softer

    @pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix != ".avi"])
    def test_gives_the_picture_of_a_time(self, videos: dict[str, Path], suffix: str) -> None:
        frames = read_frames(videos[suffix], [2.9, 0.0, 1.04, 1.06])
        assert [frame.time_s for frame in frames] == pytest.approx([2.9, 0.0, 1.0, 1.1], abs=0.002)
        assert [grey(f.pixels) for f in frames] == pytest.approx([brightness(i, 30) for i in (29, 0, 10, 11)], abs=4)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_is_whole(self, videos: dict[str, Path], suffix: str) -> None:
        check_whole(videos[suffix])
        assert len(list(stream_frames(videos[suffix]))) == 30


class TestSound:
    def test_segments_are_parts_of_the_whole(self, tmp_path: Path) -> None:
        noise = 0.1 * np.random.default_rng(0).standard_normal((1, 3 * RATE)).astype(np.float32)
        path = write_video(tmp_path / "noise.mkv", sound=noise)  # FLAC: nothing is lost
        whole = read_audio(path)
        assert np.abs(whole.samples - noise).max() < 1e-4
        for start_s, end_s in ((0.0, 0.1), (0.3, 0.9), (1.5, 2.0), (2.9, None)):
            part = read_audio(path, start_s=start_s, end_s=end_s)
            assert np.array_equal(part.samples, whole.excerpt(start_s, end_s).samples)

    def test_blocks_are_those_of_the_whole_at_another_rate(self, videos: dict[str, Path]) -> None:
        path = videos[".mp4"]
        blocks = list(stream_audio(path, sample_rate=16000, channels=2, block_frames=1000))
        assert {block.frames for block in blocks[:-1]} == {1000}
        joined = np.concatenate([block.samples for block in blocks], axis=1)
        whole = read_audio(path).resample(16000).to_stereo()
        assert joined.shape == whole.samples.shape == (2, 48000)
        assert np.abs(joined - whole.samples).max() < 1e-6

    def test_silence_stands_where_the_sound_begins_late(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "late.mkv", sound=sine(1.0))
        late = tmp_path / "shifted.mkv"
        with av.open(str(path)) as source, av.open(str(late), "w") as target:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is None:
                    continue
                if packet.stream.type == "audio":
                    packet.pts, packet.dts = packet.pts + 1500, packet.dts + 1500
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
        with av.open(str(late)) as container:
            start = 1.5 - container.start_time / 1e6  # times count from the first picture
        audio = read_audio(late)
        assert audio.duration == pytest.approx(start + 1.0, abs=0.01)
        assert audio.excerpt(0, start - 0.01).peak == 0
        assert pitch_of(audio.excerpt(start).samples[0], RATE) == pytest.approx(440, abs=1)

    def test_sound_files_need_no_video_library(self, tmp_path: Path) -> None:
        Audio(sine(2.0), RATE).write(tmp_path / "tone.wav")
        assert read_audio(tmp_path / "tone.wav") == Audio.read(tmp_path / "tone.wav")
        clip = read_clip(tmp_path / "tone.wav", "tone", start_s=0.5, end_s=1.5, sample_rate=16000)
        assert (clip.label, clip.start_s, clip.end_s, clip.audio.frames) == ("tone", 0.5, 1.5, 16000)

    def test_a_piece_of_music_with_a_cover_is_a_sound(self, tmp_path: Path) -> None:
        path = tmp_path / "song.mp3"
        with av.open(str(path), "w") as container:
            track = container.add_stream("libmp3lame", rate=RATE, layout="mono")
            cover = container.add_stream("png", rate=1)
            cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
            cover.disposition = av.stream.Disposition.attached_pic
            container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")))
            frame = av.AudioFrame.from_ndarray(sine(1.0), "fltp", "mono")
            frame.sample_rate = RATE
            for piece in [*av.AudioResampler(track.format.name, "mono", RATE, frame_size=1152).resample(frame), None]:
                container.mux(track.encode(piece))
        assert probe(path).kind == "audio"
        assert not probe(path).has_pictures

    def test_extraction_is_whole_or_not_there(self, videos: dict[str, Path], tmp_path: Path) -> None:
        target = tmp_path / "sound.flac"
        assert extract_audio(videos[".mp4"], target, sample_rate=16000, channels=1) == pytest.approx(3.0)
        assert (Audio.read(target).sample_rate, Audio.read(target).frames) == (16000, 48000)
        with pytest.raises(FileExistsError):
            extract_audio(videos[".mp4"], target)
        with pytest.raises(MediaError, match="cut off"):
            extract_audio(cut(videos[".mp4"], tmp_path), tmp_path / "other.wav")
        assert not (tmp_path / "other.wav").exists()


class TestPictures:
    def test_variable_rates_give_the_nearest_picture(self, tmp_path: Path) -> None:
        for suffix in (".mp4", ".webm"):
            path = write_video(tmp_path / f"variable{suffix}", times_s=[0, 0.1, 0.15, 1.0, 2.7])
            found = [frame.time_s for frame in read_frames(path, [0.12, 0.13, 0.5, 0.6, 2.9])]
            assert found == pytest.approx([0.1, 0.15, 0.15, 1.0, 2.7])
        assert probe(tmp_path / "variable.mp4").fps == pytest.approx(5 / 3, abs=0.01)

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_pictures_are_upright(self, tmp_path: Path, degrees: int) -> None:
        path = rotate(write_video(tmp_path / "phone.mp4", seconds=0.5), degrees)
        info = probe(path)
        assert info.rotation == degrees
        assert (info.width, info.height) == ((64, 48) if degrees == 180 else (48, 64))
        pixels = read_frames(path, [0.0])[0].pixels
        assert pixels.shape == (info.height, info.width, 3)
        # The white quarter, stored at the top left, goes round.
        corner = {90: (2, -3), 180: (-3, -3), 270: (-3, 2)}[degrees]
        assert pixels[corner].min() > 240

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    @pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program FFmpeg is the oracle of this test")
    def test_pictures_are_those_that_ffmpeg_shows(self, tmp_path: Path, degrees: int) -> None:
        path = rotate(write_video(tmp_path / "phone.mp4", seconds=0.5), degrees)
        command = ["ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", tmp_path / "first.png"]
        subprocess.run(command, check=True)
        assert np.array_equal(read_picture(tmp_path / "first.png").pixels, read_frames(path, [0.0])[0].pixels)

    def test_sizes(self, videos: dict[str, Path]) -> None:
        frame = read_frames(videos[".mp4"], [0.0], short_side=24)[0]
        assert frame.pixels.shape == (24, 32, 3)
        assert read_frames(videos[".mp4"], [0.0], short_side=24, crop=(20, 30))[0].pixels.shape == (20, 30, 3)
        assert np.array_equal(
            read_frames(videos[".mp4"], [0.0], crop=48)[0].pixels, read_frames(videos[".mp4"], [0.0])[0].pixels[:, 8:56]
        )

    def test_evenly_spaced_pictures_stand_in_the_middle_of_their_parts(self, videos: dict[str, Path]) -> None:
        times = [frame.time_s for frame in evenly_spaced_frames(videos[".mkv"], 3)]
        assert times == pytest.approx([0.5, 1.5, 2.5])
        part = evenly_spaced_frames(videos[".mkv"], 1, start_s=1.0, end_s=2.0)
        assert part[0].time_s == pytest.approx(1.5)

    def test_a_stream_at_a_rate(self, videos: dict[str, Path]) -> None:
        assert [f.time_s for f in stream_frames(videos[".webm"], fps=1)] == pytest.approx([0, 1, 2])
        part = stream_frames(videos[".mp4"], fps=2, start_s=1.0, end_s=2.5)
        assert [f.time_s for f in part] == pytest.approx([1, 1.5, 2])
        stored = stream_frames(videos[".mp4"], start_s=2.55)
        assert [f.time_s for f in stored] == pytest.approx([2.6, 2.7, 2.8, 2.9])

    def test_far_times_of_a_long_video_are_jumped_to(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "long.mp4", seconds=60, fps=5, sound=np.zeros((1, 0), np.float32))
        frames = read_frames(path, [55.0, 3.0, 30.04])
        assert [frame.time_s for frame in frames] == pytest.approx([55.0, 3.0, 30.0], abs=0.11)
        assert [grey(f.pixels) for f in frames] == pytest.approx([brightness(i, 300) for i in (275, 15, 150)], abs=4)

    def test_images_are_upright_and_on_white(self, tmp_path: Path) -> None:
        from PIL import Image

        clear = Image.new("RGBA", (8, 6), (0, 0, 0, 0))
        clear.save(tmp_path / "clear.png")
        assert read_picture(tmp_path / "clear.png").pixels.min() == 255
        turned = Image.fromarray(np.zeros((6, 8, 3), np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(tmp_path / "phone.jpg", exif=exif)
        assert read_picture(tmp_path / "phone.jpg").pixels.shape == (8, 6, 3)
        assert read_frames(tmp_path / "phone.jpg", [0.0, 5.0])[1].pixels.shape == (8, 6, 3)


def cut(path: Path, folder: Path) -> Path:
    """The first two thirds of a file."""
    content = path.read_bytes()
    target = folder / f"cut{path.suffix}"
    target.write_bytes(content[: len(content) * 2 // 3])
    return target


class TestBadFiles:
    @pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm", ".mkv"])
    def test_a_file_that_is_cut_off_is_never_taken_for_whole(
        self, videos: dict[str, Path], tmp_path: Path, suffix: str
    ) -> None:
        path = cut(videos[suffix], tmp_path)
        for work in (read_audio, check_whole, lambda path: list(stream_frames(path))):
            with pytest.raises(MediaError, match=rf"cut\{suffix}: (truncated|damaged or cut off)"):
                work(path)
        # What stands before the end is there.
        assert read_frames(path, [1.0])[0].time_s == pytest.approx(1.0)
        assert read_audio(path, start_s=0.2, end_s=1.2).frames == RATE

    def test_missing_streams_are_named(self, tmp_path: Path) -> None:
        mute = write_video(tmp_path / "mute.mp4", sound=np.zeros((1, 0), np.float32))
        with pytest.raises(MediaError, match=r"mute\.mp4: has no sound"):
            read_audio(mute)
        assert not probe(mute).has_audio
        Audio(sine(1.0), RATE).write(tmp_path / "tone.wav")
        with pytest.raises(MediaError, match=r"tone\.wav: has no pictures"):
            read_frames(tmp_path / "tone.wav", [0.0])

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is empty"),
            (bytes(range(256)) * 20, "no video or sound"),
            (b"#EXTM3U\n#EXTINF:3\nother.ts\n", "no video"),
        ],
        ids=["empty", "junk", "playlist"],
    )
    def test_what_is_no_video_is_refused(self, tmp_path: Path, content: bytes, reason: str) -> None:
        path = tmp_path / "bad.mp4"
        path.write_bytes(content)
        for work in (probe, read_audio, lambda path: read_frames(path, [0.0])):
            with pytest.raises(MediaError, match=rf"bad\.mp4: .*{reason}"):
                work(path)

    def test_a_playlist_of_existing_files_is_not_followed(self, videos: dict[str, Path], tmp_path: Path) -> None:
        path = tmp_path / "list.mp4"
        path.write_text(f"ffconcat version 1.0\nfile {videos['.mp4'].name}\n")
        shutil.copy(videos[".mp4"], tmp_path)
        with pytest.raises(MediaError, match=r"list\.mp4"):
            probe(path)

    def test_bad_images_are_refused(self, tmp_path: Path) -> None:
        from PIL import Image

        Image.new("RGB", (64, 64)).save(tmp_path / "whole.png")
        (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-30])
        (tmp_path / "text.jpg").write_text("no image")
        for name in ("cut.png", "text.jpg"):
            with pytest.raises(MediaError, match=name):
                read_picture(tmp_path / name)

    def test_times_and_sizes_that_cannot_be_are_refused(self, videos: dict[str, Path]) -> None:
        path = videos[".mp4"]
        for times in ([-1.0], [float("nan")], [9.0]):
            with pytest.raises(MediaError, match=r"video\.mp4"):
                read_frames(path, times)
        for sizes in ({"short_side": 0}, {"crop": 99999}, {"short_side": 20, "crop": 30}, {"crop": 50}):
            with pytest.raises(MediaError):
                read_frames(path, [0.0], **sizes)
        for part in ({"start_s": -1}, {"start_s": 2, "end_s": 1}, {"start_s": 9}, {"channels": 3}, {"sample_rate": 0}):
            with pytest.raises(MediaError):
                read_audio(path, **part)
        with pytest.raises(FileNotFoundError):
            probe(path.with_name("nothing.mp4"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    program = (
        "import re, sys\n"
        "from muspy_core.media import extract_audio, stream_frames\n"
        "extract_audio(sys.argv[1], sys.argv[1] + '.wav', sample_rate=16000)\n"
        "for frame in stream_frames(sys.argv[1], fps=1): pass\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    peaks = []
    for minutes in (1, 4):
        path = write_video(tmp_path / f"{minutes}.mp4", seconds=60 * minutes, fps=1)
        done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.05 * peaks[0]
