"""The main job in miniature: Gregor and LeCun (2010), table 1, on photographs. See `run.py`."""
