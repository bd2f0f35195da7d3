#!/bin/sh
# Makes the pictures of the README: the terminal and the page to sign by, of the demo's fix for a real Xen. Needs what `make pictures` installs,
# and the Xen that `xen-rig xen` has built.
#
#   Scripts/pictures.sh XSPLICE-BUILD XEN-RIG
set -eu

program=$(realpath "$1")
rig=$(realpath "$2")
pictures=$PWD/Docs/pictures
patch=$PWD/Fixtures/patches/xen-4.17/hello-world.patch
tree=$("$rig" xen | sed -n 's/^build *//p')
work=$(mktemp -d /tmp/demo.XXXXXX)
trap 'rm -rf "$work"' EXIT

cp "$patch" "$work/fix.patch"
cd "$work"
ln -s "$tree/xen/xen-syms" xen-syms
cp -al "$tree" xen-4.17 2>/dev/null || cp -a "$tree" xen-4.17
command="xsplice-build -s xen-4.17 -p fix.patch -o out --xen-syms xen-syms"
# With a terminal of 100 columns, so that it has colours.
printf '$ %s\n' "$command" >terminal
# The first run prepares the tree; the picture is of the second.
"$program" ${command#xsplice-build } --cache-dir "$work/cache" >/dev/null
script -qec "stty cols 100 rows 50; $program ${command#xsplice-build } --cache-dir $work/cache --force" /dev/null |
    sed 's/.*\r\(.\)/\1/' >>terminal
aha --black --title xsplice-build <terminal | sed 's/<pre>/<pre style="font: 15px DejaVu Sans Mono; margin: 16px">/' >terminal.html

# picture PAGE WIDTH HEIGHT NAME
picture() {
    chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 --user-data-dir="$work/profile" \
        --window-size="$2,$3" --screenshot="$pictures/$4" "file://$work/$1" 2>/dev/null
}
mkdir -p "$pictures"
picture terminal.html 1000 410 terminal.png
picture out/report.html 900 1500 report.png
