import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { BenchLab } from "./bench-lab.ts";
import { LoadClient } from "./load-client.ts";
import { manifests, ROLES, WORLDS, type World } from "./paths-manifests.ts";
import { ensureTools, makeCertificates, Sidecars } from "./sidecar/sidecars.ts";

/** One way from a caller to an application. */
export interface Path {
  readonly name: string;
  readonly client: LoadClient;
  /** The host to call; `tcp` for what is not HTTP. */
  readonly host: { readonly http: string; readonly tcp: string };
  /** The proxies on the way. */
  readonly proxies: readonly number[];
}

export interface Paths {
  readonly near: readonly Path[];
  readonly far: readonly Path[];
  readonly agents: readonly number[];
  readonly close: () => Promise<void>;
}

export interface PathsOptions {
  readonly root: string;
  readonly bench: string;
  /** Workers of each sidecar: two, as Istio's default is. */
  readonly sidecarWorkers: number;
}

const LABELS: Readonly<Record<World, string>> = {
  plain: "direct",
  mesh: "Ambit",
  sidecar: "sidecars, plaintext",
  sidecarmtls: "sidecars, mTLS",
};

/** Sets up every path that is compared, in one lab, so that they can be measured in turns. */
export async function openPaths({ root, bench, sidecarWorkers }: PathsOptions): Promise<Paths> {
  await ensureTools();
  const envoy = await ensureEnvoy();
  const lab = new BenchLab(root);
  const folder = join(lab.folder, "sidecars");
  mkdirSync(folder);
  const sidecars = new Sidecars(folder, envoy.path, sidecarWorkers);
  const clients: LoadClient[] = [];
  const close = async (): Promise<void> => {
    for (const client of clients) client.close();
    await sidecars.stop();
    await lab.down();
  };
  try {
    lab.write("all.yaml", ...manifests(bench));
    await lab.up(2);
    const { nodes, pods } = await lab.status();
    const podOf = (world: World, name: string) => {
      const found = pods.find((pod) => pod.namespace === world && pod.name === name);
      if (found === undefined) throw new Error(`there is no pod ${world}/${name}`);
      return found;
    };
    const envoyOf = (name: string) => nodes.find((node) => node.name === name)?.envoyPid ?? 0;

    const sidecarPids = new Map<string, number>();
    const names = [...ROLES, "near-tcp", "far-tcp"];
    const certificates = await makeCertificates(folder, names);
    for (const world of ["sidecar", "sidecarmtls"] as const) {
      for (const name of names) {
        const tls = world === "sidecarmtls" ? certificates.get(name) : undefined;
        sidecarPids.set(`${world}/${name}`, await sidecars.start(`${world}-${name}`, podOf(world, name).netns, tls));
      }
    }
    const proxies = (world: World, to: "near" | "far"): readonly number[] => {
      if (world === "plain") return [];
      if (world === "mesh") return to === "near" ? [envoyOf("node-1")] : [envoyOf("node-1"), envoyOf("node-2")];
      const all = ["client", to, `${to}-tcp`];
      return all.flatMap((name) => sidecarPids.get(`${world}/${name}`) ?? []);
    };
    const pathsTo = (to: "near" | "far"): readonly Path[] =>
      WORLDS.map((world) => {
        const client = new LoadClient(lab.inPod(`${world}/client`), bench);
        clients.push(client);
        // Sidecars are called at the pod's address: the destination that their redirection keeps.
        const host =
          world === "mesh"
            ? { http: to, tcp: `${to}-tcp` }
            : { http: podOf(world, to).ip, tcp: podOf(world, `${to}-tcp`).ip };
        return { name: LABELS[world], client, host, proxies: proxies(world, to) };
      });
    return { near: pathsTo("near"), far: pathsTo("far"), agents: nodes.map(({ agentPid }) => agentPid), close };
  } catch (error) {
    await close();
    throw error;
  }
}
