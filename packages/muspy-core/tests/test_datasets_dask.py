"""The same conversion on a Dask cluster, through `joblib.parallel_config`."""

from __future__ import annotations

from pathlib import Path

import joblib
import pytest
from dataset_samples import OnCluster, Saved, piece

distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")


@pytest.mark.parametrize(
    "workers",
    ["threads", pytest.param("processes", marks=pytest.mark.slow)],  # processes import everything first
)
def test_a_conversion_runs_on_a_cluster_of_two(workers: str, tmp_path: Path) -> None:
    for number in range(140):
        piece(number).save_json(tmp_path / f"{number:03d}.song")
    (tmp_path / "139.song").write_text("{")
    on_the_fly = [Saved(tmp_path)[number] for number in range(139)]
    with pytest.raises(ValueError, match="No worker"):
        OnCluster(tmp_path).convert("json", verbose=False)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=workers == "processes", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        for kind in ("json", "arrow"):
            dataset = OnCluster(tmp_path, use_converted=False).convert(kind, n_jobs=2, verbose=False)
            assert list(dataset) == on_the_fly
            assert [name for name, _ in dataset.report.failed] == ["139.song"]
