"""Files that come with the package: the sample scene, the models, what reports are made from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_folder() -> Path:
    """Folder of the sample scene: `s2_l1c_10m.tif`, `s2_l1c_20m.tif`, `s2_l1c_60m.tif`, `landuse.gpkg`, `README.md`.

    The polygons' field `fclass` holds the class, `split` tells those for training (`train`) from the others (`check`).
    """
    return Path(str(files(__name__))) / "sample"


def model_files() -> dict[str, Path]:
    """Names and files of the models that come with the library."""
    folder = Path(str(files(__name__))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
