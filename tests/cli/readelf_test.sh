#!/usr/bin/env bash
# The runtime must run where no LibTorch and no OpenCV exist: readelf_test.sh STRAIT_BINARY.
set -euo pipefail
needed=$(readelf -d "$1" | grep NEEDED)
grep -q libdnnl <<< "$needed" || { echo "readelf shows no oneDNN in $1: is this the right binary?" >&2; exit 1; }
if grep -iE 'torch|c10|caffe|opencv' <<< "$needed"; then
  echo "$1 depends on LibTorch or OpenCV" >&2
  exit 1
fi
echo "strait needs neither LibTorch nor OpenCV"
