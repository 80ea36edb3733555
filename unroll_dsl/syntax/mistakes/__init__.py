"""Mistakes that the parser recognises where it fails: one function each."""
