import { Counter, Histogram } from "../../assembly/index";

const counters = new Map<string, Counter>();
const histograms = new Map<string, Histogram>();

/** Metrics are defined once; Envoy keeps them for as long as it runs. */
export function counter(name: string): Counter {
  if (counters.has(name)) return counters.get(name);
  const made = new Counter(name);
  counters.set(name, made);
  return made;
}

export function histogram(name: string): Histogram {
  if (histograms.has(name)) return histograms.get(name);
  const made = new Histogram(name);
  histograms.set(name, made);
  return made;
}
