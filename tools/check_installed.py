"""Import every package from where it is installed, compare versions, and call its console script.

Run by `nox -s build` with the Python of an environment that holds nothing but the built wheels:

    python tools/check_installed.py muspy-core mmt ...
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1] / "packages"


def distribution_name(name: str) -> str:
    """The name on the index of the package in packages/NAME, which is not always its import name."""
    text = (PACKAGES / name / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'^name = "([^"]+)"', text, re.M)[0]


def check(name: str) -> str:
    """Import one package and run its console script; return a line that says what was seen."""
    installed = distribution(distribution_name(name))
    module = importlib.import_module(name.replace("-", "_"))
    origin = Path(str(module.__file__)).resolve()
    site = Path(sysconfig.get_paths()["purelib"]).resolve()
    if site not in origin.parents:
        raise SystemExit(f"{name}: imported from {origin}, not from the installed wheel in {site}")
    if module.__version__ != installed.version:
        raise SystemExit(f"{name}: __version__ is {module.__version__}, the metadata say {installed.version}")
    if not any(str(file).endswith("py.typed") for file in installed.files or []):
        raise SystemExit(f"{name}: py.typed is not in the wheel")
    scripts = [entry.name for entry in installed.entry_points if entry.group == "console_scripts"]
    for script in scripts:
        check_script(script, installed.version)
    return f"{distribution_name(name)} {installed.version}: import {module.__name__}, command {', '.join(scripts)}"


def check_script(script: str, version: str) -> None:
    """`SCRIPT --version` prints the version, and `SCRIPT --help` ends well."""
    program = Path(sysconfig.get_path("scripts")) / script
    shown = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    if version not in shown:
        raise SystemExit(f"{script} --version printed {shown!r}, expected {version}")
    subprocess.run([program, "--help"], check=True, capture_output=True)


if __name__ == "__main__":
    for package in sys.argv[1:]:
        print(check(package))
