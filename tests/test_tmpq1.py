import sys,time; sys.path.insert(0,'/work/main')
import pytest
def test_x(place, nano_path, tmp_path):
    import gfm_core as gfm
    t=time.time(); s=gfm.open_stack(place); print('open',time.time()-t)
    print(s.cells, [(m.name,m.shape,m.gsd,m.normalisation[0].fitted) for m in s.modalities], s.notes)
    from gfm_core.embedding.pipeline import tile_side
    from gfm_core.grid import tile_rows, windows
    print(tile_side(s), [len(r) for r in tile_rows(s.cells)], len(list(windows(s.cells))))
    for _ in range(2):
        t=time.time(); e=gfm.embed(s,tmp_path/'e.tif',model=str(nano_path),threads=1,overwrite=True); print('embed',time.time()-t)
    import numpy as np
    v=e.read('network',e.cells); print(np.isnan(v).any(0).sum(), v.std(), len(e.columns))
    v=e.read('fine',e.cells); print([ (c.name, int(np.isnan(x).sum())) for c,x in zip(e.columns_of('fine'),v)][::7])
