"""What we use of Lightning. It imports torchvision, which `gfm_core.sampling` mends where needed: that comes first."""

import gfm_core.sampling  # noqa: F401, I001 (before Lightning, not in order of name)
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy, FSDPStrategy

__all__ = ["Callback", "DDPStrategy", "FSDPStrategy", "LightningModule", "TensorBoardLogger", "Trainer"]
