#!/bin/sh
# strait-plan from two units to a simulation, and its errors. Arguments: strait-train, strait-plan.
set -eu
train=$1 plan=$2
tests=$(cd "$(dirname "$0")/.." && pwd)
. "$tests/tiny_run.sh"

for split in layer1 layer2; do tiny_run --set split.point=$split --out $split; done

common="layer1 layer2 --rounds 3 --batch 1,2 --jpeg 20,50"
# shellcheck disable=SC2086
"$plan" profile $common --role device --time-scale 50 --clocks 1e9,2e9 --out device.json 2>err >out || fail "profile of the device"
grep -q '^head  *layer2 ' out || fail "the table lacks the head: $(cat out)"
for quality in 20 50; do
  [ "$(grep -c "^compress  *jpeg  *$quality " out)" -eq 2 ] || fail "JPEG $quality is not timed for both batches: $(cat out)"
done
# shellcheck disable=SC2086
"$plan" profile $common --role server --out server.json 2>err >out || fail "profile of the server"

# Whatever was measured: the whole network takes the device long and a head hardly any time, so that splits are best.
sed -e '/"task": "network"/,/"seconds"/s/"seconds":.*/"seconds": 10.0,/' \
  -e '/"task": "head"/,/"seconds"/s/"seconds":.*/"seconds": 1e-05,/' device.json >split.json
mv split.json device.json
"$plan" solve layer1 layer2 --device device.json --server server.json --out plan.json --check 2>err >out || fail "solve"
grep -q '100.00 % on average' out || fail "the exhaustive front is not its own: $(cat out)"
grep -q '"route": *"split"' plan.json || fail "no split in the plan"
"$plan" solve layer1 layer2 --device device.json --server server.json --out small.json --method nsga2 --tried 0.5 \
  --quality-step 0.0625 2>err >out || fail "solve by search"
grep -q '^nsga2: ' out || fail "no word of the search: $(cat out)"

"$plan" show plan.json --at 1e5,0.03 2>err >out || fail "show"
grep -q '^unit  *layer2: .*model.strait, id ' out || fail "no unit: $(cat out)"
[ "$(grep -c '^ *[0-9][0-9]* \(local\|split\|offload\) ' out)" -eq "$(grep -c '"route"' plan.json)" ] ||
  fail "not a row for each entry: $(cat out)"

"$plan" trace moving --seconds 120 --seed 2 --out link.csv 2>err >out || fail "trace"
"$plan" simulate plan.json link.csv --requests 300 --deadline 0.2 --csv sim.csv 2>err >out || fail "simulate"
for policy in local 'offload raw' 'dynamic split' dynasplit strait oracle; do
  grep -q "^$policy " out || fail "no row of $policy: $(cat out)"
done
grep -q '^"static layer[12] level [0-9]",' sim.csv || fail "no static split in the table: $(cat sim.csv)"
# A plan that only sends JPEG leaves dynamic split nothing to choose from.
cat >jpeg_only.json <<EOF
{"format": "strait-plan", "version": 1, "backbone_hash": "x", "device": "d", "server": "s", "idle_watts": 2.5,
 "joules_per_byte": 3e-06, "switch_seconds": 0.005, "models": [], "entries": [
 {"route": "offload", "split": "jpeg", "quality": 10, "threads": 1, "frequency_hz": 0, "batch": 1,
  "device_seconds": 0.01, "server_seconds": 0.01, "bytes": 1000, "device_joules": 0.1, "accuracy": 80}]}
EOF
"$plan" simulate jpeg_only.json link.csv --requests 100 2>err >out || fail "simulate a plan of JPEG alone"
grep -q '^strait ' out || fail "no row of strait: $(cat out)"
if grep -q '^dynamic split ' out; then fail "dynamic split chose an entry it does not know"; fi
if command -v gnuplot >/dev/null; then
  "$plan" simulate plan.json link.csv --requests 100 --plot sim.svg 2>err >out || fail "plot"
  grep -q '<svg' sim.svg || fail "no plot"
  [ -s sim.png ] || fail "no PNG beside it"
  mkdir -p folder.svg
  code=0
  "$plan" simulate plan.json link.csv --requests 100 --plot folder.svg 2>err >out || code=$?
  [ "$code" -eq 1 ] || fail "a plot that cannot be written exits $code"
  [ ! -s out ] || fail "a plot that cannot be written goes to stdout"
fi

# A table of JPEG rows under every quality but 50, which was profiled too.
header=$(head -n 1 layer1/rd.csv)
jpeg_row() {  # LEVEL BYTES TOP1
  echo "$header" | awk -F, -v OFS=, -v level="$1" -v bytes="$2" -v top1="$3" '{
    for (i = 1; i <= NF; ++i)
      $i = $i == "codec" ? "jpeg" : $i == "level" ? level : $i == "bytes_per_sample" ? bytes : $i == "top1" ? top1 : 0
    print
  }'
}
{ cat layer1/rd.csv; jpeg_row 20 900 70; } >rd.csv
"$plan" solve layer1 layer2 --device device.json --server server.json --rd rd.csv --out jpeg.json 2>err >out || fail "solve with JPEG"
grep -q 'note: JPEG was profiled at 50, of which rd.csv has no rows' err || fail "no word of the quality that is missing"
grep -q '"split": *"jpeg"' jpeg.json || fail "no JPEG in the plan"

# refused WANTED_EXIT PART ARGUMENTS...: one line on stderr that names the thing.
refused() {
  wanted=$1 part=$2
  shift 2
  code=0
  "$plan" "$@" 2>err >out || code=$?
  [ "$code" -eq "$wanted" ] || fail "exit $code, wanted $wanted: $*"
  [ "$(wc -l <err)" -eq 1 ] || fail "more than a line: $*"
  grep -q -- "$part" err || fail "no \"$part\": $*"
}
refused 2 'subcommand'
refused 2 'moon' trace moon --out t.csv
refused 2 '--threads' profile layer1 --threads 0 --out p.json
refused 2 'bytes per second and seconds' show plan.json --at 1e5
refused 2 'bytes per second and seconds' show plan.json --at 0,0.1
refused 1 'nowhere.json' show nowhere.json
refused 2 '--role: cloud' profile layer1 --role cloud --out p.json
refused 1 'nowhere' profile nowhere --out p.json
refused 1 'p.json: no such folder: .*/missing$' profile layer1 --out missing/p.json
refused 1 'p.svg: no such folder: .*/missing$' simulate plan.json link.csv --requests 10 --plot missing/p.svg
refused 1 'server.json: is a profile of a server; give it with --server' \
  solve layer2 --device server.json --server device.json --out p.json
refused 1 'device.json: is a profile of a device; give it with --device' \
  solve layer2 --device device.json --server device.json --out p.json
sed '/"role":/d' server.json >roleless.json
"$plan" solve layer1 layer2 --device device.json --server roleless.json --out p.json 2>err >out || fail "solve without a role"
refused 1 'no time of head at layer2' solve layer2 --device roleless.json --server server.json --out p.json
refused 1 'second unit at layer1' solve layer1 layer1 --device device.json --server server.json --out p.json
refused 1 'device.json' simulate device.json link.csv
sed '7s/,.*/,fast,0.1,0/' link.csv >bad.csv
refused 1 'bad.csv:7: "fast" is no number' simulate plan.json bad.csv
refused 1 'plan has no entry for batch 1 with an accuracy of at least 99.9' simulate plan.json link.csv --min-accuracy 99.9
refused 1 '--batch: 3 samples' simulate plan.json link.csv --batch 3
# Values that no plan and no file makes right are bad usage.
for bad in '--min-accuracy 101' '--deadline -1' '--batch 0' '--half-life nan' '--plot sim.png'; do
  # shellcheck disable=SC2086
  refused 2 "^strait-plan: ${bad%% *}: " simulate plan.json link.csv $bad
done
for bad in '--clocks x' '--clocks nan' '--busy-watts 1'; do
  # shellcheck disable=SC2086
  refused 2 "^strait-plan: ${bad%% *}: " profile layer1 --out p.json $bad
done
for bad in '--quality-step 0.3' '--tried nan' '--switch-seconds -1'; do
  # shellcheck disable=SC2086
  refused 2 "^strait-plan: ${bad%% *}: " solve layer1 --device device.json --server server.json --out p.json $bad
done
for bad in '--step nan' '--seconds 60 --step 50'; do
  # shellcheck disable=SC2086
  refused 2 "^strait-plan: ${bad%% *}: " trace moving --out t.csv $bad
done
refused 2 '^strait-plan: --machine: the name has 5000 bytes, at most 4096' \
  profile layer1 --out p.json --machine "$(printf %5000s x)"
refused 2 '^strait-plan: --clocks: 1025 clocks, at most 1024' profile layer1 --out p.json --clocks "$(seq -s , 1025)"
for bad in '0 70:"bytes_per_sample" is "0"' '900 100.1:"top1" is "100.1"' '900 nan:"top1" is "nan"'; do
  # shellcheck disable=SC2086
  { cat layer1/rd.csv; jpeg_row 20 ${bad%%:*}; } >bad.csv
  refused 1 "bad.csv:$(wc -l <bad.csv): ${bad#*:}, wanted a number" \
    solve layer1 --device device.json --server server.json --rd bad.csv --out p.json
done
# What did not reach stdout is not done, whether it is flushed on the way or at the end.
if [ -w /dev/full ]; then
  awk '/"route"/ && !done { for (i = 0; i < 200; ++i) { sub(/,?$/, ","); print }; done = 1; next } { print }' plan.json >long.json
  for file in plan.json long.json; do
    code=0
    "$plan" show $file >/dev/full 2>err || code=$?
    [ "$code" -eq 1 ] || fail "show $file to a full disk exits $code"
    [ "$(wc -l <err)" -eq 1 ] || fail "more than a line"
    grep -q '^strait-plan: .*No space left' err || fail "no word of the full disk"
  done
fi
sed 's/"version": 1/"version": 9/' device.json >old.json
refused 1 'old.json: is a profile of version 9' solve layer1 --device old.json --server server.json --out p.json
