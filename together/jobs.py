"""Work that the page asked for: one job at a time, each in a temporary folder of its own (tasks → jobs → app)."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from programs import ProgramError, run
from tasks import Task

MOST_WAITING = 4
MOST_KEPT = 12  # finished jobs whose files can still be fetched
LIMIT_S = 600.0


class BusyError(RuntimeError):
    """Too many jobs wait."""


@dataclasses.dataclass
class Job:
    """A job. state: "waiting", "working", "done" or "failed". message: what went wrong, or what is done, in one line.

    files: names of the results that can be fetched, once it is done.
    """

    name: str
    task: Task
    folder: Path
    state: str = "waiting"
    message: str = ""
    files: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return what the page is told."""
        return {"job": self.name, "state": self.state, "message": self.message, "files": list(self.files)}


class Jobs:
    """The jobs of a server. `close` ends what runs and removes every file."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="muspy-app-"))
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1)
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def new_folder(self) -> Path:
        """Return an empty folder, whose name nobody can guess, for a job to come."""
        folder = self.folder / secrets.token_urlsafe(16)
        folder.mkdir()
        return folder

    def start(self, task: Task, folder: Path, file: str, values: Mapping[str, str]) -> Job:
        """Queue a job whose input, if any, lies in the folder as `file`. Raises BusyError."""
        job = Job(folder.name, task, folder)
        with self._lock:
            if sum(other.state in ("waiting", "working") for other in self._jobs.values()) >= MOST_WAITING:
                raise BusyError(f"{MOST_WAITING} jobs wait already; try again when one is done")
            self._jobs[job.name] = job
            self._forget_old()
        self._worker.submit(self._work, job, file, dict(values))
        return job

    def get(self, name: str) -> Job | None:
        """Return a job, if it is there still."""
        return self._jobs.get(name)

    def close(self) -> None:
        """End what runs, forget what waits, remove all files."""
        with self._lock:
            self._closed = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
        self._worker.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _work(self, job: Job, file: str, values: Mapping[str, str]) -> None:
        job.state = "working"
        try:
            for program, *arguments in job.task.commands(file, values):
                job.message = str(program)
                run(str(program), *arguments, folder=job.folder, limit_s=LIMIT_S, started=self._started)
            job.files = tuple(name for name in job.task.results if (job.folder / name).is_file())
            job.message, job.state = "", "done"
        except (ProgramError, OSError) as error:
            job.message, job.state = str(error), "failed"
        finally:
            if job.state == "working":  # a fault of ours: its traceback goes to the terminal, the page must not wait
                job.message, job.state = "this went wrong inside the page's program", "failed"

    def _started(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._process = process
            if self._closed:
                process.kill()

    def _forget_old(self) -> None:
        finished = [job for job in self._jobs.values() if job.state in ("done", "failed")]
        for job in finished[: max(len(finished) - MOST_KEPT, 0)]:
            del self._jobs[job.name]
            shutil.rmtree(job.folder, ignore_errors=True)
