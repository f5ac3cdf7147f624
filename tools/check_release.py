"""What a release of a package holds: its wheel and its sdist, compared with the source tree and the changelog.

Run by `nox -s release-NAME` after building and before anything is offered to the index:

    python tools/check_release.py mmt dist/* [--tag mmt-v0.2.0]

With `--tag` the tag must name the version, and the changelog must have a section for it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

from check_installed import PACKAGES, distribution_name

MAX_WHEEL = 40_000_000  # bytes; bundled models are small on purpose, and the index has a limit of 100 MB
COMPILED = (".so", ".pyd")


def faults(name: str, wheel: Path, sdist: Path, tag: str | None) -> Iterator[str]:
    """Yield what is wrong with a release, one line each."""
    version = version_of(name)
    with zipfile.ZipFile(wheel) as archive:
        inside = {entry.filename for entry in archive.infolist()}
        information = next(path for path in inside if path.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(information).decode("utf-8"))
    yield from metadata_faults(name, version, metadata)
    folder = name.replace("-", "_")
    kept = {path for path in inside if ".dist-info/" not in path and not path.endswith(COMPILED)}
    wanted = {path for path in tracked(f"{name}/src") if not path.endswith((".c", ".h"))}
    yield from (f"{wheel.name} lacks {path}" for path in sorted(wanted - kept))
    yield from (f"{wheel.name} holds {path}, which is not in the source tree" for path in sorted(kept - wanted))
    if f"{folder}/py.typed" not in kept:
        yield f"{wheel.name} has no py.typed: its types are not seen"
    if not any(path.endswith("/licenses/LICENSE") for path in inside):
        yield f"{wheel.name} has no licence"
    if wheel.stat().st_size > MAX_WHEEL:
        yield f"{wheel.name} has {wheel.stat().st_size:,} bytes, more than {MAX_WHEEL:,}"
    with tarfile.open(sdist) as archive_of_sources:
        sources = {path.partition("/")[2] for path in archive_of_sources.getnames()}
    for path in tracked(name):
        if path not in sources and not path.startswith("."):
            yield f"{sdist.name} lacks {path}"
    if tag is not None:
        yield from tag_faults(name, version, tag)


def metadata_faults(name: str, version: str, metadata: object) -> Iterator[str]:
    """Yield what the metadata of a wheel say wrongly."""
    said = dict(metadata.items())  # type: ignore[attr-defined]  # an email.message.Message
    if said["Name"] != distribution_name(name) or said["Version"] != version:
        yield f"metadata say {said['Name']} {said['Version']}, the source {distribution_name(name)} {version}"
    if "Private :: Do Not Upload" in (metadata.get_all("Classifier") or []):  # type: ignore[attr-defined]  # as above
        yield "the classifier Private :: Do Not Upload keeps it off the index"
    needed = metadata.get_all("Requires-Dist") or []  # type: ignore[attr-defined]  # as above
    yield from (f"needs {line}, an address and no version" for line in needed if " @ " in line)


def tag_faults(name: str, version: str, tag: str) -> Iterator[str]:
    """Yield what keeps a version from being released under a tag."""
    if tag != f"{name}-v{version}":
        yield f"the tag is {tag}, the version of the source {version}: the tag would be {name}-v{version}"
    changelog = (PACKAGES / name / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[?{re.escape(version)}\]?\b", changelog, re.M):
        yield f"packages/{name}/CHANGELOG.md has no section {version}: move the lines under Unreleased below it"


def version_of(name: str) -> str:
    """The version in the source of a package."""
    text = (PACKAGES / name / "src" / name.replace("-", "_") / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "([^"]+)"', text, re.M)[0]


def tracked(folder: str) -> list[str]:
    """The files of git's index below packages/FOLDER, relative to it."""
    command = ["git", "ls-files", "-z", "."]
    listed = subprocess.run(command, cwd=PACKAGES / folder, check=True, capture_output=True, text=True).stdout
    return [path for path in listed.split("\0") if path]


def main(arguments: list[str]) -> int:
    """Print what is wrong; 1 if anything is."""
    parser = argparse.ArgumentParser(description="Check what a release holds.")
    parser.add_argument("name", help="folder below packages/")
    parser.add_argument("files", nargs="+", type=Path, help="what was built, other packages' files too")
    parser.add_argument("--tag", help="check version and changelog for this tag")
    options = parser.parse_args(arguments)
    prefix = f"{distribution_name(options.name).replace('-', '_')}-{version_of(options.name)}"
    ours = [path for path in options.files if path.name.startswith(prefix)]
    wheels, sdists = ([path for path in ours if path.name.endswith(end)] for end in (".whl", ".tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        parser.error(f"there must be one wheel and one sdist {prefix}…, found {', '.join(map(str, ours)) or 'none'}")
    found = list(faults(options.name, wheels[0], sdists[0], options.tag))
    for line in found:
        print(line)
    print(f"{wheels[0].name}: {wheels[0].stat().st_size:,} bytes, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
