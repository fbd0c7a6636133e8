// SPDX-License-Identifier: BSD-2-Clause
/*
 * metrics.h - the figures of a report as metrics for Prometheus' node exporter (its text format).
 */
#ifndef ASSAY_REPORT_METRICS_H
#define ASSAY_REPORT_METRICS_H

#include "report/model.h"

void report_metrics(const struct report_model *m, struct buf *out); /* failure is the buffer's mark */

#endif
