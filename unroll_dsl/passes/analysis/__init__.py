"""What passes ask of a graph: costs, liveness, signs. Nothing here changes one."""
