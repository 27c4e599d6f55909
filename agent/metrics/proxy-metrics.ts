import { askAdmin } from "../envoy/admin-client.ts";
import type { Mesh } from "../model/mesh.ts";

/** The node proxy's figures as Prometheus text; empty while it does not answer. */
export async function proxyMetrics(adminSocket: string, _mesh: Mesh, _node: string): Promise<string> {
  try {
    const { status, body } = await askAdmin(adminSocket, "/stats/prometheus?usedonly");
    return status === 200 ? body : "";
  } catch {
    return "";
  }
}
