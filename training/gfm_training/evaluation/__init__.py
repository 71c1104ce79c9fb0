"""`gfm evaluate`: what a network is worth on rasters of one's own, beside the untrained one."""
