import * as env from "./env";
import { OUT } from "./memory";

enum MetricType {
  Counter,
  Gauge,
  Histogram,
}

function define(type: MetricType, name: string): u32 {
  const bytes = String.UTF8.encode(name);
  return defineNamed(type, changetype<usize>(bytes), bytes.byteLength);
}

function defineNamed(type: MetricType, start: usize, size: usize): u32 {
  env.proxy_define_metric(type, start, size, OUT + 8);
  return load<u32>(OUT, 8);
}

/** The id of a counter whose name is in memory in UTF-8. */
export function counterNamed(start: usize, size: usize): u32 {
  return defineNamed(MetricType.Counter, start, size);
}

export function addToCounter(id: u32, by: u64): void {
  env.proxy_increment_metric(id, by);
}

/** A metric of Envoy's. A second metric with the same name is the same metric. */
export class Counter {
  readonly id: u32;

  constructor(name: string) {
    this.id = define(MetricType.Counter, name);
  }

  increment(by: u32 = 1): void {
    env.proxy_increment_metric(this.id, by);
  }

  add(by: u64): void {
    env.proxy_increment_metric(this.id, by);
  }
}

export class Gauge {
  readonly id: u32;

  constructor(name: string) {
    this.id = define(MetricType.Gauge, name);
  }

  record(value: u64): void {
    env.proxy_record_metric(this.id, value);
  }
}

export class Histogram {
  readonly id: u32;

  constructor(name: string) {
    this.id = define(MetricType.Histogram, name);
  }

  record(value: u64): void {
    env.proxy_record_metric(this.id, value);
  }
}
