"""Measurements, not tests: `python -m benchmarks [NAME ...]`, or `make bench`."""
