"""Random well-typed programs, and what must hold of each: see programs.py and trial.py.

`make fuzz` tries ten thousand; `python -m tests.fuzz --seeds 17 42 --show` shows single ones.
"""
