#!/bin/sh
# Ends with a clear word unless a Swift that can build this package is on the PATH.
set -eu

swift=${SWIFT:-swift}
found=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\)\.\([0-9][0-9]*\).*/\1 \2/p' | head -n 1)
# shellcheck disable=SC2086 # two words
set -- ${found:-0 0}
if [ "$1" -gt 6 ] || { [ "$1" -eq 6 ] && [ "$2" -ge 2 ]; }; then
    exit 0
fi
if [ "$1" -eq 0 ] && command -v "$swift" >/dev/null; then
    # Most often a library of the system that Swift's own programs need.
    echo "error: '$swift' does not run: $("$swift" --version 2>&1 | tail -n 1)" >&2
elif [ "$1" -eq 0 ]; then
    echo "error: there is no '$swift' on the PATH; Swift 6.2 or newer is needed (https://www.swift.org/install)" >&2
else
    echo "error: Swift 6.2 or newer is needed; '$swift' is $1.$2 (https://www.swift.org/install)" >&2
fi
exit 1
