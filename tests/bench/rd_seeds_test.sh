#!/bin/sh
# strait-rd on runs of a tiny recipe: seeds become one curve, the report is one file. Arguments: strait-train, strait-rd.
set -eu
train=$1 rd=$2
recipe=$(cd "$(dirname "$0")/.." && pwd)/tiny_unit.toml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "$1" >&2
  cat err >&2
  exit 1
}

"$train" backbone --out net.pt --set data.spec=shapes:train=64,val=32 --set network.width=4 --set train.epochs=1 \
  --set train.threads=1 2>err >out || fail "backbone does not exit 0"
run() {
  "$train" run "$recipe" --set data.spec=shapes:train=64,val=32 --set train.epochs=1 --set train.batch_size=16 \
    --set train.threads=1 "$@" 2>err >out || fail "run does not exit 0"
}
for seed in 1 2; do run --set train.seed=$seed --out seed$seed; done
run --set unit.channels=5 --out wider

"$rd" seed1 seed2 wider --csv apart.csv 2>err >out || fail "strait-rd does not exit 0"
[ "$(grep -c '^seed' apart.csv)" -eq 4 ] || fail "two runs have not four rows: $(cat apart.csv)"
grep -q 'seeds' out && fail "a spread without --seeds"

if command -v gnuplot >/dev/null; then html="--html rd.html"; else html=""; fi
# shellcheck disable=SC2086
"$rd" --seeds seed1 seed2 wider --csv rd.csv $html 2>err >out || fail "strait-rd --seeds does not exit 0"
[ "$(grep -c '^seed' rd.csv)" -eq 2 ] || fail "two seeds have not two rows: $(cat rd.csv)"
[ "$(grep -c '^wider,' rd.csv)" -eq 2 ] || fail "a run of another recipe is gone: $(cat rd.csv)"
grep -q '^seed1  *0  *2 ' out || fail "no spread over two seeds: $(cat out)"
awk -F, 'NR == FNR { if ($1 ~ /^seed/ && $2 == 0) sum += $4; next }
         $1 == "seed1" && $2 == 0 { near = ($4 - sum / 2 < 0.011 && sum / 2 - $4 < 0.011) }
         END { exit !near }' apart.csv rd.csv || fail "the mean of the seeds is not their mean"
if [ -n "$html" ]; then
  for part in '<svg' 'data:image/png;base64,' 'Spread over seeds' 'seed = 2' 'LibTorch'; do
    grep -q "$part" rd.html || fail "rd.html lacks $part"
  done
fi
