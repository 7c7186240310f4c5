# SPDX-License-Identifier: BSD-2-Clause
"""Boots an image in QEMU and keeps what came of it.

Every run has a time limit, and one that reaches it fails. The end of each run's console is printed:
pytest shows it if the test fails.
"""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import memory_map
import records

# A boot takes a tenth of a second, or two seconds without icount; the whole benchmark half a minute;
# a loaded machine several times that.
TIMEOUT_S = 150
LITERAL_TIMEOUT_S = 400  # the whole benchmark, in real time
TAIL_CHARS = 3000

# The full story of a boot, with the page allocator's metadata full of garbage beforehand.
BOOTARGS = "bench=none records=all verbose=1 meta_poison=1"


class Run:
    """A run that has ended: status, console, and, read when asked for, records and memory map."""

    def __init__(self, command, status, console):
        self.command = command
        self.status = status
        self.console = console
        self._records = None

    def __repr__(self):
        return f"<run with status {self.status}>"

    def report(self):
        start = "[…]" if len(self.console) > TAIL_CHARS else ""
        return (f"{shlex.join(self.command)}\n{start}{self.console[-TAIL_CHARS:]}\n"
                f"status: {self.status}\n")

    @property
    def payload_console(self):
        """What follows OpenSBI's last line."""
        return re.split(r"^Boot HART MEDELEG .*\n", self.console, 1, re.MULTILINE)[-1]

    @property
    def records(self):
        if self._records is None:
            self._records = records.read(self.payload_console)
        return self._records

    def record(self, kind, /, **fields):
        """The one record of this type with these fields."""
        found = self.find(kind, **fields)
        assert len(found) == 1, f"{len(found)} records {kind} {fields}"
        return found[0]

    def find(self, kind, /, **fields):
        wanted = {key: str(value) for key, value in fields.items()}
        return [r for r in self.records if r.type == kind and wanted.items() <= r.items()]

    @property
    def map(self):
        return memory_map.read(self.console)


def memory_args(size, ram_file):
    """Machine property and arguments for RAM of @size: more than a host has reserves nothing."""
    if ram_file:
        return ",memory-backend=ram", ["-m", size, "-object",
                f"memory-backend-file,id=ram,size={size},mem-path={ram_file},share=on"]
    if size.endswith("T") or size.endswith("G") and int(size[:-1]) > 20:
        return ",memory-backend=ram", ["-m", size, "-object",
                f"memory-backend-memfd,id=ram,size={size},reserve=off"]
    return "", ["-m", size]


class Booter:
    """Boots; made for each test by the fixture `boot`."""

    def __init__(self, build, folder):
        self.qemu = shlex.split(os.environ.get("EARLYMM_QEMU", "qemu-system-riscv64"))
        self.build = Path(build)
        self.folder = Path(folder)
        self.image = self.build / "payload-image"
        self.elf = self.build / "payload.elf"
        self.bios = self.build / "payload.bin"
        self.bios_distro = self.build / "payload-distro.bin"

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def command(self, *, machine, memory, smp, icount, semihosting, bios, kernel, bootargs, dtb,
                initrd, ram_file, extra):
        backend, args = memory_args(memory, ram_file) if memory else ("", [])
        machine_arg = machine + backend
        command = self.qemu + (["-M", machine_arg] if machine_arg else []) + args
        command += ["-nographic", "-no-reboot"]
        if smp:
            command += ["-smp", str(smp)]
        if semihosting:
            command += ["-semihosting-config", "enable=on,target=native"]
        if icount:
            command += ["-icount", "shift=0,sleep=off"]
        command += ["-bios", str(bios)]
        if kernel is None and (bootargs is not None or initrd):
            # Without -kernel QEMU refuses these; the payload does not look at the file.
            kernel = self.file("no-kernel", b"not a kernel\n")
        for option, value in (("-kernel", kernel), ("-append", bootargs), ("-dtb", dtb),
                              ("-initrd", initrd)):
            if value is not None:
                command += [option, str(value)]
        return command + list(extra)

    def __call__(self, *, machine="virt", memory=None, smp=None, icount=None, semihosting=True,
                 bios=None, kernel=None, bootargs=BOOTARGS, dtb=None, initrd=None, ram_file=None,
                 extra=(), timeout=TIMEOUT_S):
        if icount is None:
            icount = machine.startswith("virt") and not smp
        command = self.command(machine=machine, memory=memory, smp=smp, icount=icount,
                               semihosting=semihosting, bios=bios or self.bios, kernel=kernel,
                               bootargs=bootargs, dtb=dtb, initrd=initrd, ram_file=ram_file,
                               extra=extra)
        return run(command, timeout)

    def literally(self, *args):
        return run([*self.qemu, *args], LITERAL_TIMEOUT_S)


def run(command, timeout):
    """The console goes to a file: what a run that hangs has said is not lost."""
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT) as process:
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                process.kill()
        output.seek(0)
        console = output.read().decode("utf-8", "replace").replace("\r\n", "\n")
    ended = Run(command, status, console)
    print(ended.report())
    assert status is not None, f"did not end within {timeout} s"
    return ended
