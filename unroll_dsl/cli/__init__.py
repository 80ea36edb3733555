"""The `unroll` command. Only `main.py` is imported to show help; a command is imported to run."""
