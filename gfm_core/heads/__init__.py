"""Heads: the small classifiers fitted on labels, a feature group each, fused late."""
