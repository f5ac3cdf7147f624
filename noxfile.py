"""The jobs of the workspace: `nox -l` lists them, `nox -s NAME` runs one in an environment of its own.

Environments are plain `venv` + pip and are kept between runs in `.nox/`; `nox -R` skips the installation.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests"]

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

# Folder below packages/ -> import name, in the order of the dissertation's chapters.
PACKAGES = {
    "muspy-core": "muspy_core",
    "mmt": "mmt",
    "arranger": "arranger",
    "deepperformer": "deepperformer",
    "clipsep": "clipsep",
    "clipsonic": "clipsonic",
}


# ---- what people run


@nox.session
def demo(session: nox.Session) -> None:
    """Take one new piece through all six packages; the result is in demo/ (open demo/index.html)."""
    install(session, *together())
    session.run("python", "together/chain.py", "-o", "demo", "--overwrite", *session.posargs)


@nox.session(name="demo-chorale")
def demo_chorale(session: nox.Session) -> None:
    """Separate a Bach chorale into its four voices, without PyTorch; the result is in demo-chorale/."""
    install(session, "./packages/muspy-core[render]", "./packages/arranger")
    session.run("arranger", "demo", "-o", "demo-chorale", "--overwrite", *session.posargs)


@nox.session
def app(session: nox.Session) -> None:
    """Serve a page on this machine: open a file, choose what to do, listen, download; Ctrl-C ends."""
    install(session, *together())
    session.run("python", "together/app.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests of all packages in one environment; `-- -m slow`: the slow ones, `-- PATH`: those there."""
    install(session, *map(with_extras, PACKAGES), *groups("test", *(f"test-{name}" for name in PACKAGES)))
    pytest(session, "packages", "tests-integration", "docs", "README.md")


def one_package(name: str) -> None:
    """Add the session `tests-NAME`, which shows that a package needs no sibling."""

    def run(session: nox.Session) -> None:
        core = [] if name == "muspy-core" else ["./packages/muspy-core"]
        install(session, *core, with_extras(name), *groups("test", f"test-{name}"))
        pytest(session, f"packages/{name}")

    alone = "alone" if name == "muspy-core" else "with muspy-core and no other of the six packages"
    run.__doc__ = f"The tests of {name} {alone}."
    nox.session(name=f"tests-{name}")(run)


for _name in PACKAGES:
    one_package(_name)


# ---- what keeps it sound


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff (rules and format), mypy, and the rule that packages import no sibling."""
    install(session, "./packages/muspy-core", *groups("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "tools/check_borders.py")
    session.run("mypy", *(f"packages/{name}/src" for name in PACKAGES))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into site/; a broken link or a missing page is an error."""
    install(session, *groups("docs"))
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks with their peers and print the ratios; `-- midi` runs one suite, `--json OUT` keeps them."""
    install(session, "./packages/muspy-core[arrow,interop,render]", *groups("bench"))
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(name="bench-align")
def bench_align(session: nox.Session) -> None:
    """deepperformer's alignment beside its peers on synthetic truth; `-- BACH-VIOLIN SOUNDFONT` says where both lie."""
    install(session, "./packages/muspy-core[render]", "./packages/deepperformer[align]", *groups("bench-align"))
    session.run("python", "benchmarks/deepperformer_alignment.py", *session.posargs)


@nox.session(name="fuzz-parsers")
def fuzz_parsers(session: nox.Session) -> None:
    """The compiled parsers of MIDI and MusicXML under address and undefined-behaviour sanitizers, fed with damage."""
    install(session, "./packages/muspy-core[interop]", *groups("test", "test-muspy-core"))
    suites = [f"packages/muspy-core/tests/test_{form}_backends.py" for form in ("midi", "musicxml")]
    session.run("pytest", *suites, "-m", "compiler", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities (pip-audit) in what `pip install` brings for all six packages with all their extras."""
    install(session, *map(with_extras, PACKAGES), *groups("audit"))
    session.run("pip-audit", "--local", "--skip-editable", "--progress-spinner", "off", *session.posargs)


@nox.session(name="tests-lowest")
def tests_lowest(session: nox.Session) -> None:
    """All tests with the lowest versions that the packages allow, but of torch."""
    lowest = str(Path(session.create_tmp()) / "lowest.txt")
    session.run("python", "tools/lowest_versions.py", lowest)
    session.install(
        "--constraint", lowest, *map(with_extras, PACKAGES), *groups("test", *(f"test-{name}" for name in PACKAGES))
    )
    pytest(session, "packages", "tests-integration")


# ---- what is released


@nox.session
def build(session: nox.Session) -> None:
    """Build six sdists and wheels in dist/, check them, install the wheels in a fresh environment and import them."""
    install(session, *groups("build"))
    build_and_install(session, list(PACKAGES), ROOT / "dist")


def release_of_one_package(name: str) -> None:
    """Add the session `release-NAME`, which makes what the index would be given and looks at it."""

    def run(session: nox.Session) -> None:
        install(session, *groups("build"))
        needed = list(dict.fromkeys(["muspy-core", name]))
        dist = Path(session.create_tmp()) / "dist"
        built = build_and_install(session, needed, dist)
        session.run("python", "tools/check_release.py", name, *built, *session.posargs)

    run.__doc__ = f"Build {name}, check metadata and contents, install and import it; `-- --tag TAG`: as for a release."
    nox.session(name=f"release-{name}")(run)


for _name in PACKAGES:
    release_of_one_package(_name)


def build_and_install(session: nox.Session, names: list[str], dist: Path) -> list[str]:
    """Build packages into a folder, check them, and import their wheels in a fresh environment; return the files."""
    shutil.rmtree(dist, ignore_errors=True)
    for name in names:
        session.run("python", "-m", "build", "--outdir", str(dist), f"packages/{name}")
    built = sorted(str(path) for path in dist.iterdir())
    session.run("twine", "check", "--strict", *built)
    fresh = Path(session.create_tmp()) / "fresh"
    session.run("python", "-m", "venv", "--clear", str(fresh))
    python = str(fresh / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    wheels = [path for path in built if path.endswith(".whl")]
    session.run(python, "-m", "pip", "install", "--quiet", *wheels, external=True)
    session.run(python, "tools/check_installed.py", *names, external=True)
    return built


# ---- shared steps


def install(session: nox.Session, *requirements: str) -> None:
    """pip install under the constraints of the workspace."""
    session.install("--constraint", str(ROOT / "constraints.txt"), *requirements)


def groups(*names: str) -> list[str]:
    """The requirements of those dependency groups that the root pyproject.toml has."""
    present = [name for name in names if name in PROJECT["dependency-groups"]]
    return list(nox.project.dependency_groups(PROJECT, *present)) if present else []


def together() -> list[str]:
    """The paths of all packages for pip, with what they need to make music, sound and pages."""
    return ["./packages/muspy-core[render]", *(f"./packages/{name}" for name in PACKAGES if name != "muspy-core")]


def with_extras(name: str) -> str:
    """The path of a package for pip, with its extra `all` where it has one."""
    project = nox.project.load_toml(ROOT / "packages" / name / "pyproject.toml")["project"]
    extra = "[all]" if "all" in project.get("optional-dependencies", {}) else ""
    return f"./packages/{name}{extra}"


def pytest(session: nox.Session, *paths: str) -> None:
    """Run pytest on the paths without the slow tests, unless the session's own arguments say what to run.

    Two processes share the files: a test of ours uses one core. Examples of a page have to stay together, in its order.
    """
    arguments = session.posargs or ["-m", "not slow", "-n", "2", "--dist", "loadfile"]
    if any("/" in argument and (ROOT / argument.partition("::")[0]).exists() for argument in session.posargs):
        paths = ()
    session.run(
        "pytest", *paths, "--durations=10", *arguments, env={"PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0")}
    )
