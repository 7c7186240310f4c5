# SPDX-License-Identifier: BSD-2-Clause
"""Boots whole images in QEMU. `make boot` sets EARLYMM_BUILD, the folder with the images."""

import os
import shutil
from pathlib import Path

import pytest

pytest.register_assert_rewrite("check", "image", "memory_map", "qemu", "tree_boot")

from qemu import Booter  # noqa: E402
from ram import Ram  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Fixtures may ask whether the test has passed."""
    outcome = yield
    if call.when == "call":
        item.has_passed = outcome.get_result().passed


@pytest.fixture(scope="session")
def build():
    folder = Path(os.environ.get("EARLYMM_BUILD", ROOT / "build" / "virt"))
    if not (folder / "payload.bin").exists():
        pytest.exit(f"no payload.bin in {folder}: make, or set EARLYMM_BUILD", 2)
    return folder


@pytest.fixture
def boot(build, tmp_path, request):
    """Files of a test that fails are kept: the command that is shown names them."""
    yield Booter(build, tmp_path)
    if getattr(request.node, "has_passed", False):
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def ram(tmp_path):
    """64 MiB of random bytes, for what a run writes."""
    yield Ram(tmp_path)
    (tmp_path / "ram").unlink(missing_ok=True)


@pytest.fixture(params=["opensbi", "opensbi-distro"])
def firmware(request, boot):
    """Each of the two OpenSBIs with the payload behind it."""
    path = boot.bios if request.param == "opensbi" else boot.bios_distro
    if not path.exists():
        pytest.skip(f"no {path.name}: the distribution's OpenSBI is not installed")
    return path
