"""The process that other programs talk to, QGIS above all: `python -m gfm_core.worker`."""
