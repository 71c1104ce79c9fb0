"""Cluster: an embedding → kinds of ground that look alike, as a map with colours and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gfm_core.answers.clusters import Clusters
from gfm_core.classes import MapClass
from gfm_core.embedding.space import CellSpace
from gfm_core.parameters import ClusterParameters
from gfm_core.progress import Reporter
from gfm_core.raster.finish import add_overviews
from gfm_core.raster.write import Outputs
from gfm_core.report.palette import with_colours
from gfm_core.report.pictures import legend_png
from gfm_core.report.style import class_colormap, write_class_style
from gfm_core.tools.call import call_of
from gfm_core.tools.cells import asked_groups, cells_of, raster_of
from gfm_core.tools.embed import read_files
from gfm_core.tools.map_write import class_names
from gfm_core.tools.ready import NOTHING, Ready


@dataclass(frozen=True, slots=True)
class ClusterMap:
    """A map of clusters: `classes` are numbered from 1, the largest first; `cells` counts them by number."""

    path: Path
    legend: Path
    classes: tuple[MapClass, ...]
    cells: dict[int, int]


def run_cluster(parameters: ClusterParameters, reporter: Reporter, ready: Ready = NOTHING) -> ClusterMap:
    """The tool itself, for the command line, the worker and `cluster`."""
    made = parameters.output
    legend = made.with_name(f"{made.stem}_legend.png")
    with (
        reporter.listening(),
        Outputs([made, legend], inputs=read_files(parameters), overwrite=parameters.overwrite) as outputs,
    ):
        cells = cells_of(parameters, outputs, reporter.step(0, 0.5), ready)
        space = CellSpace.of(cells.embedding, asked_groups(parameters))
        reporter.update(0.5, "looking for clusters")
        found = Clusters.fit(space.look(), parameters.count, seed=parameters.seed)
        numbers = range(1, parameters.count + 1)
        classes = with_colours(tuple(MapClass(number, f"cluster {number}", number) for number in numbers), None, None)
        counts = np.zeros(parameters.count + 1, np.int64)
        path = outputs.partial(made)
        with raster_of(path, cells, bands=["cluster"], dtype="uint8", nodata=0) as writer:
            writer.dataset.update_tags(**class_names(classes))
            writer.dataset.write_colormap(1, class_colormap(classes))
            for row, strip in space.strips(
                lambda vectors, _: found.of(vectors),
                threads=parameters.threads,
                reporter=reporter.step(0.55, 0.95),
                message="sorting cells",
            ):
                writer.put(0, row, strip)
                counts += np.bincount(strip.ravel(), minlength=len(counts))
        add_overviews(path, categorical=True)
        told = {number: int(counts[number]) for number in numbers}
        write_class_style(path, classes, counts=told)
        legend_png(outputs.partial(legend), classes)
        cells.check_unchanged()
        reporter.update(1.0, "done")
    return ClusterMap(made, legend, classes, told)


cluster = call_of(ClusterParameters, run_cluster, "Sort the ground of rasters into kinds that look alike.")
