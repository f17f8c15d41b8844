#!/usr/bin/env bash
# strait-train from the outside: exit codes, one-line errors that name what is wrong, a whole small run, resume.
# usage: train_cli_test.sh STRAIT_TRAIN errors|run|splits
set -uo pipefail
train=$1
part=$2
tests=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
  echo "FAILED: $*" >&2
  sed 's/^/  stdout: /' out >&2
  sed 's/^/  stderr: /' err >&2
  failures=$((failures + 1))
}

# expect CODE WORD ARGS...: the exit code, and a last line on stderr that holds WORD.
expect() {
  local code=$1 word=$2
  shift 2
  "$train" "$@" >out 2>err
  local got=$?
  [ "$got" -eq "$code" ] || fail "exit code $got, wanted $code: strait-train $*"
  tail -n 1 err | grep -qF -- "$word" || fail "last line of stderr does not hold '$word': strait-train $*"
}

# As expect, with nothing on stdout and a single line on stderr.
expect_error() {
  expect "$@"
  [ ! -s out ] || fail "an error writes to stdout"
  [ "$(wc -l <err)" -eq 1 ] || fail "an error takes more than one line"
}

expect_file() {
  [ -s "$1" ] || fail "$1 is missing or empty"
}

test_errors() {
  "$train" --help >out 2>err || fail "--help does not exit 0"
  grep -q splits out || fail "--help does not name the subcommands"
  "$train" >out 2>err
  [ $? -eq 2 ] || fail "no subcommand does not exit 2"
  "$train" fly >out 2>err
  [ $? -eq 2 ] || fail "an unknown subcommand does not exit 2"
  grep -q fly err || fail "an unknown subcommand is not named"
  "$train" run >out 2>err
  [ $? -eq 2 ] || fail "run without a recipe does not exit 2"
  "$train" splits nowhere.pt --input 3,x,64 >out 2>err
  [ $? -eq 2 ] || fail "a bad --input does not exit 2"

  printf '[data]\nspec = "shapes"\n[backbone]\nfile = "nowhere.pt"\ninput = [3, 64, 64]\n[split]\npoint = "layer2"\n[loss]\nlambdas = [1e-3]\n' >good.toml
  expect_error 1 nowhere.toml run nowhere.toml --out r
  expect_error 1 nowhere.pt run good.toml --out r
  expect_error 1 nowhere.pt splits nowhere.pt --input 3,64,64
  echo 'not a network' >text.pt
  expect_error 1 text.pt splits text.pt --input 3,64,64
  expect_error 1 text.pt run good.toml --set backbone.file=text.pt --out r

  printf '\n[train]\nepoch = 3\n' >typo.toml
  expect_error 1 "typo.toml:3: unknown key 'train.epoch'; did you mean 'train.epochs'?" run typo.toml --out r
  printf '[train]\nepochs = "x"\n' >type.toml
  expect_error 1 'type.toml:2: train.epochs: wanted an integer from 1 to 100000, got "x"' run type.toml --out r
  printf '[split]\npoint = "layer2"\n' >empty.toml
  expect_error 1 "empty.toml: missing key 'data.spec'" run empty.toml --out r
  printf '[split]\npoints = ["layer1"]\n[at.layer1.unit]\nstrid = 4\n' >at.toml
  expect_error 1 "at.toml:4: at.layer1: unknown key 'unit.strid'; did you mean 'unit.stride'?" run at.toml --out r
  printf '[split]\npoint = "layer1"\npoints = ["layer2"]\n' >both.toml
  expect_error 1 "both.toml:3: split.points: wanted either split.point or split.points, got both" run both.toml --out r
  expect_error 1 nowhere.pt run good.toml --set 'split.points=["layer1","layer2"]' --out r
  [ ! -e r ] || fail "a run that could not start left its directory behind"
}

test_run() {
  printf '[data]\nspec = "shapes:train=96,val=64"\n[train]\nepochs = 1\nbatch_size = 32\n[network]\nwidth = 4\n' >network.toml
  "$train" backbone network.toml --out net.pt >out 2>err || fail "backbone does not exit 0"
  expect_file net.pt
  "$train" splits net.pt --input 3,64,64 >out 2>err || fail "splits does not exit 0"
  grep -q layer2 out || fail "splits does not list layer2"
  "$train" splits net.pt --input 3,64,64 --json >out 2>err || fail "splits --json does not exit 0"
  head -c 1 out | grep -q '[[{]' || fail "splits --json does not write JSON"
  expect_error 1 net.pt splits net.pt --input 5,64,64

  cp "$tests/tiny_unit.toml" unit.toml
  expect 1 "layer2" run unit.toml --set split.point=layer22 --out r
  expect 1 "nowhere" run unit.toml --set data.spec=imagefolder:nowhere --out r
  expect 1 "absent/checkpoint.pt" run unit.toml --out absent --resume

  "$train" run unit.toml --out r >out 2>err || fail "run does not exit 0"
  for file in recipe.toml metrics.jsonl checkpoint.pt model.strait rd.csv; do expect_file "r/$file"; done
  head -n 1 r/rd.csv | grep -q '^codec,level,lambda,bytes_per_sample,bits_per_element,top1,top1_drop,agreement' ||
    fail "rd.csv has other columns than the contract"
  grep -q '^unsplit,' r/rd.csv || fail "rd.csv has no row of the unsplit network"
  [ "$(grep -vc '^codec,\|^unsplit,' r/rd.csv)" -eq 2 ] || fail "rd.csv has not one row a level"
  grep -q $'\r' err && fail "a progress bar went to a stderr that is no terminal"

  expect 1 "r/checkpoint.pt" run unit.toml --out r
  expect 1 "another recipe" run unit.toml --set train.epochs=3 --out r --resume
  cp r/model.strait before.strait
  "$train" run r/recipe.toml --out r --resume >out 2>err || fail "--resume of a finished run does not exit 0"
  cmp -s r/model.strait before.strait || fail "--resume of a finished run changed the model"
  truncate -s -7 r/checkpoint.pt
  expect 1 "not a sound checkpoint" run r/recipe.toml --out r --resume
  cmp -s r/model.strait before.strait || fail "a failed --resume changed the model"
}

# A unit at each of two splits in one run directory.
test_splits() {
  printf '[data]\nspec = "shapes:train=96,val=64"\n[train]\nepochs = 1\nbatch_size = 32\n[network]\nwidth = 4\n' >network.toml
  "$train" backbone network.toml --out net.pt >out 2>err || fail "backbone does not exit 0"
  sed 's/^point = .*/points = ["layer1", "layer3"]/' "$tests/tiny_unit.toml" >units.toml
  printf '[at.layer1.unit]\nstride = 4\n[at.layer3.unit]\nstride = 1\n' >>units.toml

  expect 1 'no split "layer33"' run units.toml --set 'split.points=["layer1","layer33"]' --out r
  expect 1 "layer3: unit.stride: 2 does not divide" run units.toml --set at.layer3.unit.stride=2 \
    --set backbone.input=[3,40,40] --out r
  [ ! -e r ] || fail "a run that could not start left its directory behind"
  "$train" run units.toml --out r >out 2>err || fail "run of two splits does not exit 0"
  for split in layer1 layer3; do
    for file in recipe.toml metrics.jsonl checkpoint.pt model.strait rd.csv; do expect_file "r/$split/$file"; done
  done
  grep -q '^\[at.layer1.unit\]' r/recipe.toml || fail "recipe.toml lost what holds at one split"

  cp r/layer1/model.strait before.strait
  rm -r r/layer3
  expect 1 "r/recipe.toml: a run is here already" run units.toml --out r
  "$train" run r/recipe.toml --out r --resume >out 2>err || fail "--resume does not exit 0"
  grep -q "^layer1 (1 of 2): finished, skipped" err || fail "--resume does not say what it skips"
  cmp -s r/layer1/model.strait before.strait || fail "--resume changed a finished model"
  expect_file r/layer3/model.strait

  expect_error 1 "r: holds a unit for each of several splits; give one of r/layer1, r/layer3" export r --torchscript ts
  "$train" export r/layer1 --torchscript ts >out 2>err || fail "export of one split does not exit 0"

  "$train" splits net.pt --input 3,64,64 --natural --run r >out 2>err || fail "splits --natural --run does not exit 0"
  head -n 1 out | grep -q 'ratio .*natural .*coded_bytes .*top1' || fail "splits --run lacks its columns"
  grep -q '^layer2 .* both ' out || fail "layer2 is no natural bottleneck"
  grep -q '^layer3 .* both .*[0-9]\.\.[0-9]' out || fail "layer3 has no coded bytes"
  grep -q '^layer1 .* - ' out || fail "--natural --run does not list layer1, which has a unit but no mark"
  "$train" splits net.pt --input 3,64,64 --natural >out 2>err || fail "splits --natural does not exit 0"
  grep -q '^layer1 ' out && fail "--natural lists layer1, which is as large as what is before it"
  "$train" splits net.pt --input 3,64,64 --run r --json >out 2>err || fail "splits --run --json does not exit 0"
  grep -q '"natural_by_bytes": true' out || fail "JSON has no mark by bytes"
  grep -q '"bytes_per_sample"' out || fail "JSON has no coded bytes"
  "$train" backbone network.toml --set train.seed=2 --out other.pt >out 2>err || fail "backbone does not exit 0"
  expect_error 1 "other.pt is " splits other.pt --input 3,64,64 --run r
}

"test_$part"
[ "$failures" -eq 0 ]
