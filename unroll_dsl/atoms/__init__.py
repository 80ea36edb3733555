"""Atoms of objectives: what is known of a penalty, a loss, an indicator, one record each."""
