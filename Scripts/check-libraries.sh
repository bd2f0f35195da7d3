#!/bin/sh
# Fails when a program needs a shared library beside libelf, libdw, libgit2, zlib, Zydis and those of the C and C++ compiler:
# an installed program must run where there is no Swift.
#
#   Scripts/check-libraries.sh PROGRAM
set -eu

program=$1
needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
[ -n "$needed" ] || { echo "error: $program names no shared library; is it a program?" >&2; exit 1; }
for library in $needed; do
    case $library in
        libelf.so.* | libdw.so.* | libgit2.so.* | libz.so.* | libZydis.so.*) ;;
        libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | ld-linux*) ;;
        libgcc_s.so.* | libstdc++.so.*) ;;
        *)
            echo "error: $program needs $library, which a machine without Swift may not have" >&2
            exit 1
            ;;
    esac
done
if ldd "$program" | grep 'not found' >&2; then
    echo "error: $program needs libraries that are not on this machine" >&2
    exit 1
fi
echo "$program needs only:" $needed
