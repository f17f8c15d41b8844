#!/bin/sh
# strait-rd on runs of a tiny recipe: seeds become one curve, the report is one file, tables come back in. Arguments: strait-train, strait-rd.
set -eu
train=$1 rd=$2
tests=$(cd "$(dirname "$0")/.." && pwd)
. "$tests/tiny_run.sh"

for seed in 1 2; do tiny_run --set train.seed=$seed --out seed$seed; done
tiny_run --set unit.channels=5 --out wider

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

# Units at several splits are curves of one plot; what codes features has a curve at each split and so none here.
tiny_run --set split.point=layer3 --set unit.stride=1 --out deeper
"$rd" seed1 deeper --baselines jpeg --json rd.json --csv splits.csv 2>err >out || fail "strait-rd of two splits does not exit 0"
[ "$(grep -c '^deeper,' splits.csv)" -eq 2 ] || fail "a run at another split is gone: $(cat splits.csv)"
[ "$(grep '^seed1,' splits.csv)" = "$(grep '^seed1,' apart.csv)" ] || fail "a curve changes beside one of another split"
grep -q '"splits": "layer2 [0-9x]*, layer3 [0-9x]*"' rd.json || fail "no word of the splits: $(head -n 10 rd.json)"

# A run of several splits stands for all of them.
tiny_run --set split.points='["layer2", "layer3"]' --set at.layer3.unit.stride=1 --out several
"$rd" several --csv several.csv 2>err >out || fail "strait-rd of a run of two splits does not exit 0"
[ "$(grep -c '^several/layer[23],' several.csv)" -eq 4 ] || fail "a run of two splits has not two curves: $(cat several.csv)"
[ "$(grep '^several/layer2,' several.csv | cut -d, -f2-)" = "$(grep '^seed1,' apart.csv | cut -d, -f2-)" ] ||
  fail "a split of several is not the unit that is trained there alone"

# What has contexts has no curve under a Huffman code, and the user is told.
"$rd" seed1 --huffman 2>err >out || fail "strait-rd --huffman does not exit 0"
grep -q '^--huffman: seed1 has contexts' err || fail "no word of contexts"

# Curves measured before lie beside those measured now, and are refused where they do not belong.
grep '^unsplit\|^codec\|^wider' apart.csv >wider.csv
grep -v '^wider' apart.csv >seeds.csv
"$rd" seed1 seed2 --measured wider.csv --csv beside.csv 2>err >out || fail "strait-rd --measured does not exit 0"
grep -q '^wider.csv: wider$' out || fail "no word of where curves come from"
cmp apart.csv beside.csv || fail "curves measured before are not the same beside others"
"$rd" --measured wider.csv,seeds.csv --csv alone.csv 2>err >out || fail "strait-rd of tables alone does not exit 0"
[ "$(sort alone.csv)" = "$(sort apart.csv)" ] || fail "curves of tables alone are not those that were measured: $(cat alone.csv)"
grep -q 'BD-rate' out || fail "no BD-rates of tables alone"
refused() {  # PART ARGUMENTS...: exit 1 and one line of what is wrong, before or after the network is there
  part=$1
  shift
  code=0
  "$rd" "$@" 2>err >out || code=$?
  [ "$code" -eq 1 ] || fail "exit $code: $*"
  tail -n 1 err | grep -q "^strait-rd: $part" || fail "no \"$part\": $* $(cat err)"
}
refused 'wider.csv: has a curve "wider", and so has' wider --measured wider.csv
refused 'wider.csv: has a curve "wider", and so has' seed1 --measured wider.csv,wider.csv
refused 'none.pt: no such file; .*; --backbone says where it lies now' seed1 --backbone none.pt
refused '.*none.*; --data says where it lies now' seed1 --data imagefolder:none
refused 'cannot read none.csv' seed1 --measured none.csv
refused '--baselines u8 codes the features of one split' seed1 deeper --baselines u8
refused 'missing/rd.csv: no such folder' seed1 --csv missing/rd.csv
grep -v '^unsplit' wider.csv >bad.csv
refused 'bad.csv: has no row "unsplit"' seed1 --measured bad.csv
sed 's/^unsplit,-,0,0.00,0.000000,[0-9.]*/unsplit,-,0,0.00,0.000000,1.5/' wider.csv >bad.csv
refused 'bad.csv: its unsplit network has 1.5 %, that of the other curves' seed1 --measured bad.csv
sed '3s/,[0-9.]*$//' wider.csv >bad.csv
refused 'bad.csv:3: has 7 fields, the header 8' seed1 --measured bad.csv
sed '3s/,[0-9.]*$/,x/' wider.csv >bad.csv
refused 'bad.csv:3: "agreement" is "x", wanted a number of 0 to 100' seed1 --measured bad.csv
