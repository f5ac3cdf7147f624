"""What the workers of a batch run in tests, in a module of its own because a test file cannot be imported by them."""

from __future__ import annotations

from muspy_core.console import Job


def copy_name(job: Job) -> dict[str, int]:
    if job.input.stem == "3":
        raise ValueError("an odd one")
    job.output.write_text(job.input.name)
    return {"length": len(job.input.name)}
