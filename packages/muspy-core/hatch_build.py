"""Build hook: compiles the parsers of MIDI and MusicXML where a C compiler is found; without one their twins work.

`MUSPY_CORE_EXTENSION` decides: `auto` (default) tries, `require` fails where it cannot be compiled, `0` does not try.
One wheel serves all CPython versions from 3.10 on (limited API).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (Path("src/muspy_core/io/_midi.c"), Path("src/muspy_core/io/musicxml/_tree.c"))
SETTING = "MUSPY_CORE_EXTENSION"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg] # hatchling's base class is loosely typed
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        setting = os.environ.get(SETTING, "auto")
        if setting not in ("auto", "require", "0"):
            raise ValueError(f"{SETTING}={setting!r} is none of auto, require, 0")
        built = None
        if setting != "0" and _loads_abi3():
            built = self._compile(setting == "require")
        elif setting == "require":
            raise RuntimeError(f"{SETTING}=require, but this Python cannot load modules of the limited API")
        if built is None:
            return
        for source in SOURCES:
            package = source.parent.relative_to("src")
            module = next((built / package).glob(f"{source.stem}*"))
            if version == "editable":
                shutil.copy2(module, Path(self.root) / source.with_name(module.name))
            else:
                build_data["force_include"][str(module)] = (package / module.name).as_posix()
        if version == "editable":
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"cp310-abi3-{_platform()}"

    def _compile(self, required: bool) -> Path | None:
        """Compile the modules; return the temporary folder, which lasts until the build ends, with their packages."""
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext
        from setuptools.errors import BaseError, CCompilerError

        self._folder = tempfile.TemporaryDirectory(prefix="muspy-core-")
        folder = Path(self._folder.name)
        extensions = [
            Extension(
                ".".join(source.relative_to("src").with_suffix("").parts),
                [str(Path(self.root) / source)],
                py_limited_api=True,
                extra_compile_args=["/O2"] if sys.platform == "win32" else ["-O3", "-g0", "-std=c11"],
            )
            for source in SOURCES
        ]
        distribution = Distribution({"name": "muspy-core", "ext_modules": extensions})
        command = build_ext(distribution)
        command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "temp")
        command.ensure_finalized()
        try:
            command.run()
        except (BaseError, CCompilerError, subprocess.CalledProcessError, OSError) as error:
            if required:
                raise
            self.app.display_warning(f"Files will be parsed more slowly: the C parsers did not compile: {error}")
            return None
        return folder / "lib"


def _loads_abi3() -> bool:
    return sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")


def _platform() -> str:
    """Return the platform part of the wheel's tag."""
    from packaging.tags import sys_tags

    platforms = (tag.platform for tag in sys_tags())
    return next(name for name in platforms if "manylinux" not in name and "musllinux" not in name)
