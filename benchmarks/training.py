"""A training step of ISTA-Net+ against the number of phases, with checkpoints and without.

Each figure comes from a process of its own, so that what it takes of memory is that of one step: the most
that was held during it above what was held before, with the gradients in place.
"""

from __future__ import annotations

import json
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.memory import elsewhere, forget, held

PHASES = (4, 16, 64)
BLOCKS = 8


def step(phases: int, checkpoint: str | None) -> dict[str, float]:
    """Seconds and MiB of one step, in this process."""
    import time

    import torch

    import unroll_dsl
    from benchmarks.networks import alive

    def network(count: int) -> Any:
        return unroll_dsl.load("ista_net_plus").compile(
            count,
            bind={"Phi": phi, "Q": phi.mT.contiguous()},
            dims={"h": 33, "w": 33},
            checkpoint=checkpoint,  # type: ignore[arg-type]
        )

    torch.manual_seed(0)
    phi = torch.linalg.qr(torch.randn(1089, 272))[0].mT.contiguous()
    net = network(phases)
    alive(net)
    x = torch.rand(BLOCKS, 1, 33, 33)
    y = x.flatten(1) @ phi.mT
    network(1).loss(y, x).backward()  # what libraries load on their first use
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    forget()
    before = held()
    begin = time.perf_counter()
    net.loss(y, x).backward()
    return {"seconds": time.perf_counter() - begin, "mebibytes": held() - before}


def _elsewhere(phases: int, checkpoint: str | None) -> dict[str, float]:
    code = f"import json; from benchmarks.training import step; print(json.dumps(step({phases}, {checkpoint!r})))"
    return json.loads(elsewhere(code))  # type: ignore[no-any-return]


def measured(repetitions: int = 5) -> dict[tuple[int, str | None], dict[str, float]]:
    """Medians by phases and kind, the kinds taking turns."""
    found: dict[tuple[int, str | None], list[dict[str, float]]] = {}
    for phases in PHASES:
        for _ in range(repetitions):
            for kind in (None, "phase"):
                found.setdefault((phases, kind), []).append(_elsewhere(phases, kind))
    return {
        key: {word: median(run[word] for run in runs) for word in ("seconds", "mebibytes")}
        for key, runs in found.items()
    }


def run(*names: str) -> None:
    table = Table(title=f"A training step of ISTA-Net+ on {BLOCKS} blocks", title_justify="left")
    for heading in ("phases", "", "s", "MiB", "time", "memory"):
        table.add_column(heading, justify="right")
    found = measured()
    for (phases, kind), value in found.items():
        plain = found[phases, None]
        ratios = (
            value["seconds"] / plain["seconds"],
            value["mebibytes"] / plain["mebibytes"],
        )
        table.add_row(
            str(phases),
            "" if kind is None else f'checkpoint="{kind}"',
            f"{value['seconds']:.2f}",
            f"{value['mebibytes']:.0f}",
            *(f"{ratio:.2f}" for ratio in ratios),
        )
    Console().print(table)
