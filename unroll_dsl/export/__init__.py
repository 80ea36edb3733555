"""A network for other runtimes: ONNX, `torch.export`, AOTInductor, a folder that needs torch alone. `unroll_dsl.export(...)` writes it.

What is written is frozen, takes any batch, and has been run where it will run: what it gives is held against the network.
"""

from unroll_dsl.calling import callable_as

callable_as(__name__, "unroll_dsl.export.writing:export")
