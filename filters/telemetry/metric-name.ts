/**
 * A metric's name with its labels, as one Envoy statistic: `name|key=value|key=value`. Names and keys hold letters, digits
 * and "_"; a value may hold anything but "|" and control characters, which become "_". The agent's metrics page turns it back
 * into real Prometheus labels (agent/node/metrics/metric-name.ts).
 */
export function labelled(name: string, pairs: string[]): string {
  // All pairs are joined in one step: adding them one by one would leave 40 kB of garbage.
  const parts: string[] = [name];
  for (let i = 0; i + 1 < pairs.length; i += 2) parts.push(pairs[i] + "=" + clean(pairs[i + 1]));
  return parts.join("|");
}

function clean(value: string): string {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code == 0x7c || code == 0x7f) {
      let result = "";
      for (let j = 0; j < value.length; j++) {
        const each = value.charCodeAt(j);
        result += each < 0x20 || each == 0x7c || each == 0x7f ? "_" : value.charAt(j);
      }
      return result;
    }
  }
  return value;
}
