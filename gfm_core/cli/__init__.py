"""The command line `gfm`: parse, one library call, report. No logic."""
