"""What an iteration asks of its objective, found again in symbols: gradients, proximal maps, maps and their adjoints."""
