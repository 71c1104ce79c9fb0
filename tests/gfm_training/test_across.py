"""Two processes of a run that sum over each other: real ones, by gloo."""

from __future__ import annotations

from pathlib import Path

import torch
from gfm_training.across import moments, processes, summed
from torch import distributed, multiprocessing

VALUES = torch.randn((3, 100, 4), generator=torch.Generator().manual_seed(0)) * 5 + 2


def one_of_two(rank: int, folder: str) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    mine = VALUES[:, :70] if rank == 0 else VALUES[:, 70:]  # not alike many
    mean, sd = moments(mine, least_sd=0.0)
    told = {"mean": mean, "sd": sd, "sum": summed(torch.tensor([float(rank + 1)])), "of": processes()}
    torch.save(told, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def test_two_processes_know_the_moments_of_what_both_hold(tmp_path: Path) -> None:
    multiprocessing.start_processes(one_of_two, args=(str(tmp_path),), nprocs=2, start_method="fork")
    for rank in range(2):
        told = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(told["mean"], VALUES.mean(dim=1, keepdim=True))
        torch.testing.assert_close(told["sd"], VALUES.std(dim=1, keepdim=True))
        assert told["sum"].tolist() == [3.0]
        assert told["of"] == 2


def test_a_lone_process_sums_nothing_but_its_own() -> None:
    assert processes() == 1
    assert summed(VALUES) is VALUES


def test_a_single_row_stays_as_it_is() -> None:
    mean, sd = moments(VALUES[:, :1], least_sd=0.1)
    assert torch.equal((VALUES[:, :1] - mean) / sd, VALUES[:, :1])
