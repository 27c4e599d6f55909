/** Labels that say who called whom; the others say what came of it, and Envoy's end changes that. */
const EDGE = [
  "reporter",
  "source_workload",
  "source_workload_namespace",
  "source_principal",
  "destination_workload",
  "destination_workload_namespace",
  "destination_principal",
  "destination_service",
];

/** The edges between workloads of which a node's metrics tell, of all namespaces but the tenant's own: one text each. */
export async function metricsOf(url: string): Promise<readonly string[]> {
  const text = await (await fetch(url)).text();
  const edges = text.split("\n").flatMap((line) => {
    if (!line.startsWith("istio_requests_total{") && !line.startsWith("istio_tcp_connections_opened_total{")) return [];
    const labels = new Map(
      [...line.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gu)].map(([, name, value]) => [name, value]),
    );
    const namespaces = [labels.get("source_workload_namespace"), labels.get("destination_workload_namespace")];
    if (!namespaces.includes("shop")) return [];
    return [EDGE.map((name) => `${name}=${labels.get(name) ?? ""}`).join(" ")];
  });
  return [...new Set(edges)];
}
