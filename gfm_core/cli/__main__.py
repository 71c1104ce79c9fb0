"""`python -m gfm_core.cli`: `gfm`, for a program that knows the interpreter and not where its scripts lie."""

from gfm_core.cli.main import main

main()
