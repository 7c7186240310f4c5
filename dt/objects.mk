# What dt/ consists of, one object a line.
dt-objs += bootargs.o
dt-objs += check.o
dt-objs += claims.o
dt-objs += distance.o
dt-objs += dynamic.o
dt-objs += find.o
dt-objs += initrd.o
dt-objs += isa.o
dt-objs += map.o
dt-objs += memory.o
dt-objs += place.o
dt-objs += regions.o
dt-objs += reserved.o
dt-objs += tree.o
dt-objs += walk.o
