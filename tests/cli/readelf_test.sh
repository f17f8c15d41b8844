#!/usr/bin/env bash
# The runtime's command links neither LibTorch nor OpenCV, nor anything that starts threads of its own.
set -euo pipefail
needed=$(readelf -d "$1" | grep NEEDED)
grep -q 'libstdc++' <<< "$needed" || { echo "readelf shows no C++ library in $1: is this the right binary?" >&2; exit 1; }
if grep -iE 'torch|c10|caffe|opencv|gomp|dnnl' <<< "$needed"; then
  echo "$1 links what the runtime must not" >&2
  exit 1
fi
echo "strait needs neither LibTorch nor OpenCV"
