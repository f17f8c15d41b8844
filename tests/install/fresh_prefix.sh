#!/usr/bin/env bash
# Installs the runtime and its development files into an empty prefix: fresh_prefix.sh CMAKE BUILD_DIR PREFIX WORK_DIR.
# The tools are left out: a build of the runtime alone has none.
set -euo pipefail
cmake=$1 build=$2 prefix=$3 work=$4
rm -rf "$prefix" "$work/find_package"
for component in runtime dev; do
  "$cmake" --install "$build" --prefix "$prefix" --component "$component"
done
for header in "$prefix"/include/strait/{strait.h,strait.hpp,version.h}; do
  [[ -s $header ]] || { echo "install: $header is missing" >&2; exit 1; }
done
# Nothing of the source or build tree may stand in what others will read.
if grep -rnF -e "$build" "$prefix" --include='*.cmake' --include='*.pc' --include='*.h'; then
  echo "install: a file names the build directory" >&2
  exit 1
fi
