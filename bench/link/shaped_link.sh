#!/bin/bash
# Runs the example's server and client in two network namespaces of this machine, over a link that follows a trace, and
# prints the latencies beside those that strait-plan simulate gives for the same plan, trace and options. Needs root.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: shaped_link.sh PLAN.json TRACE.csv --halves DIR --network NET.pt --images DIR [options]
       shaped_link.sh --self-test

  --seconds S            how long (default: the trace's length)
  --interval-ms T        mean pause between requests (default: 500)
  --min-accuracy A, --deadline-ms D, --seconds-per-joule J, --half-life H, --device-slowdown X, --classes NAME,...
                         as of split-inference-client; what strait-plan simulate knows is given to it, too
  --bin DIR              where Strait was built (default: build/release of this tree)
  --out DIR              keeps log.csv, simulated.csv, client.txt and server.txt (default: a folder that goes)

--self-test holds the link alone to a trace: round trip, rate and loss, before and after a change.
TEXT
}

fail() { echo "shaped_link.sh: $1" >&2; exit "${2:-1}"; }

here=$(cd "$(dirname "$0")" && pwd)
bin=$here/../../build/release
self_test=false seconds='' interval_ms=500 deadline_ms='' min_accuracy=0 seconds_per_joule=0 half_life=() out=''
halves='' network='' images='' client_options=() words=()
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) usage; exit 0 ;;
    --self-test) self_test=true; shift; continue ;;
    --*) [ $# -ge 2 ] || fail "$1 wants a value; see --help" 2 ;;
  esac
  case $1 in
    --halves) halves=$2 ;;
    --network) network=$2 ;;
    --images) images=$2 ;;
    --seconds) seconds=$2 ;;
    --interval-ms) interval_ms=$2 ;;
    --min-accuracy) min_accuracy=$2 ;;
    --deadline-ms) deadline_ms=$2 ;;
    --seconds-per-joule) seconds_per_joule=$2 ;;
    --half-life) half_life=("$1" "$2") ;;
    --device-slowdown|--classes) client_options+=("$1" "$2") ;;
    --bin) bin=$2 ;;
    --out) out=$2 ;;
    --*) fail "$1 is no option; see --help" 2 ;;
    *) words+=("$1"); shift; continue ;;
  esac
  shift 2
done
if ! $self_test; then
  if [ ${#words[@]} -ne 2 ] || [ -z "$halves" ] || [ -z "$network" ] || [ -z "$images" ]; then
    usage >&2
    exit 2
  fi
fi
[ "$(id -u)" -eq 0 ] || fail "needs root, to make network namespaces; run it with sudo"
for tool in ip tc python3; do command -v $tool > /dev/null || fail "$tool is missing; install iproute2 and python3"; done

# --- two namespaces and the link between them -------------------------------------------------------------------------

device=strait-device-$$ wire=strait-wire-$$ server=strait-server-$$
address=10.77.0
work=$(mktemp -d)
jobs_to_end=()

clean_up() {
  trap - EXIT
  for job in "${jobs_to_end[@]}"; do kill "$job" 2> /dev/null || true; done
  wait 2> /dev/null || true
  for namespace in $device $wire $server; do ip netns del "$namespace" 2> /dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

has_netem() {
  ip netns add "$wire-probe" && ip -n "$wire-probe" link set lo up
  local result=0
  tc -n "$wire-probe" qdisc add dev lo root netem delay 1ms 2> /dev/null || result=1
  ip netns del "$wire-probe"
  return $result
}

# An interface of a namespace with an address, its frames as on a wire.
bring_up() {
  ip -n "$1" link set lo up
  ip -n "$1" addr add "$address.$3/24" dev "$2"
  ip -n "$1" link set "$2" up
  ip netns exec "$1" python3 -B "$here/shape.py" offloads "$2"
}

# Makes the link and lets it follow trace $1 from now on.
make_link() {
  start=$(python3 -c 'import time; print(time.monotonic())')
  if has_netem; then
    echo "link: veth, shaped by tc netem" >&2
    ip link add up0 netns $device type veth peer name down0 netns $server
    python3 -B "$here/shape.py" "$1" "$start" netem $device up0 $server down0 & jobs_to_end+=($!)
  else
    echo "link: veth, rate by tc tbf, delay and loss by link_emulator.py (this kernel has no netem)" >&2
    ip netns add $wire
    ip link add up0 netns $device type veth peer name up1 netns $wire
    ip link add down0 netns $server type veth peer name down1 netns $wire
    for end in up1 down1; do
      ip netns exec $wire sysctl -q -w net.ipv6.conf.$end.disable_ipv6=1 2> /dev/null || true
      ip -n $wire link set $end up
    done
    ip netns exec $wire python3 -B "$here/link_emulator.py" "$1" "$start" up1 down1 & jobs_to_end+=($!)
    python3 -B "$here/shape.py" "$1" "$start" tbf $device up0 & jobs_to_end+=($!)
  fi
  bring_up $device up0 1
  bring_up $server down0 2
}

# Waits until a file has a line with a word, written by job $3.
await_line() {
  for _ in $(seq 600); do
    grep -q "$2" "$1" 2> /dev/null && return
    kill -0 "$3" 2> /dev/null || { cat "$1" >&2; fail "what should have said \"$2\" has ended"; }
    sleep 0.1
  done
  fail "nothing said \"$2\" for a minute"
}

# --- what goes over it ------------------------------------------------------------------------------------------------

run_self_test() {
  cat > "$work/trace.csv" <<'TEXT'
seconds,bytes_per_second,rtt_seconds,loss
0,200000,0.06,0
12,1000000,0.02,0.05
TEXT
  make_link "$work/trace.csv"
  ip netns exec $server python3 -B "$here/link_check.py" server 7001 > "$work/server.txt" & jobs_to_end+=($!)
  await_line "$work/server.txt" listening $!
  ip netns exec $device python3 -B "$here/link_check.py" client $address.2 7001 "$work/trace.csv" "$start"
}

trace_seconds() {
  PYTHONPATH=$here python3 -B -c 'import sys, link_trace; print(link_trace.LinkTrace(sys.argv[1]).duration)' "$1"
}

measure() {
  local plan=$1 trace=$work/trace.csv
  seconds=${seconds:-$(trace_seconds "$2")}
  # What is not run is not simulated either.
  awk -F, -v end="$seconds" 'NR == 1 || $1 < end' "$2" > "$trace"
  out=${out:-$work}
  mkdir -p "$out"
  local deadline_client=() deadline_simulate=()
  if [ -n "$deadline_ms" ]; then
    deadline_client=(--deadline-ms "$deadline_ms")
    # A Weibull distribution of such a shape is a constant to a few parts in a thousand.
    deadline_simulate=(--deadline "$(python3 -c "print($deadline_ms / 1000)")" --deadline-shape 1000)
  fi
  local programs=$bin/examples/split_inference
  # The server is up and has loaded what it serves before the trace begins.
  ip netns exec $server "$programs/split-inference-server" --plan "$plan" --halves "$halves" --network "$network" \
    --host 0.0.0.0 --port 7001 --wait-ms 0 --timeout-ms 120000 > "$out/server.txt" 2>&1 & jobs_to_end+=($!)
  await_line "$out/server.txt" listening $!
  make_link "$trace"
  ip netns exec $device "$programs/split-inference-client" "$images" --plan "$plan" --halves "$halves" \
    --network "$network" --host $address.2 --port 7001 --seconds "$seconds" --interval-ms "$interval_ms" \
    --min-accuracy "$min_accuracy" --seconds-per-joule "$seconds_per_joule" "${half_life[@]}" \
    --log "$out/log.csv" "${deadline_client[@]}" "${client_options[@]}" > "$out/client.txt" ||
    echo "shaped_link.sh: not every request was answered" >&2
  "$bin/planner/strait-plan" simulate "$plan" "$trace" --interval "$(python3 -c "print($interval_ms / 1000)")" \
    --min-accuracy "$min_accuracy" --seconds-per-joule "$seconds_per_joule" "${half_life[@]}" \
    "${deadline_simulate[@]}" --csv "$out/simulated.csv" > /dev/null
  python3 -B "$here/compare.py" "$out/log.csv" "$out/simulated.csv" ${deadline_ms:+"$deadline_ms"}
}

ip netns add $device
ip netns add $server
if $self_test; then run_self_test; else measure "${words[@]}"; fi
