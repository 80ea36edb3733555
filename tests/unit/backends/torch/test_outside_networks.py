"""Learnable networks from outside: bound, copied, seeded, trained, saved, loaded, frozen."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import unroll_dsl
from unroll_dsl.diagnostics.raised import UnrollError

PAGE = """# Half quadratic splitting with a trained denoiser that is told the noise (DPIR, trained end to end).
algorithm trained_hqs
dims h, w
input y     : image[3, h, w]
input sigma : scalar >= 0
learnable mu : scalar > 0 per phase = 0.5
learnable N  : network image[3, h, w], scalar -> image[3, h, w] {}
state x : image[3, h, w] = y
phase (3):
    z = (y + mu * x) / (1 + mu)
    x <- N(z, sqrt(mu) * sigma)
output x
loss (target : image[3, h, w]):
    mean((x - target)^2)
"""


class Denoiser(nn.Module):
    """As published ones: the noise level is one more channel, batch statistics among its tensors."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.head = nn.Conv2d(4, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.tail = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        assert x.ndim == 4 and sigma.shape == x.shape[:1]
        level = sigma[:, None, None, None].expand(-1, 1, *x.shape[-2:])
        h = torch.relu(self.norm(self.head(torch.cat((x, level), 1))))
        return x - self.tail(h)


def plain(mus: list[float], denoisers: list[nn.Module], y: Tensor, sigma: Tensor) -> Tensor:
    """The page by hand."""
    x = y
    for mu, denoiser in zip(mus, denoisers, strict=True):
        x = denoiser((y + mu * x) / (1 + mu), mu**0.5 * sigma)
    return x


def data() -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    y, target = torch.randn(2, 2, 3, 8, 9, generator=g, dtype=torch.float64)
    return y, torch.rand(2, generator=g, dtype=torch.float64), target


def made(sharing: str = "per phase", **options: Any) -> nn.Module:
    return unroll_dsl.loads(PAGE.format(sharing)).compile(dtype=torch.float64, **options)


@pytest.mark.parametrize("sharing", ["per phase", ""])
def test_values_and_gradients_are_those_of_the_page_by_hand(sharing: str) -> None:
    torch.manual_seed(1)
    module = Denoiser().double()
    network = made(sharing, bind={"N": module}).train()
    y, sigma, target = data()
    copies = [copy.deepcopy(module) for _ in range(3 if sharing else 1)]
    own = copies if sharing else copies * 3
    expected = plain([0.5] * 3, own, y, sigma)
    assert torch.allclose(network(y, sigma), expected, rtol=0, atol=1e-13)
    network.loss(y, sigma, target).backward()  # type: ignore[operator]
    ((plain([0.5] * 3, own, y, sigma) - target) ** 2).mean().backward()
    found = dict(network.named_parameters())
    for place, each in enumerate(copies):
        for name, p in each.named_parameters():
            key = f"phases.{place}.N.{name}" if sharing else f"N.{name}"
            assert p.grad is not None and found[key].grad is not None
            assert torch.allclose(found[key].grad, p.grad, rtol=0, atol=1e-10)  # type: ignore[arg-type]


def test_each_phase_has_a_copy_and_what_was_bound_stays_as_it_is() -> None:
    module = Denoiser()
    before = copy.deepcopy(module.state_dict())
    network = made(bind={"N": module})
    tails = [phase.N.tail.weight for phase in network.phases]  # type: ignore[union-attr]
    assert len({t.data_ptr() for t in tails}) == 3
    with torch.no_grad():
        tails[0].zero_()
    assert tails[1].abs().max() > 0
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_a_class_makes_another_one_for_each_phase_and_the_seed_repeats_them() -> None:
    one, two = (made(bind={"N": Denoiser}, seed=3) for _ in range(2))
    weights = [phase.N.head.weight for phase in one.phases]  # type: ignore[union-attr]
    assert not torch.equal(weights[0], weights[1])
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_a_module_a_phase() -> None:
    modules = [Denoiser().double() for _ in range(3)]
    y, sigma, _ = data()
    network = made(bind={"N": modules})
    expected = plain([0.5] * 3, modules, y, sigma)
    assert torch.allclose(network(y, sigma), expected, rtol=0, atol=1e-13)


def test_a_published_state_dict_goes_beside_the_module() -> None:
    published = Denoiser().double().eval()
    y, sigma, _ = data()
    network = made("", bind={"N": Denoiser}, init={"N": published.state_dict()}).eval()
    expected = plain([0.5] * 3, [published] * 3, y, sigma)
    assert torch.allclose(network(y, sigma), expected, rtol=0, atol=1e-13)
    wide = {"N": Denoiser(5).state_dict()}
    with pytest.raises(UnrollError, match=r"head\.weight"):
        made("", bind={"N": Denoiser}, init=wide)


@pytest.mark.parametrize("batch", [(), (2,), (2, 1, 3)])
def test_the_network_sees_one_batch_axis_however_many_lead(batch: tuple[int, ...]) -> None:
    network = made(bind={"N": Denoiser()}).eval()
    y, sigma = torch.randn(*batch, 3, 6, 7).double(), torch.rand(batch).double()
    found = network(y, sigma)
    assert found.shape == y.shape
    flat = network(y.reshape(-1, 3, 6, 7), sigma.reshape(-1))
    assert torch.allclose(found, flat.reshape(y.shape), rtol=0, atol=1e-13)


def test_trained_saved_loaded_elsewhere_and_frozen(tmp_path: Path) -> None:
    spec = unroll_dsl.loads(PAGE.format("per phase"))
    y, sigma, target = data()
    network = made(bind={"N": Denoiser}, seed=0)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = network.loss(y, sigma, target)  # type: ignore[operator]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    network.eval()
    expected = network(y, sigma).detach()
    unroll_dsl.save_network(tmp_path / "a.safetensors", spec, network)
    again = unroll_dsl.load_network(tmp_path / "a.safetensors", bind={"N": Denoiser}).eval()
    assert torch.equal(again(y, sigma), expected)
    frozen = network.freeze()  # type: ignore[operator]
    assert torch.allclose(frozen(y, sigma), expected, rtol=0, atol=1e-12)
    assert not any(p.requires_grad for p in frozen.parameters())
    values = spec.values(network)
    assert values["N"]["head.weight"].shape == (3, 4, 4, 3, 3)
    third = made(bind={"N": Denoiser}, init=values).eval()
    assert torch.equal(third(y, sigma), expected)
    reference = spec.reference(bind={"N": Denoiser}, init=values)
    np.testing.assert_allclose(
        _evaluated(reference, y, sigma), expected.numpy(), rtol=0, atol=1e-12
    )


def _evaluated(reference: Any, y: Tensor, sigma: Tensor) -> Any:
    return reference(y.numpy(), sigma.numpy())


def test_a_fixed_network_per_phase_is_not_trained() -> None:
    page = PAGE.format("per phase").replace("learnable N ", "fixed N ")
    network = unroll_dsl.loads(page).compile(bind={"N": Denoiser()})
    assert {n for n, p in network.named_parameters() if p.requires_grad} == {
        f"phases.{k}.mu" for k in range(3)
    }


def test_its_precision_is_the_networks() -> None:
    page = "algorithm a\ndims h, w\ninput y : image[1, h, w]\nlearnable N : network image[1, h, w] -> image[2, h, w]\noutput N(y)\n"
    spec = unroll_dsl.loads(page)
    network = spec.compile(bind={"N": nn.Conv2d(1, 2, 3, padding=1).double()})
    assert network(torch.randn(1, 5, 5).double()).shape == (2, 5, 5)
