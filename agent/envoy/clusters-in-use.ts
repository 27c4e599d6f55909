import { askUnix } from "../lib/unix-http.ts";

const TIMEOUT_MS = 5_000;
const IN_USE = new Set(["cx_active", "rq_active"]);

interface ClusterStatuses {
  readonly cluster_statuses?: readonly {
    readonly name?: string;
    readonly host_statuses?: readonly {
      readonly stats?: readonly { readonly name?: string; readonly value?: string }[];
    }[];
  }[];
}

/** Names of the clusters to which Envoy has a connection, or a request on its way. */
export async function clustersInUse(adminSocket: string): Promise<ReadonlySet<string>> {
  const { body } = await askUnix(adminSocket, "/clusters?format=json", { timeoutMs: TIMEOUT_MS });
  const { cluster_statuses: clusters = [] } = JSON.parse(body) as ClusterStatuses;
  return new Set(
    clusters.flatMap(({ name = "", host_statuses: hosts = [] }) => {
      // Envoy leaves out a value of 0.
      const isInUse = hosts.some(({ stats = [] }) =>
        stats.some((stat) => IN_USE.has(stat.name ?? "") && Number(stat.value ?? 0) > 0),
      );
      return isInUse ? [name] : [];
    }),
  );
}
