"""Files <-> arrays on the ground: what a raster is, how it is read on its own pixels, and how results are written."""

import os

# GDAL's block cache takes 5 % of the machine's memory by default, which makes a run's memory grow with its rasters.
# GDAL reads this once, at its first use of the cache; whoever has set it keeps their value.
os.environ.setdefault("GDAL_CACHEMAX", "64")
