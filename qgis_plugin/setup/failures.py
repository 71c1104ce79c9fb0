"""What can go wrong while the environment is set up, each as one sentence with the cause and the mend."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..worker_errors import OLDEST_PYTHON, exit_text

AGAIN = "press Set up again"
VENV = "sudo apt install python3-venv"
OLDEST = ".".join(map(str, OLDEST_PYTHON))


class SetupError(Exception):
    """The set-up came to nothing; the message is one sentence with the mend."""


@dataclass(frozen=True)
class Scene:
    """Where a step failed: what a sentence about it has to name."""

    python: str  # "3.11.7"
    folder: str
    wheel_folder: str = ""


# The first that is found in what the step said is the cause: pip that finds no network also finds no package.
_CAUSES = (
    (
        r"No space left on device|not enough space on the disk|WinError 112|Errno 28|Errno 122|Disk quota exceeded",
        f"The disk became full while the environment was made in {{folder}}; free some space and {AGAIN}.",
    ),
    (
        r"ensurepip is not available|No module named '?(ensurepip|venv)\b",
        f"Python {{python}} cannot make an environment; install what it lacks (Debian, Ubuntu: {VENV}) and {AGAIN}.",
    ),
    (
        r"Windows Long Path support",
        f"The names of files in {{folder}} are too long for Windows; switch on its long paths and {AGAIN}.",
    ),
    (
        r"Missing dependencies for SOCKS",
        f"pip does not speak with a SOCKS proxy; give it an HTTP proxy in the variable PIP_PROXY and {AGAIN}.",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Proxy Authentication Required|Tunnel connection failed",
        "The proxy refused the connection to the package registry; check it in Settings > Options > Network (or the "
        f"variables HTTPS_PROXY and PIP_PROXY) and {AGAIN}.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|invalid path: .*\.(pem|crt)|TLS CA certificate bundle",
        "The certificate of the package registry could not be verified; name the certificate file of your network in "
        f"the variable PIP_CERT, start QGIS again and {AGAIN}.",
    ),
    (
        r"(?m)^ERROR: HTTP error (?P<a>\d+)|(?P<b>40[13]|5\d\d) (Client|Server) Error",
        f"The package registry refused a file (HTTP error {{found}}); look at pip's settings, or wait, and {AGAIN}.",
    ),
    (
        r"DO NOT MATCH THE HASHES|BadZipFile|not a zip file|Wheel .* is invalid|invalid wheel|Bad (magic|CRC)|"
        r"IncompleteRead|incomplete-download|is not a supported wheel|Error -3 while decompressing",
        f"A downloaded package is damaged ({{line}}); remove it or run `pip cache purge`, and {AGAIN}.",
    ),
    (
        r"Failed to establish a new connection|NewConnectionError|Name or service not known|getaddrinfo failed|"
        r"name resolution|Network is unreachable|Max retries exceeded|Read timed out|ConnectTimeout|"
        r"Connection (refused|reset)|Connection aborted|RemoteDisconnected",
        "The package registry cannot be reached; check the internet connection and the proxy (Settings > Options > "
        f"Network) and {AGAIN}, or choose a folder of wheels.",
    ),
    (
        r"Permission denied|Access is denied|WinError (5|32)\b|being used by another process|Errno 13|Read-only file",
        f"A file in {{folder}} may not be written ({{line}}); close other QGIS windows, let the virus scanner leave "
        f"this folder alone, and {AGAIN}.",
    ),
    (
        r"DLL load failed|WinError (126|1114)\b|vcruntime|msvcp140",
        "torch misses the C++ runtime of Windows; install the Microsoft Visual C++ Redistributable (x64) from "
        f"https://aka.ms/vs/17/release/vc_redist.x64.exe and {AGAIN}.",
    ),
    (r"MemoryError", f"The computer's memory became full; close other programs and {AGAIN}."),
)  # fmt: skip

# pip says of a version that is not there that it "conflicts" with the pin.
_NO_PACKAGE = re.compile(r"(?:No matching distribution found for|requested \(constraint\)) ([A-Za-z0-9][\w.\-]*)")


def failure(step: str, code: int | None, said: Sequence[str], scene: Scene) -> SetupError:
    """What went wrong in a step, from its exit code and what it said."""
    text = "\n".join(said)
    named = {"python": scene.python, "folder": scene.folder}
    for pattern, sentence in _CAUSES:
        found = re.search(pattern, text)
        if found:
            number = next((part for part in found.groupdict().values() if part), "")
            return SetupError(sentence.format(line=_line_at(text, found), found=number, **named))
    packages = dict.fromkeys(_NO_PACKAGE.findall(text))
    if packages:
        return SetupError(_no_package(" and no ".join(packages), scene))
    if code is not None and code < 0:
        return SetupError(f"{step} was ended from outside ({exit_text(code)}); {AGAIN}.")
    last = _last_error(said) or exit_text(code)
    return SetupError(f"{step} failed ({last}); read the log, mend that, and {AGAIN}.")


def _no_package(name: str, scene: Scene) -> str:
    if scene.wheel_folder:
        return (
            f"The folder {scene.wheel_folder} holds no {name} in the tested version for Python {scene.python}; make it "
            f"with `make wheelhouse` on a computer of this kind and with this Python, and {AGAIN}."
        )
    return (
        f"There is no {name} in the tested version for Python {scene.python}; see that the package registry can be "
        f"reached and that pip's own settings (`pip config list`) do not stand against it, or choose a Python of 3.11 "
        f"to 3.13 (64 bit), and {AGAIN}."
    )


def _line_at(text: str, found: re.Match[str]) -> str:
    """The line in which something was found, shortened, without the stop that would end the sentence."""
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    return _short(text[start : end if end >= 0 else len(text)])


def _last_error(said: Sequence[str]) -> str:
    lines = [line.strip() for line in said if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "Error"))]
    return _short((errors or lines or [""])[-1])


def _short(line: str) -> str:
    return re.sub(r"^(ERROR|Error|WARNING): ", "", line.strip())[:240].rstrip(".")
