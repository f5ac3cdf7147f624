"""Commands in the documentation are commands that the programs understand: every option exists, every name too.

They are parsed, not run: their files are the reader's. Python examples run page by page (conftest.py of the workspace).
"""

from __future__ import annotations

import importlib
import itertools
import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from console_runs import run
from muspy_core.configurations import configuration_path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("muspy-core", "mmt", "arranger", "deepperformer", "clipsep", "clipsonic")
LAUNCHERS = ("srun", "torchrun")
PAGES = sorted({ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")})
BLOCK = re.compile(r"^( *)```(?:sh|console|bash|text)\n(.*?)^\1```", re.M | re.S)
SPLIT = re.compile(r"\s(?:&&|\|\||[|;&])\s|\s>\s.*")


def commands_of(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each command of ours in the blocks of a page, the program first."""
    for _, block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in SPLIT.split(line.strip().removeprefix("$ ")):
                words = shlex.split(part, comments=True) if part.startswith((*PROGRAMS, *LAUNCHERS)) else []
                if words and words[0] in LAUNCHERS:
                    words = list(itertools.dropwhile(lambda word: word not in PROGRAMS, words))
                # A line such as "mmt → arranger" in a picture made of text names programs, but gives no verb.
                if words and words[0] in PROGRAMS and len(words) > 1 and re.fullmatch(r"[a-z-]+", words[1]):
                    yield words


COMMANDS = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)[:60]}")
    for page in PAGES
    for words in commands_of(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_documented_command_is_understood(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = words
    package = program.replace("-", "_")
    if arguments[0] == "fit":
        for name, value in itertools.pairwise(arguments):
            if name in ("-c", "--config") and not value.endswith((".yaml", ".yml")):
                assert configuration_path(value, Path(str(files(package) / "configs")))
        return
    parser = importlib.import_module(f"{package}.cli")._parser()
    try:
        parser.parse_args(arguments)
    except SystemExit:
        pytest.fail(f"{shlex.join(words)}: {capsys.readouterr().err}")


def trains_a_shipped_configuration(words: list[str]) -> bool:
    """Whether a command is `fit` with a configuration of the package, and not with a file of the reader."""
    return words[1] == "fit" and "-c" in words and not any(word.endswith((".yaml", ".yml")) for word in words)


@pytest.mark.slow  # LightningCLI takes seconds to learn what the classes of a configuration want
@pytest.mark.parametrize(
    "words",
    [pytest.param(*case.values, id=case.id) for case in COMMANDS if trains_a_shipped_configuration(case.values[0])],
)
def test_a_documented_training_has_a_configuration_that_is_whole(words: list[str]) -> None:
    program, *arguments = words
    ending = run(program, [argument for argument in arguments if argument != "--help"] + ["--print_config"])
    assert (ending.code, ending.errors) == (0, ())
    assert "trainer:" in ending.out


def test_commands_are_found_in_pages() -> None:
    page = "```console\n$ mmt generate -o songs \\\n    --n 2 && arranger live --list\n$ srun mmt fit -c a > log\n```\n"
    first, second, third = commands_of(page)
    assert first == ["mmt", "generate", "-o", "songs", "--n", "2"]
    assert second == ["arranger", "live", "--list"]
    assert third == ["mmt", "fit", "-c", "a"]
    assert len(COMMANDS) > 100


def test_an_option_that_does_not_exist_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(pytest.fail.Exception, match="--no-such-option"):
        test_a_documented_command_is_understood(["mmt", "generate", "-o", "songs", "--no-such-option"], capsys)
