#!/bin/sh
# Installs the Debian packages that are named and missing. As root it lists them, and then runs apt-get. Without root it prints the
# apt-get command and fails.
#
#   Scripts/install-packages.sh PACKAGE…
set -eu

if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian, so nothing is installed. The build needs what these Debian packages have: $*" >&2
    exit 0
fi

missing=
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Debian packages are missing. Run this as root, and then make again:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086 # a list of words
    apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 $missing </dev/null
}
echo "Debian packages are missing. Installing them as root, with apt-get install --no-install-recommends:"
echo "   $missing"
# A bare machine has no lists at all, another one may have lists that are too old to download from.
install >/dev/null 2>&1 && exit 0
apt-get update -qq </dev/null || echo "apt-get update had errors; going on with the lists that are here" >&2
install
