#!/usr/bin/env bash
# Makes the environments of this repository; `make` calls it, and calls it again only when it or pyproject.toml changed.
#
#   ./setup_environments.sh core    .venv         what ships, and the tools of a developer: demo, most tests, lint
#   ./setup_environments.sh train   .venv-train   the same with the train extra (torchgeo, Lightning): its tests, gfm train
#   ./setup_environments.sh qgis    .venv-qgis    QGIS's own Python with pytest: the tests inside QGIS; exit code 3 where
#                                                 there is no QGIS and none can be installed
#   ./setup_environments.sh docs    .venv-docs    MkDocs, which makes the site of docs/; nothing of the library
#
# All are safe to run again, and share nothing. GFM_PYTHON=/path/to/python chooses the interpreter of all but QGIS's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

case "${1:-}" in
    core) readonly venv=.venv what=".[dev]" debian_torch=python3-torch ;;
    train) readonly venv=.venv-train what=".[train,test]" debian_torch=python3-torchvision ;;
    qgis) readonly venv=.venv-qgis ;;
    docs) readonly venv=.venv-docs ;;
    *) echo "usage: $0 core|train|qgis|docs" >&2; exit 2 ;;
esac
readonly started=$SECONDS

say() { printf 'set-up: %s\n' "$*"; }

# ---- Interpreter -----------------------------------------------------------------------------------------------------

# Python 3.11 first: it has the most torch builds, the CPU ones above all. A name on PATH may be a pyenv shim that only
# says which versions exist, so every candidate is run before it is believed.
candidates() {
    [ -z "${GFM_PYTHON:-}" ] || { echo "$GFM_PYTHON"; return; }
    type -aP python3.11 || true
    ls "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.11*/bin/python3.11 2>/dev/null || true
    type -aP python3 python3.13 python3.12 python3.14 || true
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }
is_debian_13() { (. /etc/os-release 2>/dev/null && [ "${ID:-}${VERSION_ID:-}" = debian13 ]); }
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    [ "$(id -u)" = 0 ] && { apt-get install -qy "$@" || { apt-get update -q && apt-get install -qy "$@"; }; } >&2
}

build_of() { "$1" -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null || true; }

first_where() { # TEST...: the first candidate for which every test holds
    local python check
    while read -r python; do
        for check in "$@"; do "$check" "$python" || continue 2; done
        "$python" -c 'import sys; print(sys._base_executable or sys.executable)'
        return
    done < <(candidates)
    return 1
}

choose_python() {
    first_where is_new_enough can_make_venv && return
    # Debian's own interpreter leaves ensurepip to another package.
    first_where is_new_enough >/dev/null && apt_install python3-venv && first_where is_new_enough can_make_venv && return
    echo "set-up: no Python >= 3.11 that can make a virtual environment; install one (Debian, Ubuntu: apt install" \
        "python3-venv) or name it with GFM_PYTHON." >&2
    return 1
}

# ---- Installer -------------------------------------------------------------------------------------------------------

# uv is several times faster than pip, but reads none of pip's settings; a machine that configured pip meant them.
hand_pip_settings_to_uv() {
    local settings
    settings=$("$venv/bin/python" -m pip config list 2>/dev/null || true)
    setting() { # NAME: the value in the environment (PIP_NAME), else in pip's files; several are parted by blanks
        { grep "^:env:\.$1=" <<<"$settings" || grep "\.$1=" <<<"$settings" || true; } | tail -n 1 |
            sed -e "s/^[^=]*=//" -e "s/^['\"]//" -e "s/['\"]$//" -e 's/\\n/ /g' -e 's/^ *//'
    }
    hand_on() { # VARIABLE VALUE: unless the user set it for uv already
        [ -z "$2" ] || [ -n "${!1:-}" ] || export "$1=$2"
    }
    hand_on UV_FIND_LINKS "$(setting find-links | tr -s ' ' ',')"
    hand_on UV_CONSTRAINT "$(setting constraint)"
    hand_on UV_DEFAULT_INDEX "$(setting index-url)"
    hand_on UV_EXTRA_INDEX_URL "$(setting extra-index-url)"
    hand_on SSL_CERT_FILE "$(setting cert)"
    hand_on UV_INDEX_STRATEGY unsafe-best-match # pip's own rule where there are several indexes
}

make_installer() { # sets `install`
    hand_pip_settings_to_uv
    if "$venv/bin/python" -m pip install -qq --disable-pip-version-check uv; then
        install=("$venv/bin/uv" pip install --quiet --python "$venv/bin/python")
    else
        install=("$venv/bin/python" -m pip install -qq --disable-pip-version-check)
    fi
}

# ---- torch -----------------------------------------------------------------------------------------------------------

# On Linux the registry's torch brings several GB of CUDA. A CPU build is enough for the demo and all tests, so it is
# taken where there is one: a local wheel, else PyTorch's own index, else quietly the registry's.
readonly cpu_index=https://download.pytorch.org/whl/cpu

local_cpu_torch() { # the version of the newest torch-*+cpu* wheel for this Python in find-links
    local tag folder
    tag=$("$venv/bin/python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
    tr ',' '\n' <<<"${UV_FIND_LINKS:-}" | sed 's#^file://##' | while read -r folder; do
        ls "$folder" 2>/dev/null | sed -n "s/^torch-\([^-]*+cpu[^-]*\)-$tag-.*linux.*$(uname -m)\.whl$/\1/p"
    done | sort -V | tail -n 1
}

answers() { # URL: whether it can be reached within a few seconds, a slow name server included
    "$venv/bin/python" - "$1" 2>/dev/null <<'PYTHON'
import signal, sys, urllib.request

signal.alarm(5)
urllib.request.urlopen(sys.argv[1], timeout=4)
PYTHON
}

choose_torch() { # sets `torch`, the arguments that choose a build
    local version
    version=$(local_cpu_torch)
    if [ "$(uname -s)" != Linux ]; then
        torch=(torch)
    elif [ -n "$version" ]; then
        torch=("torch==$version")
    elif answers "$cpu_index/torch/"; then
        torch=(torch --extra-index-url "$cpu_index")
        [[ ${install[0]} != */uv ]] || torch=(torch --torch-backend cpu)
    else
        torch=(torch)
    fi
}

# ---- The environment -------------------------------------------------------------------------------------------------

make_venv() {
    local python
    python=$(choose_python)
    # An environment of another interpreter is of no use; one of this is brought up to date.
    [ "$(build_of "$venv/bin/python")" = "$(build_of "$python")" ] || "$python" -m venv --clear "$venv"
    make_installer
}

from_registries() {
    make_venv
    choose_torch
    say "$venv with $("$venv/bin/python" -V), ${torch[0]}"
    "${install[@]}" "${torch[@]}" -e "$what"
}

# Debian 13 has Python 3.13 and CPU builds of torch that fit it, a seventh of the registry's size. uv does not see the
# system's packages, so pip it is; pyproj is our own, for Debian's looks for its data where a wheel's user has none.
from_debian_13() {
    [ -z "${GFM_PYTHON:-}" ] && is_debian_13 && ! first_where is_python_3_11 can_make_venv >/dev/null || return 1
    apt_install python3-venv "$debian_torch" libopenblas0-pthread || return 1
    say "$venv with $(/usr/bin/python3 -V), torch from Debian"
    /usr/bin/python3 -m venv --clear --system-site-packages "$venv"
    local pip=("$venv/bin/python" -m pip install -qq --disable-pip-version-check)
    "${pip[@]}" -e "$what" && "${pip[@]}" -I --no-deps pyproj && return
    rm -rf "$venv" # not half of one kind and half of the other
    return 1
}
is_python_3_11() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }

# ---- The site --------------------------------------------------------------------------------------------------------

# The extra `docs` alone: the pages that are made from the library lie in the repository.
from_extra_docs() {
    make_venv
    local wanted
    wanted=$("$venv/bin/python" -c 'import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])')
    say "$venv with $("$venv/bin/python" -V), $wanted"
    # shellcheck disable=SC2086 # one word a package
    "${install[@]}" $wanted
}

# ---- QGIS ------------------------------------------------------------------------------------------------------------

# QGIS comes from the distribution, with its own Python, GDAL and PROJ; nothing but pytest joins them. Only the system's
# Python knows that QGIS, whatever is first on PATH.
readonly system_python=/usr/bin/python3 no_qgis=3
# The last is Qt's lrelease, which compiles the plugin's translations.
readonly qgis_packages=(qgis python3-qgis qgis-providers xvfb xauth fonts-open-sans python3-venv qttools5-dev-tools)

from_qgis() {
    rm -rf "$venv"
    if ! has_qgis; then
        may_install || without_qgis "this machine has no QGIS; install it (Debian, Ubuntu, as root: apt install" \
            "--no-install-recommends ${qgis_packages[*]})."
        say "QGIS is missing; installing the distribution's (400 to 500 MB to load, 2 GB on disk)"
        apt_install --no-install-recommends "${qgis_packages[@]}" && has_qgis ||
            without_qgis "the distribution's QGIS could not be installed; ./setup_environments.sh qgis shows why."
    fi
    can_make_venv "$system_python" || apt_install python3-venv ||
        without_qgis "$system_python cannot make a virtual environment; install python3-venv (as root)."
    "$system_python" -m venv --system-site-packages "$venv"
    # What the tests were last run with, else what there is: an old Python gets none of these.
    local pip=("$venv/bin/python" -m pip install -qq --disable-pip-version-check)
    "${pip[@]}" pytest==9.2.0 pytest-qgis==5.0.2 2>/dev/null || "${pip[@]}" pytest pytest-qgis
    say "$venv with QGIS $(in_qgis 'print(Qgis.QGIS_VERSION)'), $("$venv/bin/python" -V)"
}
in_qgis() { env -u PYTHONHOME -u PYTHONPATH "$system_python" -c "from qgis.core import Qgis; $1" 2>/dev/null; }
has_qgis() { in_qgis pass && PATH=/usr/local/bin:/usr/bin:/bin type qgis_process &>/dev/null; }
may_install() { [ "$(id -u)" = 0 ] && (. /etc/os-release 2>/dev/null && [[ " ${ID:-} ${ID_LIKE:-} " == *" debian "* ]]); }
without_qgis() { # REASON...: kept for whoever runs the tests and has to say that some were not
    mkdir "$venv"
    echo "$*" >"$venv/absent"
    say "no $venv: $*" >&2
    exit "$no_qgis"
}

# ----------------------------------------------------------------------------------------------------------------------

case $venv in
    .venv-qgis) from_qgis ;;
    .venv-docs) from_extra_docs ;;
    *) from_debian_13 || from_registries ;;
esac
touch "$venv/.ready" # what make compares with pyproject.toml
say "$venv is ready after $((SECONDS - started)) s"
