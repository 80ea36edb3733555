"""What a page is coloured by where nothing reads it as a program: one table of patterns, for Pygments and for editors.

`table.py` is made of the grammar's terminals and words and of the tables of functions; `pygments.py` is a lexer of it, `textmate.py` the
grammar that `editors/vscode/` holds.
"""
