# SPDX-License-Identifier: BSD-2-Clause

payload-objs += start.o
payload-objs += main.o
payload-objs += bootargs.o
payload-objs += build_info.o
payload-objs += console.o
payload-objs += elsewhere.o
payload-objs += entry.o
payload-objs += exit.o
payload-objs += churn.o
payload-objs += hugetlb_args.o
payload-objs += memory.o
payload-objs += memory_report.o
payload-objs += phase.o
payload-objs += platform.o
payload-objs += probe.o
payload-objs += sbi.o
payload-objs += stack_protector.o
payload-objs += string.o
payload-objs += trap.o

# What unit tests on the host can link.
payload-host-objs += bootargs.o
payload-host-objs += hugetlb_args.o
