"""Passes that choose kernels: formulas that libraries lack or are slow at, in one pass over memory."""
