# Sourced by tests of the programs that want trained units; `train` is strait-train and `tests` this folder. Moves to a
# folder of its own that goes at the end, with the smallest network in net.pt.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "$1" >&2
  cat err >&2
  exit 1
}

# tiny_run ARGUMENTS...: a run of tiny_unit.toml, made even smaller.
tiny_run() {
  "$train" run "$tests/tiny_unit.toml" --set data.spec=shapes:train=64,val=32 --set train.epochs=1 \
    --set train.batch_size=16 --set train.threads=1 "$@" 2>err >out || fail "run does not exit 0: $*"
}

"$train" backbone --out net.pt --set data.spec=shapes:train=64,val=32 --set network.width=4 --set train.epochs=1 \
  --set train.threads=1 2>err >out || fail "backbone does not exit 0"
