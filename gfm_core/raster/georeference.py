"""Where a raster lies: its CRS, its grid and the size of its pixels on the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

from affine import Affine
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT

from gfm_core.errors import InputError, MissingCrsError

# A projection whose metre is true to 1 % at the raster counts as metres on the ground, so that tiles of one sensor have
# one GSD; web Mercator and degrees are measured.
_TRUE_METRE = 0.01


@dataclass(frozen=True, slots=True)
class Georeference:
    """A raster's grid on the ground; with `gcps` that of the raster warped by its ground control points."""

    crs: str  # WKT2
    transform: Affine
    width: int
    height: int
    gsd: float
    gcps: bool
    reasons: tuple[str, ...]


# Where rasters are put that lie nowhere: metres are true around the origin, and nothing else is meant.
_LOCAL = CRS.from_dict({"proj": "tmerc", "lat_0": 0, "lon_0": 0, "datum": "WGS84", "units": "m"})


def georeference_of(
    dataset: DatasetReader, name: str, declared_crs: str | None, declared_gsd: float | None = None
) -> Georeference:
    """Place an open raster; `declared_crs` (WKT) replaces its own.

    With `declared_gsd` (metres) a raster without CRS and transform gets a ground of its own, in local metres. Raises
    MissingCrsError without any CRS, InputError for RPCs without a transform and for coordinates off the Earth.
    """
    points, points_crs = dataset.gcps
    placed = dataset.transform != Affine.identity()
    if not placed and not points and dataset.rpcs is not None:
        raise InputError(
            f"{name} has RPCs but no transform, so its place depends on the terrain; orthorectify it first "
            "(gdalwarp -rpc -to RPC_DEM=dem.tif)."
        )
    own = dataset.crs or points_crs
    if declared_gsd is not None:
        return _in_local_metres(dataset, name, declared_gsd, placed=placed or bool(own) or declared_crs is not None)
    if declared_crs is None and not own:
        raise MissingCrsError(
            f"{name} has no CRS; give it one with {name}:crs=EPSG:N, or, if it lies nowhere, its pixels' size in "
            f"metres with {name}:gsd=M."
        )
    crs = CRS.from_wkt(declared_crs or own.to_wkt())
    reasons = ["CRS declared by hand"] if declared_crs else []
    transform, width, height = dataset.transform, dataset.width, dataset.height
    by_points = bool(points) and not placed
    if by_points:
        with warped_by_points(dataset, crs.to_wkt()) as warped:
            transform, width, height = warped.transform, warped.width, warped.height
        reasons.append(f"placed by {len(points)} ground control points")
    elif not placed:
        reasons.append("no georeference in the file: one unit a pixel from the CRS's origin")
    gsd = ground_sample_distance(crs, transform, width, height, name)
    return Georeference(crs.to_wkt(), transform, width, height, gsd, by_points, tuple(reasons))


def _in_local_metres(dataset: DatasetReader, name: str, gsd: float, *, placed: bool) -> Georeference:
    """The ground of a raster that lies nowhere: its upper left corner is the origin."""
    if placed:
        raise InputError(f"{name} says where it lies, and so how large its pixels are; leave :gsd= out.")
    transform = Affine(gsd, 0.0, 0.0, 0.0, -gsd, 0.0)
    reasons = (f"no georeference in the file: local metres, {gsd:g} a pixel, as declared",)
    return Georeference(_LOCAL.to_wkt(), transform, dataset.width, dataset.height, gsd, False, reasons)


def warped_by_points(
    dataset: DatasetReader, crs: str, *, nodata: float | None = None, resampling: Resampling = Resampling.bilinear
) -> WarpedVRT:
    """A raster straightened by its ground control points, what lies outside masked; its grid depends on nothing else.

    The grid is GDAL's own choice: rasterio (1.4) forgets the points when it is told a transform.
    """
    options = {"src_nodata": nodata, "nodata": nodata} if nodata is not None else {"add_alpha": True}
    return WarpedVRT(dataset, src_crs=crs, crs=crs, resampling=resampling, **options)


def ground_sample_distance(crs: CRS, transform: Affine, width: int, height: int, name: str) -> float:
    """Metres on the ground that a pixel at the raster's centre spans: the root of its area.

    Of a projection true to 1 % there: its own metres, to 3 decimals; else measured on the ellipsoid, to 3 digits.
    """
    col, row = width / 2, height / 2
    places = [transform * place for place in ((col, row), (col + 1, row), (col, row + 1))]
    try:
        geodetic = crs.geodetic_crs
        if geodetic is None:
            raise InputError(f"{name} has a CRS without a place on the Earth ({crs.name}); give another with :crs=.")
        to_degrees = Transformer.from_crs(crs, geodetic, always_xy=True)
        lon, lat = to_degrees.transform([x for x, _ in places], [y for _, y in places], errcheck=True)
    except (ProjError, CRSError) as error:
        raise InputError(
            f"{name} lies outside the domain of its CRS ({crs.name}); check or declare it with :crs=."
        ) from error
    geod = geodetic.get_geod() or Geod(ellps="WGS84")
    azimuth, _, along_row = geod.inv(lon[0], lat[0], lon[1], lat[1])
    other_azimuth, _, along_col = geod.inv(lon[0], lat[0], lon[2], lat[2])
    # The root of the pixel's area: the geometric mean of its sides unless the CRS shears it (sinusoidal).
    ground = math.sqrt(along_row * along_col * abs(math.sin(math.radians(azimuth - other_azimuth))))
    if not (math.isfinite(ground) and ground > 0):
        raise InputError(f"{name} lies outside the domain of its CRS ({crs.name}); check or declare it with :crs=.")
    if crs.is_projected:
        unit = crs.axis_info[0].unit_conversion_factor
        plane = unit * math.sqrt(abs(transform.determinant))
        if abs(plane / ground - 1) <= _TRUE_METRE:
            return round(plane, 3) or plane
    return float(f"{ground:.3g}")
