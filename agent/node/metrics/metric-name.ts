export interface LabelledName {
  readonly name: string;
  readonly labels: readonly (readonly [key: string, value: string])[];
}

const PREFIX = "wasmcustom.";

/** The inverse of filters/telemetry/metric-name.ts: `wasmcustom.name|key=value|…`. undefined for other statistics. */
export function parseMetricName(statistic: string): LabelledName | undefined {
  if (!statistic.startsWith(PREFIX)) return undefined;
  const [name = "", ...pairs] = statistic.slice(PREFIX.length).split("|");
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/u.test(name)) return undefined;
  return {
    name,
    labels: pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  };
}

/** `{key="value",…}` as the Prometheus text format has it. */
export function labelText(labels: LabelledName["labels"]): string {
  const all = labels.map(([key, value]) => `${key}="${escape(value)}"`);
  return all.length === 0 ? "" : `{${all.join(",")}}`;
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
