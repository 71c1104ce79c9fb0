"""Answers to single questions from vectors of cells: computing alone, no files."""
