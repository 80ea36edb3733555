"""Functions and linear operators of the language: one record each, found by `registry`."""
