import * as env from "./env";
import { OUT } from "./memory";
import { MetricTypeValues, WasmResultValues } from "./values";

export class MetricResult {
  result: WasmResultValues = WasmResultValues.Ok;
  metric_id: u32 = 0;
}

/** Makes a metric of the host's, or finds the one of that name. */
export function define_metric(typ: MetricTypeValues, name: string): MetricResult {
  const bytes = String.UTF8.encode(name);
  const metric = new MetricResult();
  metric.result = env.proxy_define_metric(typ, changetype<usize>(bytes), bytes.byteLength, OUT + 8);
  if (metric.result == WasmResultValues.Ok) metric.metric_id = load<u32>(OUT, 8);
  return metric;
}

@inline
export function increment_metric(metric_id: u32, offset: i64): WasmResultValues {
  return env.proxy_increment_metric(metric_id, offset);
}

@inline
export function record_metric(metric_id: u32, value: u64): WasmResultValues {
  return env.proxy_record_metric(metric_id, value);
}

export class MetricData {
  result: WasmResultValues = WasmResultValues.Ok;
  data: u64 = 0;
}

/** The value of a counter or gauge. */
export function get_metric(metric_id: u32): MetricData {
  const metric = new MetricData();
  metric.result = env.proxy_get_metric(metric_id, OUT + 8);
  if (metric.result == WasmResultValues.Ok) metric.data = load<u64>(OUT, 8);
  return metric;
}

/** Traps where the host makes no such metric. */
class Metric {
  readonly metric_id: u32;

  constructor(typ: MetricTypeValues, name: string) {
    const metric = define_metric(typ, name);
    if (metric.result != WasmResultValues.Ok) throw new Error("the host makes no metric " + name);
    this.metric_id = metric.metric_id;
  }
}

export class Counter extends Metric {
  constructor(name: string) {
    super(MetricTypeValues.Counter, name);
  }

  increment(offset: u32 = 1): WasmResultValues {
    return increment_metric(this.metric_id, offset);
  }
}

export class Gauge extends Metric {
  constructor(name: string) {
    super(MetricTypeValues.Gauge, name);
  }

  increment(offset: i64): WasmResultValues {
    return increment_metric(this.metric_id, offset);
  }

  /** The id is a metric's `metric_id`: the form that filters of other SDKs use. */
  record(metric_id: u32, value: u64): WasmResultValues {
    return record_metric(metric_id, value);
  }

  set(value: u64): WasmResultValues {
    return record_metric(this.metric_id, value);
  }
}

export class Histogram extends Metric {
  constructor(name: string) {
    super(MetricTypeValues.Histogram, name);
  }

  increment(offset: i64): WasmResultValues {
    return increment_metric(this.metric_id, offset);
  }

  /** The id is a metric's `metric_id`: the form that filters of other SDKs use. */
  record(metric_id: u32, value: u64): WasmResultValues {
    return record_metric(metric_id, value);
  }

  observe(value: u64): WasmResultValues {
    return record_metric(this.metric_id, value);
  }
}
