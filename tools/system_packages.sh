#!/bin/sh
# Chromium for the browser tests and a CJK font for what people read. Installs them on Debian as root;
# anywhere else it stops with the one line to run.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "Doorward needs the system packages$missing. Run this once, then repeat the command:" >&2
    echo "    sudo apt-get install -y$missing" >&2
    exit 1
fi
