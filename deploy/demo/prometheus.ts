/** One line of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

/** Samples of the text format whose names `wanted` accepts. Comments and what cannot be read are left out. */
export function parseSamples(text: string, wanted: (name: string) => boolean): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const [, name, labels, value] = LINE.exec(line) ?? [];
    if (name === undefined || !wanted(name)) continue;
    samples.push({ name, labels: parseLabels(labels ?? ""), value: Number(value) });
  }
  return samples;
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(LABEL)) {
    labels[name] = value.replaceAll(/\\[n"\\]/g, (escape) => ESCAPED[escape] ?? escape);
  }
  return labels;
}
