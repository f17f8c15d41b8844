#!/usr/bin/env bash
# Exit codes, one-line errors and outputs of `strait`: strait_cli_test.sh STRAIT_BINARY GOLDEN_DIR.
set -uo pipefail
strait=$1
golden=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $1" >&2
  failures=$((failures + 1))
}

# expect CODE ARGS...: runs strait, keeps stdout and stderr, checks the exit code and that an error is one line.
expect() {
  local want=$1
  shift
  "$strait" "$@" > "$work/stdout" 2> "$work/stderr"
  local got=$?
  [[ $got == "$want" ]] || fail "strait $*: exit code $got, not $want: $(cat "$work/stderr")"
  if [[ $want == 0 ]]; then
    [[ ! -s $work/stderr ]] || fail "strait $*: talks on stderr: $(cat "$work/stderr")"
  else
    [[ $(wc -l < "$work/stderr") == 1 ]] || fail "strait $*: error is not one line: $(cat "$work/stderr")"
    grep -q '^strait: ' "$work/stderr" || fail "strait $*: error does not begin with 'strait: '"
  fi
}

says() { grep -qE "$1" "$work/stdout" || fail "stdout lacks '$1': $(cat "$work/stdout")"; }
complains() { grep -qE "$1" "$work/stderr" || fail "stderr lacks '$1': $(cat "$work/stderr")"; }

model=$golden/valid/model.strait
input=$golden/valid/default_q2.input.npy

expect 0 --version
says '^strait [0-9]+\.[0-9]+\.[0-9]+$'
expect 0 --help
for command in info encode decode verify bench; do
  says "$command"
  expect 0 "$command" --help
  says "Example: strait $command"
  expect 0 --help
done

expect 0 info "$model"
says 'feature 4x6x6, latent 3x3x3'
expect 0 info "$model" --json
says '"kind": "model"'
says '"top1": null'
expect 0 info "$golden/valid/batch3_8x10_q1.stf"
says 'shape 3x4x8x10'
expect 0 info "$golden/valid/default_q2.stf" --json
says '"quality": 2.0'

expect 0 encode -m "$model" -q 2 "$input" "$work/a.stf"
says '^[0-9]+ bytes, quality 2$'
cmp -s "$work/a.stf" "$golden/valid/default_q2.stf" || fail "encode -q 2 differs from the golden frame"
expect 0 encode -m "$model" "$input" "$work/highest.stf"
cmp -s "$work/highest.stf" "$work/a.stf" || fail "encode without -q is not the highest level"
expect 0 encode -m "$model" -q 0 --checksum "$input" "$work/c.stf"
cmp -s "$work/c.stf" "$golden/valid/default_q0_checksum.stf" || fail "encode --checksum differs from the golden frame"
budget=$(($(stat -c %s "$work/a.stf") - 1))
expect 0 encode -m "$model" --max-bytes "$budget" "$input" "$work/b.stf"
(($(stat -c %s "$work/b.stf") <= budget)) || fail "encode --max-bytes $budget wrote more"
expect 1 encode -m "$model" --max-bytes 1 "$input" "$work/none.stf"
complains 'smallest frame of this tensor has [0-9]+ bytes'
[[ ! -e $work/none.stf ]] || fail "a failed encode left a file"

# The same array without its batch dimension; only the header text differs.
sed 's/(1, 4, 6, 6), }/(4, 6, 6), }   /' "$input" > "$work/sample.npy"
expect 0 encode -m "$model" -q 2 "$work/sample.npy" "$work/sample.stf"
cmp -s "$work/sample.stf" "$work/a.stf" || fail "an input without batch encodes differently"

expect 0 decode -m "$model" "$work/a.stf" "$work/a.npy"
says '^1x4x6x6 float32$'
[[ $(stat -c %s "$work/a.npy") == $(stat -c %s "$golden/valid/default_q2.restored.npy") ]] || fail "decode wrote another size"

expect 0 verify "$model" "$golden/valid/default_q2.stf"
says 'model\.strait: ok: model [0-9a-f]{16}, well-formed'
says 'payload not checked'
frames=("$golden"/valid/*.stf)
expect 0 verify -m "$model" "${frames[@]}"
[[ $(wc -l < "$work/stdout") == "${#frames[@]}" ]] || fail "verify does not print one line a file"
says 'decodes to 3x4x8x10'
expect 1 verify -m "$model" "$golden/valid/default_q2.stf" "$golden"/invalid/*.stf
says 'default_q2\.stf: ok'
says 'empty\.stf: bad: truncated'
complains '13 of 14 files are not sound'
expect 1 verify "$golden"/invalid/*.strait
[[ $(grep -c ': bad: ' "$work/stdout") == 3 ]] || fail "verify passes a broken model"

expect 0 bench -m "$model" --repetitions 3
says 'encode_us +decode_us'
says 'random features'
[[ $(grep -cE '^ +[0-2] ' "$work/stdout") == 3 ]] || fail "bench does not print a row a level"

expect 1 info "$work/missing"
complains 'missing: No such file'
expect 1 decode -m "$model" "$golden/invalid/checksum_wrong.stf" "$work/x.npy"
complains 'checksum_wrong\.stf: .*another model'
[[ ! -e $work/x.npy ]] || fail "a failed decode left a file"
expect 1 decode -m "$input" "$work/a.stf" "$work/x.npy"
expect 1 encode -m "$model" "$golden/valid/default_q2.symbols.npy" "$work/x.stf"
complains 'wants Nx4x6x6'
expect 1 encode -m "$model" "$input" "$work/no/such/folder.stf"
expect 1 encode -m "$model" -q 7 "$input" "$work/x.stf"
complains 'quality 7 is not in 0\.\.2'

expect 2
expect 2 frobnicate
expect 2 info
expect 2 encode -m "$model"
expect 2 encode -m "$model" -q 1 --max-bytes 10 "$input" "$work/x.stf"
expect 2 encode -m "$model" --max-bytes -5 "$input" "$work/x.stf"
expect 2 encode -m "$model" -q high "$input" "$work/x.stf"
expect 2 bench -m "$model" --repetitions 0

# What did not reach stdout is not done.
if [[ -w /dev/full ]]; then
  "$strait" info "$model" > /dev/full 2> "$work/stderr" && fail "info to a full disk exits 0"
  complains 'No space left'
fi

((failures == 0)) || exit 1
echo "strait behaves"
