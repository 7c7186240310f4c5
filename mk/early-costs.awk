# SPDX-License-Identifier: BSD-2-Clause
#
# One row of the table of early allocators, from the records of a boot: kind and mem are given.

function value(key,   i, pair) {
	for (i = 4; i <= NF; i++) {
		split($i, pair, "=")
		if (pair[1] == key)
			return pair[2]
	}
	return "?"
}
{ sub(/\r$/, "") }
$1 == "@PB1" && $3 == "phase" { ins[value("name")] = value("ins") }
$1 == "@PB1" && $3 == "early" { bytes = value("meta_bytes"); found = value("kind") }
$1 == "@PB1" && $3 == "end" { ok = value("status") == "ok" && value("pages_lost") == 0 }
END {
	if (!ok || found != kind) {
		print "early-costs: the boot with early=" kind " and " mem " failed" >"/dev/stderr"
		exit 1
	}
	printf "| %-9s | %4s | %10d | %8d | %8d | %9d |\n", kind, mem, ins["early"], ins["plan"],
		ins["handover"], bytes
}
