"""Two processes of a run that tell one another: real ones, by gloo."""

from __future__ import annotations

from pathlib import Path

import torch
from gfm_training.across import from_first, processes, rank, summed
from torch import distributed, multiprocessing

VALUES = torch.randn((100, 4), generator=torch.Generator().manual_seed(0)) * 5 + 2


def one_of_two(number: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=number, world_size=2)
    mine = VALUES[:70] if number == 0 else VALUES[70:]  # not alike many
    told = {
        "sum": summed(mine.sum(dim=0)), "of": processes(), "rank": rank(), "first": from_first(lambda: number + 40),
    }  # fmt: skip
    torch.save(told, f"{folder}/{number}.pt")
    distributed.destroy_process_group()


def test_two_processes_know_the_sum_of_what_both_hold_and_what_the_first_one_says(tmp_path: Path) -> None:
    multiprocessing.start_processes(one_of_two, args=(str(tmp_path),), nprocs=2, start_method="fork")
    for number in range(2):
        told = torch.load(tmp_path / f"{number}.pt", weights_only=True)
        torch.testing.assert_close(told["sum"], VALUES.sum(dim=0))
        assert (told["of"], told["rank"], told["first"]) == (2, number, 40)


def test_a_lone_process_sums_nothing_but_its_own() -> None:
    assert processes() == 1
    assert summed(VALUES) is VALUES
    assert (rank(), from_first(lambda: 5)) == (0, 5)
