"""The plugin as a user has it: from the built zip, in a clean profile, run by QGIS's own program from the shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from osgeo import gdal

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SAMPLE = REPOSITORY / "gfm_core" / "assets" / "sample"
WORKER_PYTHON = os.environ.get("GFM_WORKER_PYTHON", str(REPOSITORY / ".venv" / "bin" / "python"))

# QGIS finds its Python through PATH: an environment on it, or this one, would be taken for QGIS's own.
PATH = "/usr/local/bin:/usr/bin:/bin"
FOREIGN = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "QGIS_", "DISPLAY")

pytestmark = pytest.mark.skipif(
    not Path(WORKER_PYTHON).exists(), reason=f"{WORKER_PYTHON} is not there; run make setup"
)


@dataclass(frozen=True)
class Home:
    """A user's profile of QGIS and data folder."""

    config: Path
    data: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `qgis_process` as this user. Debian 12's own start script hands on an option that QGIS 3.22 refuses."""
        program = shutil.which("qgis_process.bin", path=PATH) or shutil.which("qgis_process", path=PATH)
        assert program, "QGIS without qgis_process"
        environ = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environ |= {
            "PATH": PATH, "QT_QPA_PLATFORM": "offscreen", "QGIS_CUSTOM_CONFIG_PATH": str(self.config),
            "XDG_DATA_HOME": str(self.data), "LC_ALL": "C.UTF-8",  # English, whoever runs the tests
        }  # fmt: skip
        command = [program, *arguments]
        return subprocess.run(command, env=environ, cwd=self.config, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    gfm("-m", "build_plugin", "--out", str(folder), cwd=REPOSITORY)
    return next(folder.glob("jepa_gfm-*.zip"))


@pytest.fixture(scope="module")
def home(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Who has installed the plugin and run `gfm doctor --for-qgis`."""
    made = new_home(archive, tmp_path_factory.mktemp("a home"))
    gfm("-m", "gfm_core.cli", "doctor", "--for-qgis", cwd=made.data, XDG_DATA_HOME=str(made.data))
    return made


def new_home(archive: Path, folder: Path) -> Home:
    """A clean profile with the plugin from the zip, switched on; no environment yet."""
    home = Home(folder / "config", folder / "data")
    home.data.mkdir()
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(home.config / "profiles" / "default" / "python" / "plugins")
    enabled = home.run("plugins", "enable", "jepa_gfm")
    assert enabled.returncode == 0, enabled.stderr
    return home


def gfm(*arguments: str, cwd: Path, **environ: str) -> str:
    """Run the Python that has the library; what it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    ran = subprocess.run(
        [WORKER_PYTHON, *arguments], cwd=cwd, env={**kept, **environ}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@dataclass(frozen=True)
class Place:
    """1.4 x 1.4 km of the sample at 10 and 20 m, and the sample's polygons; the sample itself is not opened in QGIS."""

    rasters: list[str]
    labels: str

    @property
    def inputs(self) -> list[str]:
        """The rasters as arguments of `qgis_process`."""
        return [f"INPUTS={path}" for path in self.rasters]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    cut = []
    for name, pixel in (("s2_l1c_10m", 10), ("s2_l1c_20m", 20)):
        window = [side // pixel for side in (7200, 2400, 1440, 1440)]
        gdal.Translate(str(folder / f"{name}.tif"), str(SAMPLE / f"{name}.tif"), srcWin=window)
        cut.append(str(folder / f"{name}.tif"))
    return Place(cut, str(shutil.copy(SAMPLE / "landuse.gpkg", folder)))


def told(path: Path) -> dict[str, Any]:
    """Everything that a raster says, but for where it lies: grid, tags, and each band with its pixels."""
    dataset = gdal.Open(str(path))
    domains = set(dataset.GetMetadataDomainList() or []) - {"DERIVED_SUBDATASETS"}  # GDAL's own, with the file's name
    bands = [dataset.GetRasterBand(number) for number in range(1, dataset.RasterCount + 1)]
    return {
        "grid": (dataset.RasterXSize, dataset.RasterYSize, dataset.GetGeoTransform(), dataset.GetProjection()),
        "tags": {domain: dataset.GetMetadata(domain) for domain in domains},
        "bands": [
            (band.GetDescription(), band.GetNoDataValue(), band.GetScale(), band.GetOffset(), band.GetCategoryNames(),
             band.DataType, bytes(band.ReadRaster()))
            for band in bands
        ],
    }  # fmt: skip


def refusal(ran: subprocess.CompletedProcess[str]) -> str:
    """What a run says that was refused: exit code 1, no traceback, and one sentence after QGIS's own heading."""
    said = ran.stdout + ran.stderr
    assert ran.returncode == 1, said
    assert "Traceback" not in said
    lines = said.partition("ERROR:")[2].splitlines()
    told = [lines[0], *(line for line in lines[1:] if line.startswith("\t"))]
    told = [line.strip() for line in told if "error was encountered while checking" not in line]
    assert len(told) == 1, said
    assert told[0].endswith("."), said
    return told[0]


def test_both_algorithms_are_listed(home: Home) -> None:
    listed = home.run("list")
    assert listed.returncode == 0
    assert "jepagfm:embedlayers" in listed.stdout
    assert "jepagfm:classifylandcover" in listed.stdout


def test_an_embedding_from_qgis_is_the_one_of_the_command_line(home: Home, place: Place, tmp_path: Path) -> None:
    ran = home.run("run", "jepagfm:embedlayers", "--", *place.inputs, f"OUTPUT={tmp_path / 'qgis.tif'}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    gfm("-m", "gfm_core.cli", "embed", *place.rasters, "-o", str(tmp_path / "gfm.tif"), cwd=tmp_path)
    assert told(tmp_path / "qgis.tif") == told(tmp_path / "gfm.tif")


def test_a_map_from_qgis_is_the_one_of_the_command_line(home: Home, place: Place, tmp_path: Path) -> None:
    inputs = [*place.inputs, f"LABELS={place.labels}|layername=landuse", "FIELD=fclass"]
    ran = home.run("run", "jepagfm:classifylandcover", "--", *inputs, f"OUTPUT={tmp_path / 'qgis.tif'}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    given = [*place.rasters, "--labels", place.labels, "--field", "fclass"]
    gfm("-m", "gfm_core.cli", "classify", *given, "-o", str(tmp_path / "gfm.tif"), cwd=tmp_path)
    for name in (".tif", "_confidence.tif"):
        assert told(tmp_path / f"qgis{name}") == told(tmp_path / f"gfm{name}")
    assert (tmp_path / "qgis_report" / "report.html").is_file()


def test_without_an_environment_a_run_says_where_to_set_it_up(archive: Path, place: Place, tmp_path: Path) -> None:
    output = tmp_path / "results" / "embedding.tif"
    output.parent.mkdir()
    stranger = new_home(archive, tmp_path)
    ran = stranger.run("run", "jepagfm:embedlayers", "--", place.inputs[0], f"OUTPUT={output}")
    assert "set it up in Settings > Options > JEPA-GFM" in refusal(ran)
    assert not list(output.parent.iterdir())


@pytest.mark.parametrize(
    ("field", "sentence"),
    [  # without labels at all the form refuses, without the field the worker does
        ("", "Labels are missing"),
        ("nothing", "has no field 'nothing'; use 'osm_id', 'fclass', 'split'"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_a_sentence_and_leaves_nothing(
    field: str, sentence: str, home: Home, place: Place, tmp_path: Path
) -> None:
    inputs = [*place.inputs, *([f"LABELS={place.labels}", f"FIELD={field}"] if field else [])]
    ran = home.run("run", "jepagfm:classifylandcover", "--", *inputs, f"OUTPUT={tmp_path / 'map.tif'}")
    assert sentence in refusal(ran)
    assert not list(tmp_path.iterdir())


def test_the_profile_holds_nothing_of_ours_but_the_plugin_and_the_log_of_the_worker(home: Home) -> None:
    profile = home.config / "profiles" / "default"
    ours = {path.relative_to(profile).as_posix() for path in profile.rglob("*") if "gfm" in path.name.lower()}
    assert {name for name in ours if not name.startswith("python/plugins/jepa_gfm/")} <= {
        "python/plugins/jepa_gfm", "jepa_gfm",
    }  # fmt: skip
