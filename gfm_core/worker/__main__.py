"""`python -m gfm_core.worker`: requests on stdin, answers on what was stdout.

Native libraries print to file descriptor 1 as they like, so the protocol takes a copy of it and 1 becomes stderr before
anything else is imported.
"""

import os
import sys


def _claim_stdout() -> int:
    """A descriptor for the protocol alone; whatever else is printed goes to stderr."""
    protocol = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return protocol


def main() -> None:
    """Serve until stdin closes."""
    protocol = _claim_stdout()
    from gfm_core.worker.server import serve

    with open(protocol, "wb", buffering=0) as answers, open(0, "rb", buffering=0) as requests:  # noqa: PTH123
        serve(requests, answers)


if __name__ == "__main__":
    main()
