# SPDX-License-Identifier: BSD-2-Clause
"""RAM as a file: full of something before the run, read after it."""

import random

from memory_map import PAGE, RAM_BASE, merged

SIZE = 64 << 20
RAM_END = RAM_BASE + SIZE


class Ram:
    def __init__(self, folder, before=None):
        self.path = folder / "ram"
        self.before = before or random.Random(1).randbytes(SIZE)
        self.path.write_bytes(self.before)

    def after(self):
        return self.path.read_bytes()

    def written(self):
        """Ranges of pages that are not what they were."""
        after = self.after()
        pages = range(0, SIZE, PAGE)
        return merged((RAM_BASE + at, RAM_BASE + at + PAGE) for at in pages
                      if after[at:at + PAGE] != self.before[at:at + PAGE])

    def read(self, base, end):
        """What [base, end) holds after the run."""
        with open(self.path, "rb") as file:
            file.seek(base - RAM_BASE)
            return file.read(end - base)


def boot_kernel(boot, ram, **kwargs):
    """By this route the tree stays where QEMU put it, and no firmware image covers free RAM."""
    return boot(bios="default", kernel=boot.image, memory="64M", ram_file=ram.path, **kwargs)
