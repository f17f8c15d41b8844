#!/bin/sh
# Exit codes and one-line errors of strait-rd: rd_cli_test.sh STRAIT_RD
set -u
rd=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

# expect CODE PATTERN ARGUMENT...: exit code, one line on stderr that matches, nothing on stdout.
expect() {
  code=$1 pattern=$2
  shift 2
  "$rd" "$@" >"$dir/out" 2>"$dir/err"
  got=$?
  if [ "$got" -ne "$code" ] || [ -s "$dir/out" ] || [ "$(wc -l <"$dir/err")" -ne 1 ] || ! grep -q "$pattern" "$dir/err"; then
    echo "FAILED: strait-rd $*: want exit $code and one line matching '$pattern', got exit $got and:"
    cat "$dir/err" "$dir/out"
    failures=$((failures + 1))
  fi
}

mkdir "$dir/empty" "$dir/no-recipe"
: >"$dir/no-recipe/model.strait"

expect 2 '^strait-rd: .*RUN_DIR'
expect 2 '^strait-rd: --html requires RUN_DIR' --measured none.csv --html rd.html
expect 2 '^strait-rd: .*--no-such-option' "$dir/empty" --no-such-option
expect 2 '^strait-rd: --baselines' "$dir/empty" --baselines jpeg,gif
expect 2 '^strait-rd: --bytes' "$dir/empty" --bytes 150,0
expect 2 '^strait-rd: --samples' "$dir/empty" --samples 0
expect 2 '^strait-rd: --plot.*svg' "$dir/empty" --plot rd.pdf
expect 2 '^strait-rd: --qualities' "$dir/empty" --qualities some
expect 1 "^strait-rd: $dir/none: no such directory" "$dir/none"
expect 1 "^strait-rd: $dir/empty/model.strait: not found; run .strait-train run. first" "$dir/empty"
expect 1 "^strait-rd: .*$dir/no-recipe/recipe.toml" "$dir/no-recipe"

"$rd" --version | grep -q '^[0-9]*\.[0-9]*\.[0-9]*$' || {
  echo "FAILED: strait-rd --version"
  failures=$((failures + 1))
}
"$rd" --help >"$dir/out" 2>"$dir/err" && grep -q -- --baselines "$dir/out" || {
  echo "FAILED: strait-rd --help"
  failures=$((failures + 1))
}
[ "$failures" -eq 0 ]
