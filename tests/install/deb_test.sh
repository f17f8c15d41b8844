#!/usr/bin/env bash
# Packs the runtime and its development files, looks into the packages, unpacks one and runs what is in it:
# deb_test.sh CPACK BUILD_DIR VERSION.
set -euo pipefail
cpack=$1 build=$2 version=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $1" >&2
  failures=$((failures + 1))
}

"$cpack" -G DEB --config "$build/CPackConfig.cmake" -B "$work" -D 'CPACK_COMPONENTS_ALL=runtime;dev' > "$work/log" ||
  { cat "$work/log" >&2; exit 1; }
runtime=$(echo "$work"/strait-runtime_"$version"_*.deb)
dev=$(echo "$work"/strait-dev_"$version"_*.deb)

# Of each package: the paths in it and what it depends on.
for package in "$runtime" "$dev"; do
  dpkg-deb -c "$package" > "$package.paths"
  dpkg-deb -f "$package" Depends > "$package.depends"
done

holds() { grep -qE "$2" "$1.paths" || fail "$(basename "$1") does not hold $2"; }
lacks() { if grep -E "$2" "$1.paths"; then fail "$(basename "$1") holds $2"; fi; }
depends() { grep -qE "$2" "$1.depends" || fail "$(basename "$1") does not depend on $2"; }

holds "$runtime" ' \./usr/bin/strait$'
holds "$runtime" ' \./usr/lib/.*libstrait\.so\.[0-9]+ -> '
holds "$runtime" ' \./usr/share/doc/strait-runtime/copyright$'
lacks "$runtime" '\.(h|hpp|a|cmake|pc)$|libstrait\.so$|libstrait\.so -> '
depends "$runtime" '(^|, )libc6 \('
depends "$runtime" '(^|, )libstdc\+\+6 \('
if grep -E 'torch|opencv' "$runtime.depends"; then fail "the runtime package depends on LibTorch or OpenCV"; fi

holds "$dev" ' \./usr/include/strait/strait\.h$'
holds "$dev" ' \./usr/include/strait/strait\.hpp$'
holds "$dev" ' \./usr/lib/.*/Strait/StraitConfig\.cmake$'
holds "$dev" ' \./usr/lib/(.*/)?pkgconfig/strait\.pc$'
holds "$dev" ' \./usr/lib/.*libstrait\.so -> libstrait\.so\.[0-9]+$'
holds "$dev" ' \./usr/lib/.*libstrait_codec\.a$'
lacks "$dev" ' \./usr/bin/.'
depends "$dev" "strait-runtime \(= $version\)"

dpkg-deb -x "$runtime" "$work/root"
said=$("$work/root/usr/bin/strait" --version)
[[ $said == "strait $version" ]] || fail "the unpacked strait says '$said'"
so=$(find "$work/root" -name "libstrait.so.$version")
[[ -z $(nm "$so" 2> /dev/null) ]] || fail "the packed libstrait.so is not stripped"

((failures == 0)) || exit 1
echo "packages are sound: $(basename -a "$runtime" "$dev" | tr '\n' ' ')"
