bench-objs += age.o
bench-objs += alloc_buddy.o
bench-objs += alloc_list.o
bench-objs += alloc_null.o
bench-objs += case.o
bench-objs += choice.o
bench-objs += clock.o
bench-objs += emit.o
bench-objs += exhaust.o
bench-objs += latency.o
bench-objs += loops.o
bench-objs += options.o
bench-objs += record.o
bench-objs += reference.o
bench-objs += registry.o
bench-objs += replay.o
bench-objs += report.o
bench-objs += run.o
bench-objs += score.o
bench-objs += setup.o
bench-objs += shadow_map.o
bench-objs += stats.o
bench-objs += verify.o
bench-objs += workload.o
bench-objs += workspace.o

# The adapter that calls the buddy's second build (mk/hot.mk).
hot-objs += bench/alloc_buddy.o
