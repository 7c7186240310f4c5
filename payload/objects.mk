# SPDX-License-Identifier: BSD-2-Clause

payload-objs += start.o
payload-objs += main.o
payload-objs += boot.o
payload-objs += bootargs.o
payload-objs += build_info.o
payload-objs += console.o
payload-objs += elsewhere.o
payload-objs += entry.o
payload-objs += exit.o
payload-objs += churn.o
payload-objs += mem_access.o
payload-objs += memory.o
payload-objs += memory_boot.o
payload-objs += memory_report.o
payload-objs += phase.o
payload-objs += platform.o
payload-objs += probe.o
payload-objs += ranges.o
payload-objs += sbi.o
payload-objs += stack_protector.o
payload-objs += string.o
payload-objs += trap.o

# What unit tests on the host can link.
payload-host-objs += bootargs.o

# What only the boot needs: given back after it, so nothing else may refer to it (payload/init.h).
init-objs += payload/boot.o
init-objs += payload/bootargs.o
init-objs += payload/elsewhere.o
init-objs += payload/entry.o
init-objs += payload/mem_access.o
init-objs += payload/memory_boot.o
init-objs += bench/options.o
init-objs += dt/bootargs.o
init-objs += dt/claims.o
init-objs += dt/distance.o
init-objs += dt/initrd.o
init-objs += dt/map.o
init-objs += dt/memory.o
init-objs += dt/place.o
init-objs += dt/regions.o
init-objs += dt/walk.o
init-objs += mm/bootmem.o
init-objs += mm/bootmem_alloc.o
init-objs += mm/bootmem_bitmap.o
init-objs += mm/bootmem_handover.o
init-objs += mm/bootmem_hash.o
init-objs += mm/bootmem_memblock.o
init-objs += mm/early.o
init-objs += mm/handover.o
init-objs += mm/memblock_limit.o
init-objs += mm/memprobe.o
init-objs += mm/memtest.o
init-objs += mm/mm_init.o
init-objs += mm/nobootmem.o
