"""Failures as sentences: from what pip and Python said, word for word where it could be made to say it."""

from __future__ import annotations

import pytest

from qgis_plugin.setup.failures import Scene, failure

HERE = Scene("3.11.7", "/home/ana/environment")
OFFLINE = Scene("3.11.7", "/home/ana/environment", "/media/stick")

RETRY = (
    "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken "
    "by '{}': /simple/torch/"
)
NO_TORCH = "ERROR: No matching distribution found for torch>=2.6"
NEW = (
    "NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object>: Failed to establish a new connection'"
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["ERROR: Could not install packages: [Errno 28] No space left on device"], "disk became full"),
        (["OSError: [WinError 112] There is not enough space on the disk"], "disk became full"),
        ([RETRY.format(NEW), NO_TORCH], "registry cannot be reached"),
        ([RETRY.format("ConnectTimeoutError(...)"), "Network is unreachable", NO_TORCH], "registry cannot be reached"),
        ([RETRY.format("ProxyError('Cannot connect to proxy.', OSError(...))"), NO_TORCH], "The proxy refused"),
        (["Tunnel connection failed: 407 Proxy Authentication Required"], "The proxy refused"),
        (["ERROR: Could not install packages due to an OSError: Missing dependencies for SOCKS support."], "SOCKS"),
        ([RETRY.format("SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed')"), NO_TORCH],
         "variable PIP_CERT"),
        (["ERROR: HTTP error 403 while getting https://pypi.example/torch.whl"], "HTTP error 403"),
        (["ERROR: 503 Server Error: Service Unavailable for url: https://pypi.example"], "HTTP error 503"),
        ([NO_TORCH], "no torch in the tested version for Python 3.11.7"),
        (["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."], "is damaged"),
        (["ERROR: Wheel 'torch' located at /tmp/torch.whl is invalid."], "(Wheel 'torch' located at /tmp/torch.whl is"),
        (["OSError: [Errno 13] Permission denied: '/home/ana/environment/x.py'"], "may not be written"),
        (["[WinError 32] The file is being used by another process"], "virus scanner"),
        (["HINT: This error might have occurred since this system does not have Windows Long Path support enabled."],
         "too long for Windows"),
        (["ImportError: DLL load failed while importing _C: The specified module could not be found."],
         "Visual C++ Redistributable"),
        (["OSError: [WinError 1114] A dynamic link library (DLL) initialization routine failed. Error loading c10.dll"],
         "Visual C++ Redistributable"),
        (["The virtual environment was not created successfully because ensurepip is not available."],
         "sudo apt install python3-venv"),
        (["Collecting x", "ERROR: something new.", "more"], "failed (something new); read the log"),
        ([], "failed (exit code 1)"),
    ],
)  # fmt: skip
def test_the_cause_and_the_mend_are_one_sentence(said: list[str], words: str) -> None:
    told = str(failure("Installing the packages", 1, said, HERE))
    assert words in told
    assert told.endswith(".")
    assert "\n" not in told
    assert "ress Set up again" in told
    assert "{" not in told


def test_the_wheels_that_a_folder_lacks_are_named() -> None:
    said = ["The user requested (constraint) numpy==2.4.6", "The user requested (constraint) scipy==1.17.1", NO_TORCH]
    told = str(failure("Installing the packages", 1, said, OFFLINE))
    assert told.startswith("The folder /media/stick holds no numpy and no scipy and no torch in the tested version")


def test_a_step_that_was_killed_is_told() -> None:
    assert "was ended from outside (signal SIGKILL)" in str(
        failure("Installing the packages", -9, ["Collecting"], HERE)
    )
