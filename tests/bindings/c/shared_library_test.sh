#!/usr/bin/env bash
# What libstrait.so shows, needs and weighs: shared_library_test.sh LIBSTRAIT_SO STRAIT_H.
set -euo pipefail
library=$1
header=$2
max_bytes=$((2 * 1024 * 1024))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $1" >&2
  failures=$((failures + 1))
}

# Exactly the functions that the header declares.
nm -D --defined-only "$library" | awk '{print $NF}' | sort > "$work/shown"
tr '\n' ' ' < "$header" | grep -oE 'STRAIT_API [a-z_0-9* ]*strait_[a-z_0-9]+\(' |
  sed -E 's/.*(strait_[a-z_0-9]+)\($/\1/' | sort > "$work/declared"
(($(wc -l < "$work/declared") >= 20)) || fail "found only $(wc -l < "$work/declared") functions in $header"
diff "$work/declared" "$work/shown" >&2 || fail "the header declares (<) and the library shows (>) not the same"

# Nothing that a small Linux image lacks.
readelf -d "$library" > "$work/dynamic"
sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' "$work/dynamic" > "$work/needed"
grep -q '^libc\.so' "$work/needed" || fail "readelf shows no libc in $library: is this the right file?"
others=$(grep -vE '^(libstdc\+\+|libm|libc|libgcc_s|ld-linux[-a-z0-9_]*)\.so' "$work/needed" || true)
[[ -z $others ]] || fail "libstrait.so needs ${others//$'\n'/, }"
grep -qE '\(SONAME\).*\[libstrait\.so\.[0-9]+\]' "$work/dynamic" || fail "the library has no soname libstrait.so.N"

strip -o "$work/stripped" "$library"
bytes=$(stat -c %s "$work/stripped")
((bytes < max_bytes)) || fail "stripped, the library has $bytes bytes, not under $max_bytes"

((failures == 0)) || exit 1
echo "libstrait.so: $(wc -l < "$work/shown") functions, $bytes bytes stripped, needs $(tr '\n' ' ' < "$work/needed")"
