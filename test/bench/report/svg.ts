import type { Row } from "../compare-paths.ts";
import { WHERE } from "./table.ts";

const COLORS: Readonly<Record<string, string>> = {
  direct: "#9aa5b1",
  Ambit: "#1f77b4",
  "sidecars, plaintext": "#e6b35a",
  "sidecars, mTLS": "#c4572e",
};
const BAR = 14;
const LABEL_WIDTH = 300;
const PANEL_WIDTH = 330;
const GAP = 40;

/** Three panels of bars side by side: rate, p99 and the proxies' CPU; a line from the least to the most of the rounds. */
export function svgPlot(rows: readonly Row[], title: string): string {
  const groups = [...new Set(rows.map(({ workload, where }) => `${workload}, ${WHERE[where]}`))];
  const panels = [
    { title: "answers per second, of direct", of: (row: Row) => row.rateOfDirect },
    { title: "p99, ms", of: (row: Row) => row.p99 },
    { title: "CPU of the proxies, µs an answer", of: (row: Row) => row.proxyCpu },
  ];
  const paths = [...new Set(rows.map(({ path }) => path))];
  const groupHeight = paths.length * BAR + 16;
  const width = LABEL_WIDTH + panels.length * (PANEL_WIDTH + GAP);
  const height = 90 + groups.length * groupHeight;
  const parts = [
    text(16, 26, title, "bold 16px"),
    ...paths.map((path, index) => {
      const x = 16 + index * 190;
      return `<rect x="${x}" y="38" width="12" height="12" fill="${COLORS[path] ?? "#555"}"/>${text(x + 18, 48, path)}`;
    }),
  ];
  for (const [panel, { title: heading, of }] of panels.entries()) {
    const left = LABEL_WIDTH + panel * (PANEL_WIDTH + GAP);
    parts.push(text(left, 74, heading, "bold 12px"));
    for (const [group, label] of groups.entries()) {
      const own = rows.filter(({ workload, where }) => `${workload}, ${WHERE[where]}` === label);
      const top = 86 + group * groupHeight;
      if (panel === 0) parts.push(text(16, top + groupHeight / 2 - 4, label));
      const most = Math.max(...own.map((row) => of(row).max), Number.MIN_VALUE);
      for (const [index, row] of own.entries()) {
        const { median, min, max } = of(row);
        const scale = (value: number): number => (value / most) * (PANEL_WIDTH - 60);
        const y = top + index * BAR;
        parts.push(
          `<rect x="${left}" y="${y}" width="${scale(median).toFixed(1)}" height="${BAR - 3}" fill="${COLORS[row.path] ?? "#555"}"/>`,
          `<line x1="${(left + scale(min)).toFixed(1)}" x2="${(left + scale(max)).toFixed(1)}" y1="${y + 5}" y2="${y + 5}" stroke="#222"/>`,
          text(left + scale(max) + 4, y + 9, median.toFixed(median < 10 ? 2 : 0), "10px"),
        );
      }
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" fill="white"/>
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, font = "12px"): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" style="font:${font} sans-serif" fill="#222">${escaped}</text>`;
}
