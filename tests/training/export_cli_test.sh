#!/usr/bin/env bash
# strait-train export from the outside, on a model file: exit codes, files, one-line errors.
# usage: export_cli_test.sh STRAIT_TRAIN MODEL.strait
set -uo pipefail
train=$1
model=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# expect CODE WORD ARGS...: the exit code, and stderr that holds WORD and, when CODE is 1, is a single line.
expect() {
  local code=$1 word=$2
  shift 2
  "$train" export "$@" >out 2>err
  local got=$?
  if [ "$got" -ne "$code" ] || ! grep -qF -- "$word" err || { [ "$code" -eq 1 ] && [ "$(wc -l <err)" -ne 1 ]; }; then
    echo "FAILED: exit code $got, wanted $code and '$word': export $*" >&2
    cat err >&2
    failures=$((failures + 1))
  fi
}

"$train" export "$model" --torchscript deep/gpu || { echo "FAILED: export of a model file" >&2; failures=1; }
for name in analysis synthesis; do
  [ -s "deep/gpu/$name.ts" ] || { echo "FAILED: no deep/gpu/$name.ts" >&2; failures=$((failures + 1)); }
done
echo 'not a model' >text.strait
mkdir empty
expect 2 '--torchscript' "$model"
expect 2 '--count' "$model" --torchscript gpu --count 3
expect 2 'source' --torchscript gpu
expect 1 'text.strait' text.strait --torchscript gpu
expect 1 'nowhere.strait' nowhere.strait --torchscript gpu
expect 1 'empty/model.strait: not found' empty --torchscript gpu
expect 1 'need the run directory' "$model" --halves halves
expect 1 'text.strait/gpu' "$model" --torchscript text.strait/gpu
[ ! -e gpu ] && [ ! -e halves ] || { echo "FAILED: a failed export left a folder" >&2; failures=$((failures + 1)); }
[ "$failures" -eq 0 ]
