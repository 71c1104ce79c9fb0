"""JEPA-GFM: embeddings and land-cover maps from rasters as they are.

    import gfm_core as gfm
    stack = gfm.open_stack(["s2_10m.tif", "s2_20m.tif", "dem.tif"], cell_size=20)
    emb = gfm.embed(stack, "embedding.tif")
    result = gfm.classify(stack, "map.tif", labels="labels.gpkg", field="class")

Everything below loads when it is first used; the names and types are in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
