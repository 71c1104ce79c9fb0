"""Tensors -> latents: statistics of pixels, tokens, fusion in the cell, mixing in space. No files but checkpoints."""
