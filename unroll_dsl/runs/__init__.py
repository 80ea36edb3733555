"""Runs looked at: one page of a training, figures of merit, networks beside classical iterations.

Everything that is shown is a plain value first (`panels.py`, `page.py`) and drawn last (`drawing.py`,
`page.html`), so that what a figure says can be tested without drawing it.
"""
