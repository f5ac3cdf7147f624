"""The network: its size, what it says untrained, and what it is told of queries."""

from __future__ import annotations

import pytest
import torch
from clipsonic.config import ModelError, NetworkConfig
from clipsonic.guidance import guided
from clipsonic.model import SoundDiffusion
from small_networks import SMALL, network


def test_the_papers_network_has_the_papers_parameters() -> None:
    with torch.device("meta"):
        model = SoundDiffusion()
    assert sum(parameter.numel() for parameter in model.unet.parameters()) == 121_057_026
    assert model.n_parameters == 121_057_026 + 768 * 512 + 512 + 768  # the linear layer and the null


@pytest.mark.parametrize(
    ("channels", "attention", "head_dim", "groups", "parameters"),
    [
        ((20, 40, 60, 80), (False, False, True, True), 20, 10, 1_547_402),
        ((32, 64, 96), (False, False, True), 32, 16, 1_904_482),
        ((32, 64, 96, 128), (False, False, True, True), 32, 16, 3_950_402),
    ],
)
def test_small_networks_have_known_sizes(
    channels: tuple[int, ...], attention: tuple[bool, ...], head_dim: int, groups: int, parameters: int
) -> None:
    with torch.device("meta"):
        model = SoundDiffusion(
            NetworkConfig(channels=channels, layers=1, attention=attention, head_dim=head_dim, groups=groups)
        )
    assert sum(parameter.numel() for parameter in model.unet.parameters()) == parameters


def test_an_untrained_network_says_zero() -> None:
    model = SoundDiffusion(SMALL).eval()
    output = model(torch.randn(2, 1, 16, 16), torch.tensor([3, 99]), model.condition(torch.randn(2, 8)))
    assert not output.prediction.any()
    assert output.variance is not None
    assert not output.variance.any()


def test_fixed_variances_have_no_channel() -> None:
    model = network(variance="fixed")
    output = model(torch.randn(1, 1, 16, 24), torch.tensor([3]), model.unconditional(1))
    assert output.variance is None
    assert output.prediction.shape == (1, 1, 16, 24)


def test_the_length_of_a_query_does_not_matter_and_its_direction_does() -> None:
    model = network()
    queries = torch.randn(2, 8)
    condition = model.condition(queries)
    torch.testing.assert_close(model.condition(queries * 7), condition)
    assert (condition[0] - condition[1]).abs().max() > 0.1


def test_patches_become_channels_and_are_put_back_in_their_places() -> None:
    model = network(patch=2)
    assert model.config.multiple == 4
    assert model.unet.config.in_channels == 4
    output = model(torch.randn(1, 1, 16, 24), torch.tensor([3]), model.unconditional(1))
    assert output.variance is not None
    assert output.prediction.shape == output.variance.shape == (1, 1, 16, 24)
    # A network that hands its input on, twice: for the prediction and the variance.
    model.unet.forward = lambda patches, *_, **__: (torch.cat([patches, -patches], 1),)
    mels = torch.randn(2, 1, 16, 24)
    output = model(mels, torch.tensor([3, 3]), model.unconditional(2))
    torch.testing.assert_close(output.prediction, mels)
    torch.testing.assert_close(output.variance, -mels)


def test_directions_are_seen_from_the_centre() -> None:
    model = network()
    queries = torch.nn.functional.normalize(torch.ones(2, 8) + 0.1 * torch.randn(2, 8), dim=-1)
    apart = (model.condition(queries)[0] - model.condition(queries)[1]).norm()
    model.centre.copy_(queries.mean(0))
    assert (model.condition(queries)[0] - model.condition(queries)[1]).norm() > 3 * apart


def test_only_dropped_items_become_the_null() -> None:
    model = network()
    queries = torch.randn(3, 8)
    condition = model.condition(queries, torch.tensor([False, True, False]))
    torch.testing.assert_close(condition[1:2], model.unconditional(1))
    torch.testing.assert_close(condition[::2], model.condition(queries)[::2])


# --- guidance --------------------------------------------------------------------------------------------------------


def test_weight_one_is_the_conditional_model_and_zero_the_unconditional_one() -> None:
    model, mels, queries = network(), torch.randn(2, 1, 16, 16), torch.randn(2, 8)
    step = torch.tensor(50)
    conditional = model(mels, step.expand(2), model.condition(queries))
    unconditional = model(mels, step.expand(2), model.unconditional(2))
    assert (conditional.prediction - unconditional.prediction).abs().max() > 1e-3
    for weight, expected in ((1.0, conditional), (0.0, unconditional)):
        output = guided(model, queries, weight=weight)(mels, step)
        torch.testing.assert_close(output.prediction, expected.prediction, rtol=0, atol=0)


def test_guidance_is_linear_and_leaves_variances_alone() -> None:
    model, mels, queries = network(), torch.randn(2, 1, 16, 16), torch.randn(2, 8)
    step = torch.tensor(50)
    one, none = (guided(model, queries, weight=weight)(mels, step) for weight in (1.0, 0.0))
    three = guided(model, queries, weight=3.0)(mels, step)
    expected = none.prediction + 3 * (one.prediction - none.prediction)
    torch.testing.assert_close(three.prediction, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(three.variance, one.variance, rtol=1e-4, atol=1e-5)


def test_a_query_against_itself_is_the_conditional_model() -> None:
    model, mels, queries = network(), torch.randn(2, 1, 16, 16), torch.randn(2, 8)
    output = guided(model, queries, queries, weight=4.0)(mels, torch.tensor(50))
    expected = guided(model, queries, weight=1.0)(mels, torch.tensor(50))
    torch.testing.assert_close(output.prediction, expected.prediction, rtol=1e-4, atol=1e-5)


def test_guidance_that_is_no_number_is_refused() -> None:
    with pytest.raises(ModelError, match="finite"):
        guided(network(), torch.randn(1, 8), weight=float("nan"))


@pytest.mark.parametrize(
    "changes", [{"channels": (8, 17)}, {"attention": (True,)}, {"prediction": "score"}, {"steps": 1}, {"query_dim": 0}]
)
def test_impossible_networks_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        NetworkConfig(**{**SMALL.to_dict(), **changes})
