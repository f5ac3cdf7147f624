"""The schedule, the losses and the samplers: against diffusers, against formulas, and on a network that learned."""

from __future__ import annotations

import math

import diffusers
import pytest
import torch
from clipsonic.canvas import Canvas, window_starts
from clipsonic.config import ModelError, NetworkConfig
from clipsonic.guidance import guided
from clipsonic.losses import diffusion_loss, variational_bound
from clipsonic.model import Output, SoundDiffusion
from clipsonic.sampling import Known, Sampling, Start, generators_of, sample, sample_steps, scheduler_of
from clipsonic.schedule import CosineSchedule
from small_networks import SMALL, network


class Perfect:
    """Knows the true spectrograms, and says the noise that is in what it sees, with an error if wanted."""

    def __init__(self, clean: torch.Tensor, config: NetworkConfig, error: float = 0.0) -> None:
        self.clean, self.config, self.error = clean, config, error
        self.schedule = CosineSchedule(config.steps)

    def __call__(self, mels: torch.Tensor, step: torch.Tensor) -> Output:
        """The noise, in double precision where it divides by little."""
        steps = step.expand(len(mels))
        signal, noise = (part(steps, mels.double()) for part in (self.schedule.signal, self.schedule.noise))
        true = (mels.double() - signal * self.clean) / noise
        wave = self.error * torch.sin(torch.linspace(0, 9, mels.shape[-1]))
        return Output((true + wave).float(), None)


def test_the_schedule_is_that_of_diffusers() -> None:
    theirs = diffusers.DDPMScheduler(num_train_timesteps=4000, beta_schedule="squaredcos_cap_v2")
    ours = CosineSchedule(4000)
    torch.testing.assert_close(ours.betas.float(), theirs.betas, rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(ours.alpha_bars[:3900].float(), theirs.alphas_cumprod[:3900], rtol=1e-3, atol=1e-6)
    assert ours.alpha_bars[0].item() == pytest.approx(0.9999901, abs=1e-7)
    assert ours.alpha_bars[3999].item() == pytest.approx(1.52e-10, rel=0.01)


def test_noise_and_velocity_are_those_of_diffusers_and_lead_back_to_the_clean_spectrogram() -> None:
    theirs = diffusers.DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
    ours = CosineSchedule(1000)
    clean, noise, steps = torch.rand(5, 1, 4, 4) * 2 - 1, torch.randn(5, 1, 4, 4), torch.tensor([0, 10, 500, 900, 990])
    noisy = ours.add_noise(clean, noise, steps)
    torch.testing.assert_close(noisy, theirs.add_noise(clean, noise, steps), rtol=1e-5, atol=1e-5)
    velocity = ours.target("velocity", clean, noise, steps)
    torch.testing.assert_close(velocity, theirs.get_velocity(clean, noise, steps), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours.clean("velocity", velocity, noisy, steps), clean, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.clean("noise", noise, noisy, steps), clean, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("variance", ["fixed", "learned"])
def test_an_ancestral_step_is_the_textbooks(variance: str) -> None:
    config = NetworkConfig(**{**SMALL.to_dict(), "steps": 200, "variance": variance})
    scheduler = scheduler_of(Sampling(200, "ddpm"), config)
    schedule, step = CosineSchedule(200), torch.tensor(120)
    clean, noisy, place = torch.rand(1, 1, 4, 4) * 2 - 1, torch.randn(1, 1, 4, 4), torch.rand(1, 1, 4, 4) * 2 - 1
    said = clean if variance == "fixed" else torch.cat([clean, place], 1)
    (theirs, *_) = scheduler.step(said, step, noisy, generator=torch.Generator().manual_seed(1), return_dict=False)
    mean, log = schedule.posterior(clean, noisy, step[None])
    log = log if variance == "fixed" else schedule.log_variance(place, step[None])
    noise = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(mean + (0.5 * log).exp() * noise, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["unipc", "dpm++", "ddim", "ddpm"])
def test_samplers_equal_those_of_diffusers_on_noise_with_clipping(name: str) -> None:
    config = NetworkConfig(**{**SMALL.to_dict(), "steps": 1000, "variance": "fixed"})
    clean = torch.rand(1, 1, 8, 8) * 1.6 - 0.8
    predictor = Perfect(clean, config, error=0.02)
    ours = sample(predictor, (8, 8), generators_of([3]), config, Sampling(20, name))
    given = {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "linspace"}
    clamp = {"thresholding": True, "sample_max_value": 1.0}
    theirs = {
        "unipc": lambda: diffusers.UniPCMultistepScheduler(**given, **clamp),
        "dpm++": lambda: diffusers.DPMSolverMultistepScheduler(**given, **clamp, algorithm_type="dpmsolver++"),
        "ddim": lambda: diffusers.DDIMScheduler(**given, clip_sample=True),
        "ddpm": lambda: diffusers.DDPMScheduler(**given, clip_sample=True, variance_type="fixed_small"),
    }[name]()
    theirs.set_timesteps(20)
    generator = torch.Generator().manual_seed(3)
    mels = torch.randn(1, 1, 8, 8, generator=generator)
    drawing = {"generator": [generator]} if name == "ddpm" else {}
    for step in theirs.timesteps:
        mels = theirs.step(predictor(mels, step).prediction, step, mels, **drawing).prev_sample
    torch.testing.assert_close(ours, mels.clamp(-1, 1), rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("name", ["unipc", "dpm++", "ddim"])
def test_few_steps_with_an_imperfect_network_do_not_blow_up(name: str) -> None:
    config = NetworkConfig(**{**SMALL.to_dict(), "steps": 4000})
    clean = torch.rand(1, 1, 8, 64) * 1.6 - 0.8
    mels = sample(Perfect(clean, config, error=0.02), (8, 64), generators_of([0]), config, Sampling(25, name))
    assert (mels - clean).abs().max() < 0.1


def test_a_batch_holds_what_its_items_are_alone() -> None:
    model = network(variance="learned")
    queries = torch.randn(3, 8)
    for sampling in (Sampling(4), Sampling(4, "ddpm")):
        together = sample(guided(model, queries), (16, 16), generators_of([5, 6, 7]), SMALL, sampling)
        alone = sample(guided(model, queries[1:2]), (16, 16), generators_of([6]), SMALL, sampling)
        torch.testing.assert_close(together[1:2], alone, rtol=0, atol=2e-3)
        assert (together[0] - together[1]).abs().max() > 0.1


def test_every_step_is_told() -> None:
    told = list(sample_steps(guided(network(), torch.randn(1, 8)), (16, 16), generators_of([0]), SMALL, Sampling(6)))
    assert [(progress.step, progress.steps) for progress in told] == [(step, 6) for step in range(1, 7)]


@pytest.mark.parametrize(
    ("size", "steps", "message"), [((16, 15), 5, "multiples of 2"), ((16, 16), 101, "schedule of 100")]
)
def test_what_cannot_be_sampled_is_refused(size: tuple[int, int], steps: int, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        sample(guided(network(), torch.randn(1, 8)), size, generators_of([0]), SMALL, Sampling(steps))


# --- editing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["unipc", "ddpm"])
def test_what_is_known_stays(name: str) -> None:
    mels = torch.rand(1, 1, 16, 16) * 2 - 1
    mask = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    mask[..., :8] = True
    model = guided(network(), torch.randn(1, 8))
    made = sample(model, (16, 16), generators_of([0]), SMALL, Sampling(5, name), known=Known(mels, mask))
    torch.testing.assert_close(made[mask], mels[mask])
    assert (made - mels)[~mask].abs().max() > 0.1


def test_a_variation_is_nearer_the_weaker_it_is() -> None:
    config = NetworkConfig(**{**SMALL.to_dict(), "steps": 1000})
    given, wanted = torch.zeros(1, 1, 16, 16), torch.rand(1, 1, 16, 16) * 2 - 1

    class Drifting(Perfect):
        """Believes half in what it sees, half in what it knows."""

        def __call__(self, mels: torch.Tensor, step: torch.Tensor) -> Output:
            self.clean = 0.5 * wanted + 0.5 * given
            return super().__call__(mels, step)

    noises = []
    for strength in (0.1, 0.5, 1.0):
        start = Start(given, strength)
        told = list(
            sample_steps(Drifting(wanted, config), (16, 16), generators_of([0]), config, Sampling(20), start=start)
        )
        noises.append(told[0].steps)
    assert noises == [2, 10, 20]
    with pytest.raises(ModelError, match="strength"):
        Start(given, 0.0)


# --- canvas ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("frames", "circular"), [(64, False), (100, False), (96, True), (24, True)])
@pytest.mark.parametrize("shift", [0, 7, 15])
@pytest.mark.parametrize("hop", [16, 32])
def test_windows_cover_a_canvas(frames: int, circular: bool, shift: int, hop: int) -> None:
    covered = torch.zeros(frames, dtype=torch.int)
    for start in window_starts(frames, 32, hop, circular, shift):
        assert circular or 0 <= start <= frames - 32
        covered[torch.arange(start, start + min(32, frames)) % frames] += 1
    assert covered.min() >= 1


def test_no_place_inside_a_canvas_is_a_border_of_windows_at_many_steps() -> None:
    canvas, frames = Canvas(guided(network(), torch.randn(1, 8)), window=128, hop=64), 944
    counts = torch.zeros(frames + 128)
    steps = [int(step) for step in torch.linspace(3999, 0, 25)]
    for step in steps:
        for start in window_starts(frames, 128, 64, False, canvas.shift(step)):
            counts[[start, start + 128]] += 1
    # But for the first and the last window, which lie where the canvas begins and ends.
    inside = [count for place, count in enumerate(counts) if place not in (0, 128, frames - 128, frames)]
    assert max(inside) <= 6  # of 25


def test_a_canvas_of_one_window_is_the_network_itself() -> None:
    model, mels = guided(network(), torch.randn(2, 8)), torch.randn(2, 1, 16, 32)
    canvas = Canvas(model, window=32, hop=16)
    torch.testing.assert_close(canvas(mels, torch.tensor(9)).prediction, model(mels, torch.tensor(9)).prediction)


def test_a_circle_has_no_beginning() -> None:
    model = guided(network(), torch.randn(1, 8))
    canvas, mels = Canvas(model, window=32, hop=8, circular=True), torch.randn(1, 1, 16, 64)
    turned = canvas(mels.roll(16, -1), torch.tensor(9))
    torch.testing.assert_close(
        turned.prediction, canvas(mels, torch.tensor(9)).prediction.roll(16, -1), rtol=1e-3, atol=1e-4
    )


def test_a_long_canvas_is_sampled_with_the_queries_of_its_items() -> None:
    model, queries = network(), torch.randn(2, 8)
    together = sample(Canvas(guided(model, queries), 32, 16), (16, 80), generators_of([1, 2]), SMALL, Sampling(3))
    alone = sample(Canvas(guided(model, queries[1:]), 32, 16), (16, 80), generators_of([2]), SMALL, Sampling(3))
    torch.testing.assert_close(together[1:], alone, rtol=0, atol=2e-3)


# --- losses ----------------------------------------------------------------------------------------------------------


def test_a_perfect_prediction_has_no_simple_loss() -> None:
    config = NetworkConfig(**{**SMALL.to_dict(), "variance": "fixed"})
    schedule = CosineSchedule(100)
    clean, noise, steps = torch.rand(2, 1, 4, 4), torch.randn(2, 1, 4, 4), torch.tensor([10, 90])
    for kind in ("noise", "velocity"):
        config = NetworkConfig(**{**config.to_dict(), "prediction": kind})
        target = schedule.target(kind, clean, noise, steps)
        assert diffusion_loss(Output(target, None), clean, noise, steps, config, schedule).abs().max() == 0
        off = diffusion_loss(Output(target + 0.5, None), clean, noise, steps, config, schedule)
        torch.testing.assert_close(off, torch.full((2,), 0.25))


def test_the_bound_is_the_divergence_of_two_normal_distributions() -> None:
    schedule = CosineSchedule(100)
    clean, noise, steps = torch.rand(3, 1, 4, 4), torch.randn(3, 1, 4, 4), torch.tensor([0, 40, 90])
    noisy = schedule.add_noise(clean, noise, steps)
    place = torch.full_like(clean, 0.3)
    wrong = noise + 0.2
    bound = variational_bound(wrong, place, clean, noisy, steps, SMALL, schedule)
    said = schedule.clean("noise", wrong, noisy, steps).clamp(-1, 1)
    for index in (1, 2):
        at = steps[index : index + 1]
        mean, log = schedule.posterior(clean[index : index + 1], noisy[index : index + 1], at)
        model_mean, _ = schedule.posterior(said[index : index + 1], noisy[index : index + 1], at)
        model_log = schedule.log_variance(place[index : index + 1], at)
        divergence = torch.distributions.kl_divergence(
            torch.distributions.Normal(mean, (0.5 * log).exp()),
            torch.distributions.Normal(model_mean, (0.5 * model_log).exp()),
        )
        assert bound[index].item() == pytest.approx(divergence.mean().item() / math.log(2), rel=1e-3)
    assert bound[0] == 0


def test_the_bound_teaches_variances_alone() -> None:
    model = network()
    clean, noise, steps = torch.rand(2, 1, 16, 16), torch.randn(2, 1, 16, 16), torch.tensor([30, 60])
    schedule = CosineSchedule(100)
    output = model(schedule.add_noise(clean, noise, steps), steps, model.unconditional(2))
    prediction = output.prediction.detach().requires_grad_()
    variance = output.variance.detach().requires_grad_()
    diffusion_loss(Output(prediction, variance), clean, noise, steps, SMALL, schedule).sum().backward()
    simple = 2 * (prediction.detach() - noise) / prediction[0].numel()
    torch.testing.assert_close(prediction.grad, simple)
    assert variance.grad.abs().max() > 0


@pytest.mark.slow
def test_eight_clips_are_learned_by_heart_and_made_again() -> None:
    torch.random.manual_seed(0)
    config = NetworkConfig(
        query_dim=8, channels=(16, 32), layers=1, attention=(False, True), head_dim=16, groups=8, steps=1000,
        prediction="velocity", variance="fixed",
    )  # fmt: skip
    model, schedule = SoundDiffusion(config), CosineSchedule(1000)
    clips = torch.nn.functional.interpolate(torch.rand(8, 1, 4, 4) * 1.8 - 0.9, size=(16, 16), mode="nearest")
    queries = torch.eye(8)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.0)
    for _ in range(400):
        chosen, steps = torch.randint(8, (16,)), torch.randint(1000, (16,))
        clean, noise = clips[chosen], torch.randn(16, 1, 16, 16)
        condition = model.condition(queries[chosen], torch.rand(16) < 0.1)
        output = model(schedule.add_noise(clean, noise, steps), steps, condition)
        loss = diffusion_loss(output, clean, noise, steps, config, schedule).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    made = sample(guided(model.eval(), queries, weight=1.0), (16, 16), generators_of(range(8)), config, Sampling(25))
    distances = (made[:, None] - clips[None]).square().flatten(2).mean(2)
    assert distances.argmin(1).tolist() == list(range(8))
    assert distances.diagonal().max() < 0.05
