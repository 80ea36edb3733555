"""Named blocks against the same networks in plain torch: values and gradients in double precision, at every level."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import unroll_dsl

PAGES = Path(__file__).parent / "pages"
LEVELS = [{"optimize": 0}, {"optimize": 1}, {"optimize": 2}, {"style": "readable"}]


class DnCNN(nn.Module):
    """What 17 convolutions predict, taken off (Zhang et al., 2017, figure 2)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv = nn.ModuleList([nn.Conv2d(1, features, 3, padding=1)])
        for _ in range(15):
            self.conv.append(nn.Conv2d(features, features, 3, padding=1, bias=False))
        self.conv.append(nn.Conv2d(features, 1, 3, padding=1, bias=False))
        self.norm = nn.ModuleList(nn.BatchNorm2d(features) for _ in range(15))

    def forward(self, x: Tensor) -> Tensor:
        v = F.relu(self.conv[0](x))
        for conv, norm in zip(self.conv[1:16], self.norm, strict=True):
            v = F.relu(norm(conv(v)))
        return x - self.conv[16](v)


class Res(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class Up(nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(a, b, 2, stride=2)
        self.mix = nn.Conv2d(2 * b, b, 1, bias=False)
        self.res = Res(b)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.res(self.mix(torch.cat([self.up(x), skip], 1)))


class ResUNet(nn.Module):
    """A U-Net of three resolutions (Ronneberger et al., 2015, figure 1) of residual blocks."""

    def __init__(self, a: int, c: int) -> None:
        super().__init__()
        self.enter, self.top = nn.Conv2d(a, c, 3, padding=1, bias=False), Res(c)
        self.down1 = nn.Conv2d(c, 2 * c, 3, stride=2, padding=1, bias=False)
        self.middle = Res(2 * c)
        self.down2 = nn.Conv2d(2 * c, 4 * c, 3, stride=2, padding=1, bias=False)
        self.bottom1, self.bottom2 = Res(4 * c), Res(4 * c)
        self.up1, self.up2 = Up(4 * c, 2 * c), Up(2 * c, c)
        self.leave = nn.Conv2d(c, a, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        top = self.top(self.enter(x))
        middle = self.middle(self.down1(top))
        bottom = self.bottom2(self.bottom1(self.down2(middle)))
        return x + self.leave(self.up2(self.up1(bottom, middle), top))


class RCAB(nn.Module):
    """Equations 9 and 10 of Zhang et al., 2018."""

    def __init__(self, c: int, r: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)
        self.squeeze, self.excite = nn.Linear(c, r), nn.Linear(r, c)

    def forward(self, x: Tensor) -> Tensor:
        v = self.second(F.relu(self.first(x)))
        weight = torch.sigmoid(self.excite(F.relu(self.squeeze(v.mean((2, 3))))))
        return x + v * weight[:, :, None, None]


class Group(nn.Module):
    def __init__(self, c: int, r: int) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(c, c, 3, padding=1)
        self.one, self.two = RCAB(c, r), RCAB(c, r)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.smooth(self.smooth(self.two(self.one(x))))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, 8, 3, padding=1)
        self.one, self.two = Group(8, 2), Group(8, 2)
        self.leave = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.two(self.one(self.enter(x))))


def renamed(ours: dict[str, Tensor], prefixes: dict[str, str]) -> dict[str, Tensor]:
    """Tensors by other names: those under each prefix of ours, under that of the plain network."""
    return {
        f"{theirs}.{name.removeprefix(f'{own}.')}": tensor
        for theirs, own in prefixes.items()
        for name, tensor in ours.items()
        if name.startswith(f"{own}.")
    }


def of_dncnn(at: str) -> dict[str, str]:
    places = {"conv.0": 0, "conv.16": 47}
    places |= {f"conv.{i + 1}": 2 + 3 * i for i in range(15)}
    places |= {f"norm.{i}": 3 + 3 * i for i in range(15)}
    return {theirs: f"{at}.layers.{place}" for theirs, place in places.items()}


def of_res(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.first": f"{ours}.layers.0", f"{theirs}.second": f"{ours}.layers.2"}


def of_unet(at: str) -> dict[str, str]:
    found = {"enter": f"{at}.top.0", **of_res("top", f"{at}.top.1")}
    found |= {"down1": f"{at}.middle.0", **of_res("middle", f"{at}.middle.1")}
    found |= {"down2": f"{at}.bottom.0", **of_res("bottom1", f"{at}.bottom.1")}
    found |= of_res("bottom2", f"{at}.bottom.2") | {"leave": f"{at}.conv"}
    for theirs, ours in (("up1", f"{at}.lower"), ("up2", f"{at}.up")):
        found |= {f"{theirs}.up": f"{ours}.deconv", f"{theirs}.mix": f"{ours}.conv"}
        found |= of_res(f"{theirs}.res", f"{ours}.res")
    return found


def of_attention(at: str) -> dict[str, str]:
    found = {"enter": f"{at}.0", "leave": f"{at}.3"}
    for theirs, ours in (("one", f"{at}.1"), ("two", f"{at}.2")):
        found[f"{theirs}.smooth"] = f"{ours}.smooth"
        for block, place in (("one", 0), ("two", 1)):
            inner, own = f"{theirs}.{block}", f"{ours}.layers.{place}.layers"
            found |= {f"{inner}.first": f"{own}.0", f"{inner}.second": f"{own}.2"}
            found |= {f"{inner}.squeeze": f"{own}.3.layers.0"}
            found |= {f"{inner}.excite": f"{own}.3.layers.2"}
    return found


def moved(net: nn.Module, seed: int = 3) -> nn.Module:
    """A network with biases, norms and what norms have counted that are not the first ones."""
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if tensor.is_floating_point() and "running_var" not in name:
                tensor += 0.1 * torch.randn(tensor.shape, generator=source, dtype=tensor.dtype)
            elif tensor.is_floating_point():
                tensor *= 1.5
    return net.eval()


def compiled(page: str, **options: object) -> nn.Module:
    spec = unroll_dsl.load(str(PAGES / f"{page}.unroll"))
    return moved(spec.compile(dtype=torch.float64, seed=0, **options))


def holds(page: str, plain: dict[str, nn.Module], y: Tensor, run: object, options: object) -> None:
    """The page and `run`, over `plain` networks by where they stand in it, with equal weights: equal values,
    and equal gradients by every weight and by the input."""
    net = compiled(page, **options)  # type: ignore[arg-type]
    ours, maps = net.state_dict(), {"dncnn17": of_dncnn, "residual_unet": of_unet}
    tables = {at: maps.get(page, of_attention)(at) for at in plain}
    for at, module in plain.items():
        missing = module.double().eval().load_state_dict(renamed(ours, tables[at]))
        assert not missing.missing_keys and not missing.unexpected_keys
    one, other = y.clone().requires_grad_(), y.clone().requires_grad_()
    found, expected = net(one), run(other)  # type: ignore[operator]
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(5), dtype=y.dtype)
    (weights * found).sum().backward()
    (weights * expected).sum().backward()
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-10, atol=1e-10)
    own = {name: p.grad for name, p in net.named_parameters()}
    count = 0
    for at, module in plain.items():
        theirs = {name: p.grad for name, p in module.named_parameters()}
        for name, gradient in renamed(
            {k: v for k, v in own.items() if v is not None}, tables[at]
        ).items():
            torch.testing.assert_close(gradient, theirs[name], rtol=1e-10, atol=1e-10)
            count += 1
    assert count == len(own) > 0


@pytest.mark.parametrize("options", LEVELS, ids=str)
def test_dncnn(options: dict[str, object]) -> None:
    y = torch.randn(2, 1, 9, 7, dtype=torch.float64)
    plain = DnCNN(6)

    def run(y: Tensor) -> Tensor:
        x = y
        for _ in range(3):
            x = plain(x + 0.5 * (y - x))
        return x

    holds("dncnn17", {"D": plain}, y, run, options)


@pytest.mark.parametrize("options", LEVELS, ids=str)
def test_residual_unet(options: dict[str, object]) -> None:
    y = torch.randn(2, 2, 8, 12, dtype=torch.float64)
    plain = [ResUNet(2, 4) for _ in range(3)]

    def run(y: Tensor) -> Tensor:
        x = y
        for net in plain:
            x = net(x - 0.3 * (x - y))
        return x

    named = {f"phases.{k}.N": net for k, net in enumerate(plain)}
    holds("residual_unet", named, y, run, options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", LEVELS, ids=str)
def test_channel_attention(options: dict[str, object]) -> None:
    y = torch.randn(2, 3, 9, 7, dtype=torch.float64)
    plain = Attention()

    def run(y: Tensor) -> Tensor:
        x = y
        for _ in range(3):
            x = x + plain(x) / 4
        return x

    holds("channel_attention", {"N": plain}, y, run, options)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("page", ["dncnn17", "residual_unet", "channel_attention"])
def test_any_number_of_batch_axes(page: str, batch: tuple[int, ...]) -> None:
    net = compiled(page)
    channels = {"dncnn17": 1, "residual_unet": 2, "channel_attention": 3}[page]
    y = torch.randn(*batch, channels, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        found, each = net(y), torch.stack([net(v) for v in y.reshape(-1, channels, 8, 8)])
    torch.testing.assert_close(found, each.reshape(y.shape), rtol=1e-11, atol=1e-11)
