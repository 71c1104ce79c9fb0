"""`gfm embed` killed at random moments, again and again: the same command must end with the same bytes.

    python benchmarks/kill.py [--kills 50] [--seed 0] [--data ../shared/data]

Embeds Brandenburg (or, without `--data`, the package's sample scene) undisturbed once, then kills the same command
`--kills` times with SIGKILL after a random while, lets it finish, and compares the files. A kill may fall anywhere: in
the imports, in a tile, between two renamings. Where a run ended before its time, the output is compared and removed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gfm_core.assets import sample_folder

DATA = Path(os.environ.get("GFM_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def main() -> int:
    """Kill, resume, compare; 0 if all ends were the same."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA)
    args = parser.parse_args()
    rasters = sorted((args.data / "brandenburg").glob("*.tif")) or sorted(sample_folder().glob("*.tif"))
    chance, ends, started = random.Random(args.seed), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gfm-kill-") as place:
        folder = Path(place)

        def command(output: Path) -> list[str]:
            words = ["embed", *map(str, rasters), "-o", str(output), "--cell", "40"]
            return [sys.executable, "-m", "gfm_core.cli", "--quiet", *words]

        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        alone, killed = folder / "alone.tif", folder / "killed.tif"
        environment = {**os.environ, "GFM_CACHE_MB": "0"}
        begun = time.monotonic()
        subprocess.run(command(alone), check=True, env=environment, **quiet)
        length, whole = time.monotonic() - begun, alone.read_bytes()
        for number in range(args.kills):
            process = subprocess.Popen(command(killed), env=environment, **quiet)
            time.sleep(chance.uniform(0, length))
            process.kill()
            process.wait()
            if killed.exists():  # it was done, or the kill came after the file was moved into place
                if killed.read_bytes() != whole:
                    print(f"kill {number}: a file under the final name is not whole")
                    return 1
                ends += 1
                for path in folder.glob("killed*"):
                    path.unlink()
        subprocess.run(command(killed), check=True, env=environment, **quiet)
        same = killed.read_bytes() == whole
        strays = sorted(path.name for path in folder.iterdir() if not path.name.startswith(("alone", "killed")))
    seconds = time.monotonic() - started
    print(f"{args.kills} kills within {length:.1f} s each, {ends + 1} times to the end, {seconds:.0f} s: "
          f"{'the same bytes' if same else 'OTHER BYTES'}, {len(strays)} stray files {strays or ''}")  # fmt: skip
    return 0 if same and not strays else 1


if __name__ == "__main__":
    sys.exit(main())
