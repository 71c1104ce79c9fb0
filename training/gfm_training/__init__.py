"""How the network learns: places, masks, objectives, the run and its monitor. The library never imports it."""
