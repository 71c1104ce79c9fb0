"""The feature groups, a head each: `fine`, `coarse`, `network` (stored), `prototypes`, `indices` (made from these)."""
