import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeConfig } from "../../agent/compile/compile.ts";
import { bootstrap } from "../../agent/envoy/bootstrap.ts";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { tryExec } from "../../agent/lib/exec.ts";
import type { RouteConfiguration } from "../../agent/xds/gen/envoy/config/route/v3/route_pb.ts";
import { toPrintable } from "../../agent/xds/registry.ts";

type Json = Readonly<Record<string, unknown>>;

const HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** Collects what Envoy is told because of a tenant's objects, and asks the real Envoy whether it takes all of it. */
export class EnvoyCheck {
  readonly #hosts = new Map<string, Json>();
  readonly #clusters = new Map<string, Json>();

  /** Routes and clusters that are there with the tenant's objects, and not without them. */
  add(before: NodeConfig, after: NodeConfig): void {
    const hosts = ({ xds }: NodeConfig) => (xds.routes.get("outbound") as RouteConfiguration).virtualHosts;
    const known = new Set(hosts(before).map(({ name }) => name));
    for (const host of hosts(after)) {
      if (!known.has(host.name)) keep(this.#hosts, toPrintable(host) as Json);
    }
    for (const name of after.xds.onDemandClusters.keys()) {
      const cluster = before.xds.onDemandClusters.has(name) ? undefined : after.xds.onDemandClusters.get(name);
      // A few of them show what the others are like.
      if (cluster !== undefined && this.#clusters.size < 2_000) keep(this.#clusters, toPrintable(cluster) as Json);
    }
  }

  /** Why Envoy refuses it; undefined: it does not. What has been added is forgotten. */
  async refusal(): Promise<string | undefined> {
    const folder = mkdtempSync(join(tmpdir(), "ambit-tenant-"));
    try {
      const config = this.#config(folder);
      this.#hosts.clear();
      this.#clusters.clear();
      const path = join(folder, "envoy.json");
      writeFileSync(path, JSON.stringify(config));
      const { path: envoy } = await ensureEnvoy();
      const { code, stderr, stdout } = await tryExec(envoy, [
        ...["--mode", "validate", "--config-path", path, "--log-level", "error"],
      ]);
      return code === 0 ? undefined : `${stderr}${stdout}`.slice(0, 2_000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #config(folder: string): unknown {
    const base = bootstrap({
      node: "node-1",
      adsSocket: join(folder, "ads.sock"),
      adminSocket: join(folder, "admin.sock"),
    }) as { readonly static_resources: { readonly clusters: readonly unknown[] } };
    const manager = {
      "@type": HCM,
      stat_prefix: "x",
      route_config: {
        validate_clusters: false,
        virtual_hosts: [...this.#hosts.values()].map((host, index) => ({
          ...host,
          name: `host-${index}`,
          domains: [`host-${index}`],
          // They name filters that the listeners of nodes have.
          typed_per_filter_config: {},
        })),
      },
      http_filters: [{ name: "router", typed_config: { "@type": ROUTER } }],
    };
    return {
      ...base,
      static_resources: {
        clusters: [
          ...base.static_resources.clusters,
          ...[...this.#clusters.values()].map((cluster, index) => ({ ...cluster, name: `cluster-${index}` })),
        ],
        listeners: [
          {
            name: "routes",
            internal_listener: {},
            filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
          },
        ],
      },
    };
  }
}

/** Each once, whatever it is called. */
function keep(known: Map<string, Json>, { name, domains, ...content }: Json): void {
  const key = JSON.stringify(content);
  if (!known.has(key)) known.set(key, domains === undefined ? { name, ...content } : { name, domains, ...content });
}
