#!/usr/bin/env bash
# Checks that includes follow the arrows of docs/architecture.md: architecture_test.sh SOURCE_DIR.
# First proves on a planted tree that it can fail; a check that cannot fail checks nothing.
set -euo pipefail

# violations ROOT ROOM PATTERN [GLOB...]: include lines of a room that match, as file:line:text.
violations() {
  local root=$1 room=$2 pattern=$3
  [[ -d $root/$room ]] || return 0
  local names=(-name '*.h' -o -name '*.hpp' -o -name '*.cc' -o -name '*.in')
  if [[ ${4:-} == headers ]]; then names=(-name '*.h' -o -name '*.hpp'); fi
  find "$root/$room" -type f \( "${names[@]}" \) -print0 |
    xargs -0 -r grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" || true
}

check() {
  local root=$1
  local room torch='torch/|ATen/|c10/|caffe2/' opencv='opencv2?/'
  {
    violations "$root" include "entropy/|codec/|datasets/|training/|planner/|bindings/|bench/|tests/|$torch|$opencv"
    violations "$root" entropy "codec/|datasets/|training/|planner/|bindings/|bench/|tests/|$torch|$opencv"
    violations "$root" codec "datasets/|training/|planner/|bindings/|bench/|tests/|$torch|$opencv"
    violations "$root" datasets "entropy/[^e]|codec/|training/|planner/|bindings/|bench/|tests/|$torch"
    violations "$root" datasets "$opencv" headers
    violations "$root" training "planner/|bindings/|bench/|tests/"
    violations "$root" bindings "entropy/|codec/|datasets/|training/|planner/|bench/|tests/|$opencv"
    for room in c python; do violations "$root" "bindings/$room" "$torch"; done
    violations "$root" planner "bindings/|bench/|tests/"
    violations "$root" bench "planner/|tests/"
  }
}

# The public headers name no third-party library at all: only "strait/...", <standard> without a folder or dot, and
# what strait.h takes from C.
check_public() {
  find "$1/include" -type f -name '*.h*' -print0 |
    xargs -0 -r grep -HnE '^[[:space:]]*#[[:space:]]*include' |
    grep -vE 'include[[:space:]]*("strait/[a-z_]+\.(h|hpp)"|<[a-z_0-9]+>|<std(def|int)\.h>)' || true
}

self_test() {
  local planted
  planted=$(mktemp -d)
  trap 'rm -rf "$planted"' RETURN
  local cases=("entropy/x.h|codec/frame.h" "entropy/x.cc|torch/torch.h" "codec/x.cc|training/recipe.h"
               "codec/tools/x.cc|opencv2/core.hpp" "codec/x.h|ATen/ATen.h" "datasets/x.h|opencv2/core.hpp"
               "datasets/x.cc|torch/torch.h" "datasets/x.cc|codec/npy.h" "training/x.cc|bench/rd/report.h"
               "include/strait/x.h|codec/frame.h" "bench/x.cc|tests/codec/test_models.h"
               "bindings/c/x.cc|codec/frame.h" "bindings/python/x.cc|entropy/error.h" "bindings/c/x.h|torch/torch.h"
               "bindings/python/x.h|torch/torch.h" "planner/x.cc|bench/rd/plot.h" "bench/x.h|planner/space.h")
  local entry file
  for entry in "${cases[@]}"; do
    file=${entry%%|*}
    mkdir -p "$planted/$(dirname "$file")"
    printf '#include "%s"\n' "${entry##*|}" > "$planted/$file"
    if [[ -z $(check "$planted") ]]; then
      echo "architecture: self-test: $entry was not caught" >&2
      return 1
    fi
    rm "$planted/$file"
  done
  mkdir -p "$planted/include/strait" "$planted/datasets"
  echo '#include <opencv2/core.hpp>' > "$planted/datasets/fine.cc"
  mkdir -p "$planted/bindings/torch/strait"
  printf '#include <torch/types.h>\n#include "strait/strait.hpp"\n' > "$planted/bindings/torch/strait/fine.h"
  if [[ -n $(check "$planted") ]]; then
    echo "architecture: self-test: OpenCV in a source of datasets and LibTorch in its adaptor must be allowed" >&2
    return 1
  fi
  echo '#include <fmt/core.h>' > "$planted/include/strait/x.h"
  if [[ -z $(check_public "$planted") ]]; then
    echo "architecture: self-test: a third-party public include was not caught" >&2
    return 1
  fi
}

self_test
found=$(check "$1"; check_public "$1")
if [[ -n $found ]]; then
  echo "architecture: includes against the arrows:" >&2
  echo "$found" >&2
  exit 1
fi
for room in include entropy codec bindings; do
  [[ -d $1/$room ]] || { echo "architecture: $1 has no $room" >&2; exit 1; }
done
echo "includes follow the arrows"
