#!/usr/bin/env bash
# What make has to have before it can build, show or test Weir; only what is missing is installed.
#
#   tests/setup.sh packages SET...          Debian packages: build, jupyter, check, valgrind, fuzz, format, bench
#   tests/setup.sh venv FOLDER REQUIREMENTS a Python environment with what the file pins
#
# A second call finds everything in place and takes well under a second.
set -euo pipefail
cd "$(dirname "$0")/.."

packages_of() {
    case "$1" in
    build) echo gcc make libc6-dev libzmq3-dev libjansson-dev libssl-dev uuid-dev libsqlite3-dev libtcc-dev tcc ;;
    jupyter) echo python3 python3-venv ca-certificates ;;
    check) echo locales libcmocka-dev sqlite3 clang chromium fonts-dejavu-core ;;
    valgrind) echo valgrind ;;
    fuzz) echo clang ;;
    bench) echo libgsl-dev libsqlite3-dev ;;
    format) echo clang-format ;;
    *) echo "setup: no package set '$1'" >&2; exit 2 ;;
    esac
}

# The words of "$@" that dpkg does not know as installed.
missing() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | cut -c1-2)" = ii ] || echo "$name"
    done
}

# How to become root: nothing, sudo, or (not possible) an explanation and exit.
become_root() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        echo sudo
    else
        printf '\nThese Debian packages are missing:\n\n    %s\n\nInstall them as root, then call make again:\n\n    apt-get install %s\n\n' \
            "$*" "$*" >&2
        exit 1
    fi
}

install_packages() {
    local set wanted=() lacking root
    for set in "$@"; do
        # shellcheck disable=SC2046  # a list of names
        wanted+=($(packages_of "$set"))
    done
    if ! command -v dpkg-query >/dev/null; then
        echo "setup: no dpkg here; assuming that what these Debian packages hold is installed: ${wanted[*]}"
        return
    fi
    # shellcheck disable=SC2207  # one name a line
    lacking=($(missing "${wanted[@]}"))
    [ ${#lacking[@]} -gt 0 ] || return 0
    root=$(become_root "${lacking[@]}")
    echo "setup: installing ${lacking[*]}"
    $root apt-get update -q
    $root DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${lacking[@]}"
}

# A stamp in the environment holds the digest of the requirements that it was made from.
make_venv() {
    local folder=$1 requirements=$2 python=python3 stamp
    [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
    stamp=$("$python" -V; sha256sum <"$requirements")
    if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    echo "setup: Python environment $folder (the first time takes a minute or two)"
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --disable-pip-version-check --progress-bar off -r "$requirements" |
        sed -u -n -e 's/^Collecting \([^ ]*\).*/setup:   \1/p' -e 's/^Installing collected.*/setup:   installing them/p'
    printf '%s' "$stamp" >"$folder/.stamp"
}

case "${1:-}" in
packages) shift; install_packages "$@" ;;
venv) make_venv "$2" "$3" ;;
*) sed -n '2,7s/^# \?//p' "$0"; exit 2 ;;
esac
