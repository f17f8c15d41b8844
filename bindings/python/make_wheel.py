"""Packs a built package into a wheel, with the standard library alone: make_wheel.py PACKAGE_DIR VERSION DST_DIR.

A wheel is a zip of the package and a dist-info folder, whose RECORD lists the hash and size of every file. Prints the path.
"""

import base64
import hashlib
import pathlib
import sys
import sysconfig
import zipfile

METADATA = """\
Metadata-Version: 2.1
Name: strait
Version: {version}
Summary: Learned bottleneck codec for the tensors that cross a split neural network
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: numpy
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: strait make_wheel.py
Root-Is-Purelib: false
Tag: {tag}
"""


def extension_tag(extension: pathlib.Path) -> str:
    """The tag of this interpreter, whose suffix the extension has: cp311-cp311-linux_x86_64."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    if not extension.name.endswith(suffix):
        raise SystemExit(f"make_wheel: {extension.name} is not of this interpreter, whose suffix is {suffix}")
    abi = "cp{}{}".format(*sys.version_info[:2])
    # The plain platform, not manylinux: the extension uses shared libraries of the system.
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{abi}-{abi}-{platform}"


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def make_wheel(package: pathlib.Path, version: str, dst: pathlib.Path) -> pathlib.Path:
    extensions = list(package.glob("_strait*.so"))
    if len(extensions) != 1:
        raise SystemExit(f"make_wheel: {package} holds {len(extensions)} extension modules, wanted 1; build strait_python first")
    tag = extension_tag(extensions[0])
    info = f"strait-{version}.dist-info"
    files = {f"strait/{path.name}": path.read_bytes() for path in sorted(package.iterdir()) if path.is_file()}
    files[f"{info}/METADATA"] = METADATA.format(version=version).encode()
    files[f"{info}/WHEEL"] = WHEEL.format(tag=tag).encode()
    record = "".join(record_line(name, data) for name, data in files.items()) + f"{info}/RECORD,,\n"
    files[f"{info}/RECORD"] = record.encode()
    wheel = dst / f"strait-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # a fixed date: same input, same wheel
    return wheel


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    print(make_wheel(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])))
