"""Stack + model → embedding file."""
