"""What may surround a call of `compile`: autocast, inference mode, a default device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_DEVICES = ("cpu", "cuda", "mps", "xpu")


@contextmanager
def plain(device: torch.device | str | None) -> Iterator[None]:
    """Make a network as if nothing surrounded it, what it creates on `device`.

    Autocast would round classical values and what is factorised at set-up; tensors of inference mode
    cannot be trained. A default device holds where no device is asked for or follows from bound values.
    """
    with ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        for kind in _DEVICES:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if device is not None:
            stack.enter_context(torch.device(device))
        yield
