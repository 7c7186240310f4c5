# SPDX-License-Identifier: BSD-2-Clause
"""Memory of all kinds at any address, for what probes and tests it: PCI devices of `-M virt`.

Their address registers are set by a jump in front of the payload. Between them is the PCIe window,
which takes writes and keeps nothing; around it nothing answers at all.
"""

import image
import trees
from tree_boot import boot_tree

ECAM = 0x30000000
# Two windows for addresses: the second begins at the next multiple of 16 GiB above RAM.
LOW = 0x40000000
HIGH = 0x400000000

COMMAND, BAR2, ROM_BAR = 0x04, 0x18, 0x30
MEMORY_SPACE, PREFETCHABLE_64, ROM_ENABLE = 2, 0xc, 1


class Windows:
    def __init__(self, boot):
        self.boot = boot
        self.extra = []
        self.stores = []
        self.count = 0

    def _device(self, *device):
        """Returns where its registers are. Slot 0 is the bridge; eight functions a slot."""
        slot, function = 1 + self.count // 8, self.count % 8
        self.count += 1
        self.extra += ["-device", ",".join([*device, f"addr={slot}.{function}",
                                            "multifunction=on"])]
        return ECAM | slot << 15 | function << 12

    def ram(self, base, size, path=None):
        """A power of two, aligned to its size. Those of one file are mirrors of each other."""
        name = f"window{self.count}"
        kind = f"file,mem-path={path}" if path else "ram"
        self.extra += ["-object", f"memory-backend-{kind},id={name},size={size},share=on"]
        at = self._device("ivshmem-plain", f"memdev={name}")
        self.stores += [(at + BAR2, base & 0xffffffff | PREFETCHABLE_64),
                        (at + BAR2 + 4, base >> 32), (at + COMMAND, MEMORY_SPACE)]

    def rom(self, base, data):
        """Reads as @data, whatever is written."""
        path = self.boot.file(f"rom{self.count}", data)
        at = self._device("virtio-rng-pci", f"romfile={path}")
        self.stores += [(at + ROM_BAR, base | ROM_ENABLE), (at + COMMAND, MEMORY_SPACE)]

    def boot_text(self, source, memory="64M", **kwargs):
        """@source: with memory for all that is there, RAM of @memory included."""
        path = trees.compile_text(trees.virt(source), self.boot.folder)
        return boot_tree(self.boot, path, memory=memory, extra=self.extra,
                         bios=image.with_stores(self.boot, self.stores), **kwargs)
