"""The features of `editor/` for editors that speak the language server protocol: `unroll lsp`.

pygls and lsprotocol are an extra, `unroll_dsl[lsp]`, imported where a server is made: `server.py`, `session.py`, `answers.py`
and `told.py`. `places.py` knows no protocol.
"""
