/* SPDX-License-Identifier: BSD-2-Clause */
/* The distances between memory nodes. Linux: of_numa_parse_distance_map, numa_set_distance. */
#include "tree.h"

#include <earlymm/error.h>

#include <inttypes.h>
#include <string.h>

#define NOT_GIVEN 0

/* An entry of distance-matrix: from, to, distance. */
#define ENTRY_CELLS 3
#define ENTRY_BYTES (ENTRY_CELLS * (uint32_t)sizeof(fdt32_t))

static void read_entry(struct dt_distances *d, const fdt32_t *p, struct dt_log *log)
{
	uint32_t from = fdt32_to_cpu(p[0]), to = fdt32_to_cpu(p[1]);
	uint32_t distance = fdt32_to_cpu(p[2]);
	uint8_t *at;

	if (from >= DT_MAX_NODES || to >= DT_MAX_NODES) {
		dt_error(log,
			 "dt: distance-map: from node %" PRIu32 " to %" PRIu32
			 ": nodes up to %d are known, ignored\n",
			 from, to, DT_MAX_NODES - 1);
		return;
	}
	if (from == to ? distance != DT_LOCAL_DISTANCE
		       : distance <= DT_LOCAL_DISTANCE || distance > UINT8_MAX) {
		dt_error(log,
			 "dt: distance-map: %" PRIu32 " from node %" PRIu32 " to %" PRIu32
			 ": must be %d to itself, else %d to %d, ignored\n",
			 distance, from, to, DT_LOCAL_DISTANCE, DT_LOCAL_DISTANCE + 1, UINT8_MAX);
		return;
	}
	at = &d->distance[from][to];
	if (*at != NOT_GIVEN && *at != distance)
		dt_error(log,
			 "dt: distance-map: from node %" PRIu32 " to %" PRIu32
			 " there are %d and %" PRIu32 ": the first counts\n",
			 from, to, *at, distance);
	else
		*at = (uint8_t)distance;
}

/* What one direction lacks is as the other, and what both lack has the default. */
static void complete(struct dt_distances *d, struct dt_log *log)
{
	uint32_t i, j;

	for (i = 0; i < DT_MAX_NODES; i++) {
		d->distance[i][i] = DT_LOCAL_DISTANCE;
		for (j = 0; j < i; j++) {
			uint8_t *there = &d->distance[j][i], *back = &d->distance[i][j];

			if (*there == NOT_GIVEN)
				*there = *back == NOT_GIVEN ? DT_REMOTE_DISTANCE : *back;
			if (*back == NOT_GIVEN)
				*back = *there;
			if (*there != *back)
				dt_error(log,
					 "dt: distance-map: %d from node %" PRIu32 " to %" PRIu32
					 ", but %d back: both are kept\n",
					 *there, j, i, *back);
		}
	}
}

int dt_read_distances(struct dt_info *info, const void *fdt, struct dt_distances *distances,
		      const struct printer *out)
{
	struct dt_log log = { .out = out };
	struct dt_prop_value *matrix;
	struct dt_cursor cur;
	struct dt_node node;
	uint32_t i;

	if (!info || !fdt || !distances)
		return -EMM_EINVAL;
	memset(distances, NOT_GIVEN, sizeof(*distances));
	if (info->distance_map >= 0) {
		dt_cursor_revisit(&cur, fdt, info->distance_map);
		if (dt_next(&cur) <= 0 || dt_read_node(&cur, &node))
			return -EMM_EBADTREE;
		matrix = &node.prop[PROP_DISTANCE_MATRIX];
		if (!dt_has(&node, PROP_DISTANCE_MATRIX))
			matrix->len = 0;
		if (!matrix->len || matrix->len % ENTRY_BYTES)
			dt_error(&log,
				 "dt: distance-map: distance-matrix has %" PRIu32
				 " bytes, no multiple of %" PRIu32 ": the first %" PRIu32
				 " entries are used\n",
				 matrix->len, ENTRY_BYTES, matrix->len / ENTRY_BYTES);
		for (i = 0; i < matrix->len / ENTRY_BYTES; i++)
			read_entry(distances, matrix->data + i * ENTRY_CELLS, &log);
	}
	complete(distances, &log);
	dt_log_end(&log);
	info->nr_errors += log.errors;
	return 0;
}

int dt_distance(const struct dt_distances *distances, int from, int to)
{
	if (from < 0 || to < 0 || from >= DT_MAX_NODES || to >= DT_MAX_NODES)
		return from == to ? DT_LOCAL_DISTANCE : DT_REMOTE_DISTANCE;
	return distances->distance[from][to];
}
