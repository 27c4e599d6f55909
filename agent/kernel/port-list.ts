/** Port lists as the kernel writes them: `8080,9148-9150`. */

export function parsePorts(text: string): Set<number> {
  const ports = new Set<number>();
  for (const range of text.split(",").filter((part) => part.trim() !== "")) {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    for (let port = first; port <= last; port++) ports.add(port);
  }
  return ports;
}

export function formatPorts(ports: Iterable<number>): string {
  const ranges: { first: number; last: number }[] = [];
  for (const port of [...ports].toSorted((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range?.last === port - 1) range.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
