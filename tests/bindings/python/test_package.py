"""What is around the code: exceptions, types, docstrings, exported symbols and the wheel."""

import ast
import os
import pathlib
import pickle
import subprocess
import sys
import zipfile

import pytest
import strait

PACKAGE = pathlib.Path(strait.__file__).parent
SOURCE = pathlib.Path(__file__).resolve().parents[3]


def stub_classes():
    tree = ast.parse((PACKAGE / "_strait.pyi").read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def public(names):
    return {name for name in names if not name.startswith("_")}


def test_every_status_has_a_class_of_its_own():
    by_status = strait.errors.BY_STATUS
    assert len(by_status) == 8
    for status, error in by_status.items():
        assert issubclass(error, strait.StraitError) and error.status == status
        copy = pickle.loads(pickle.dumps(error("frame: cut")))
        assert type(copy) is error and str(copy) == "frame: cut" and copy.status == status


def test_errors_are_what_python_programs_catch(decoder, tmp_path):
    with pytest.raises(OSError, match="nowhere.strait"):
        strait.Model.load(tmp_path / "nowhere.strait")
    with pytest.raises(ValueError):
        decoder.decode(b"")


def test_names_are_the_stubs_names():
    stubs = stub_classes()
    assert {name for name in stubs if hasattr(strait, name)} == {name for name in stubs if not name.startswith("_")}
    for name in public(stubs):
        in_stub = {node.name for node in stubs[name].body if isinstance(node, ast.FunctionDef)}
        in_stub |= {node.target.id for node in stubs[name].body if isinstance(node, ast.AnnAssign)}
        assert public(in_stub) == public(vars(getattr(strait, name))), name
    assert all(hasattr(strait, name) for name in strait.__all__)
    assert (PACKAGE / "py.typed").is_file()


def test_arguments_are_the_stubs_arguments():
    for name, stub in stub_classes().items():
        for node in stub.body:
            if not isinstance(node, ast.FunctionDef) or name == "_SupportsDLPack":
                continue
            wanted = [argument.arg for argument in node.args.args + node.args.kwonlyargs if argument.arg != "self"]
            method = getattr(getattr(strait, name), node.name)
            if isinstance(method, property):
                continue
            signature = method.__doc__.splitlines()[0]  # pybind11 writes it there
            for argument in wanted:
                assert f"{argument}:" in signature, f"{name}.{node.name}: {argument}"


def test_everything_has_a_docstring():
    for name in strait.__all__:
        item = getattr(strait, name)
        if name != "__version__":
            assert item.__doc__, name
    for method in (strait.Encoder.encode, strait.Decoder.decode, strait.Decoder.decode_batch, strait.Model.load):
        assert "Raises" in method.__doc__


def test_the_version_is_that_of_the_project():
    text = (SOURCE / "CMakeLists.txt").read_text()
    assert f"project(strait VERSION {strait.__version__} " in text


def test_the_extension_exports_one_name_and_needs_no_torch():
    extension = next(PACKAGE.glob("_strait*.so"))
    exported = subprocess.run(["nm", "-D", "--defined-only", extension], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in exported.splitlines()] == ["PyInit__strait"]
    needed = subprocess.run(["readelf", "-d", extension], capture_output=True, text=True, check=True).stdout
    libraries = [line for line in needed.splitlines() if "NEEDED" in line]
    assert libraries
    assert not [line for line in libraries if "torch" in line or "c10" in line or "opencv" in line]


def use_package(folder):
    """Encodes with the package in `folder`, in an interpreter that sees no other copy, and returns where it lies."""
    code = "import strait; print(strait.frame_info(b'\\x01\\x00x').quality, strait.__file__)"
    environment = dict(os.environ, PYTHONPATH=str(folder))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_wheel(folder):
    tool = SOURCE / "bindings" / "python" / "make_wheel.py"
    command = [sys.executable, tool, PACKAGE, strait.__version__, folder]
    return pathlib.Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def test_the_wheel_is_a_zip_of_a_package_that_works(tmp_path):
    wheel = make_wheel(tmp_path)
    assert wheel.read_bytes() == make_wheel(tmp_path).read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "unpacked")
        record = archive.read(f"strait-{strait.__version__}.dist-info/RECORD").decode()
    assert {line.split(",")[0] for line in record.splitlines()} == names
    assert {"strait/__init__.py", "strait/py.typed", "strait/_strait.pyi"} <= names
    assert str(tmp_path) in use_package(tmp_path / "unpacked")


def test_pip_installs_the_wheel(tmp_path):
    pytest.importorskip("pip", reason="pip is not installed")
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", tmp_path / "site", make_wheel(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "site") in use_package(tmp_path / "site")
