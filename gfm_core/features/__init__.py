"""The feature groups that a head sees together: `fine`, `coarse`, `network`."""
