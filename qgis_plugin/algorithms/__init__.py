"""Processing algorithms, made from the description of the tools."""
