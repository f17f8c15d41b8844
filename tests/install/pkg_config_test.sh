#!/usr/bin/env bash
# Builds and runs the first programs with what pkg-config says, as a Makefile would:
# pkg_config_test.sh PREFIX CC CXX FIRST_C FIRST_CPP MODEL.
set -euo pipefail
prefix=$1 cc=$2 cxx=$3 first_c=$4 first_cpp=$5 model=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pc=$(find "$prefix" -name strait.pc)
[[ -n $pc ]] || { echo "no strait.pc under $prefix" >&2; exit 1; }
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

read -ra c_flags <<< "$(pkg-config --cflags --libs strait)"
"$cc" -std=c99 -o "$work/first_c" "$first_c" "${c_flags[@]}"
read -ra cpp_flags <<< "$(pkg-config --cflags --libs strait-cpp)"
"$cxx" -std=c++20 -o "$work/first_cpp" "$first_cpp" "${cpp_flags[@]}"

libdir=$(pkg-config --variable=libdir strait)
LD_LIBRARY_PATH=$libdir "$work/first_c" "$model" | tee "$work/c.txt"
"$work/first_cpp" "$model" | tee "$work/cpp.txt"
for said in "$work"/*.txt; do
  grep -qE '^144 floats in [0-9]+ bytes$' "$said" || { echo "$said: not the output of a round trip" >&2; exit 1; }
done
