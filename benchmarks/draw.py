"""The ratios of all benchmarks that have been run, build/benchmarks.json, as one picture:
docs/figures/benchmarks.svg."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import geometric_mean

from rich.console import Console

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
_TITLES = {
    "plain": "against what the authors' programs compute",
    "by hand": "against an expert's PyTorch",
    "deepinv": "against deepinv 0.5",
}
_WAYS = ("training step", "compiled", "frozen")  # else: as it is


def record(against: str, network: str, way: str, ratio: float) -> None:
    """Keep a ratio in the file, in place of an earlier one of the same."""
    found = _read()
    found.setdefault(against, {}).setdefault(network, {})[way] = round(ratio, 3)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "benchmarks.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _read() -> dict[str, dict[str, dict[str, float]]]:
    path = BUILD / "benchmarks.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def run(*names: str) -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    found = {key: value for key, value in _read().items() if key in _TITLES}
    rows = [len(networks) for networks in found.values()]
    figure, axes = plt.subplots(
        len(found), 1, figsize=(8, 0.25 * sum(rows) + len(rows)), squeeze=False,
        height_ratios=rows, layout="constrained",
    )  # fmt: skip
    for axis, (against, networks) in zip(axes[:, 0], found.items(), strict=True):
        axis.set_title(_TITLES[against], loc="left", fontsize=10)
        for number, network in enumerate(networks):
            for way, ratio in networks[network].items():
                kind = next((i for i, word in enumerate(_WAYS) if word in way), len(_WAYS))
                marker, colour = ("s", "^", "o", "o")[kind], f"C{(2, 1, 0, 0)[kind]}"
                face = "white" if kind == 2 else colour
                axis.plot(ratio, number, marker, color=colour, markerfacecolor=face, markersize=6)
        axis.axvline(1, color="grey", linewidth=1)
        axis.set_yticks(range(len(networks)), list(networks), fontsize=8)
        axis.invert_yaxis()
        axis.set_xscale("log")
        axis.set_xlim(0.7, 500 if against == "plain" else 14)
        ticks = [1, 2, 3, 5, 10, 30, 100, 300] if against == "plain" else [1, 1.5, 2, 3, 5, 10]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        axis.grid(axis="both", color="0.9")
    axes[-1, 0].set_xlabel("times faster")
    words = ("inference", "frozen", "under torch.compile", "training step")
    looks = (("o", "C0", "C0"), ("o", "C0", "white"), ("^", "C1", "C1"), ("s", "C2", "C2"))
    handles = [
        mpl.lines.Line2D([], [], marker=m, color=c, markerfacecolor=f, linestyle="", label=w)
        for w, (m, c, f) in zip(words, looks, strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    for against, networks in found.items():
        ways = dict.fromkeys(way for ratios in networks.values() for way in ratios)
        for way in ways:
            mean = geometric_mean(ratios[way] for ratios in networks.values() if way in ratios)
            print(f"{_TITLES[against]}, {way}: {mean:.2f} times faster in the geometric mean")
    path = ROOT / "docs" / "figures" / "benchmarks.svg"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    Console().print(f"drawn: {path}")
