#!/bin/sh
# Builds both programs with emscripten (the committed ones: Debian's 3.1.6), or with further options: build.sh DIRECTORY [OPTION...].
set -eu
here=$(dirname "$0") into=$1
shift
export NODE_PATH="${NODE_PATH:-/usr/share/nodejs}" # Debian's emscripten looks for acorn there, and other Node.js do not
for name in dangling owned; do
  em++ -std=c++17 -Os --bind -pthread -fno-exceptions -fno-rtti -DEMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0 \
    -sPTHREAD_POOL_SIZE=2 -sSINGLE_FILE -sFORCE_FILESYSTEM "$@" "$here/$name.cpp" -o "$into/$name.js"
done
