"""One module a method, or a family of methods; each binds `METHODS`."""
