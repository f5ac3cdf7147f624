"""What all packages' `fit` share: a model to begin with, two loggers, messages that are said once."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from muspy_core.configurations import ConfigurationError
from muspy_core.fine_tuning import Initial

SHIPPED = Initial("default", {"config": {"dim": 192, "depth": 4, "sizes": [5, 65], "dropout": 0.0}}, {}, {"order": "a"})


def test_fields_that_differ_are_named_with_both_values() -> None:
    here = {"config": {"dim": 512, "depth": 6, "sizes": (5, 65)}}
    with pytest.raises(ConfigurationError) as raised:
        SHIPPED.check("model", here, SHIPPED.architecture)
    assert str(raised.value) == (
        "--init-from default: model.config.dim: the configuration says 512, the model has 192; "
        "model.config.depth: the configuration says 6, the model has 4; "
        "leave out of the configuration what the model brings along"
    )
    with pytest.raises(ConfigurationError, match=r"data\.order: the configuration says 'b', the model has 'a'"):
        SHIPPED.check("data", {"order": "b", "folder": "mine"}, SHIPPED.data)


def test_what_changes_no_weights_may_differ() -> None:
    here = {"config": {"dim": 192, "depth": 4, "sizes": (5, 65), "dropout": 0.3}}
    SHIPPED.check("model", here, SHIPPED.architecture)


def test_the_model_speaks_as_a_configuration() -> None:
    config = dict(SHIPPED.architecture)
    assert json.loads(SHIPPED.configuration()) == {"model": config, "data": {"order": "a"}}
    named = json.loads(SHIPPED.configuration("package.Module"))
    assert named["model"] == {"class_path": "package.Module", "init_args": config}


def test_a_table_has_a_file_for_tensorboard_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard (extra: experiments) is not installed")
    loggers = pytest.importorskip("lightning.pytorch.loggers", reason="lightning (extra: experiments) is not installed")
    from muspy_core.training import with_both_loggers

    table = loggers.CSVLogger(str(tmp_path), "run", version="s1")
    both = with_both_loggers([table])
    assert [type(logger).__name__ for logger in both] == ["CSVLogger", "TensorBoardLogger"]
    assert {logger.log_dir for logger in both} == {str(tmp_path / "run/s1")}
    assert with_both_loggers(both) == both
    assert with_both_loggers([]) == []


def test_what_lightning_says_is_said_once(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("lightning", reason="lightning (extra: experiments) is not installed")
    from muspy_core.training import speak_once

    logging.getLogger("lightning").addHandler(logging.StreamHandler())
    speak_once()
    logging.getLogger("lightning.fabric.utilities.seed").info("Seed set to 0")
    assert caplog.messages == ["Seed set to 0"]
    assert capsys.readouterr().err == ""
