import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { json, serve, text } from "./lib/http-server.ts";
import { openCapture } from "./kernel/capture.ts";
import { CertificateWait } from "./node/certificate-wait.ts";
import {
  certificateHandlers,
  identitiesHere,
  openCertificateStore,
  type AuthorityOptions,
} from "./node/certificates.ts";
import { compile, type NodeConfig } from "./compile/compile.ts";
import { newSession } from "./compile/session.ts";
import { openEnvoyProcess } from "./envoy/supervisor.ts";
import { CaptureHandshake } from "./node/capture-handshake.ts";
import { installFilterModule } from "./node/filter-module.ts";
import { KeySets } from "./jwks/key-sets.ts";
import { refuseSecond } from "./lib/listen.ts";
import type { Logger } from "./lib/log.ts";
import type { Mesh } from "./model/mesh.ts";
import type { MeshOptions } from "./model/mesh-options.ts";
import { createAgentMetrics } from "./node/metrics/agent-metrics.ts";
import { Reconciler } from "./node/reconciler.ts";
import { podStates, reconciled, waitingPods, type PodSets, type WaitingPod } from "./node/states-adapter.ts";
import { Debounce } from "./lib/debounce.ts";
import { openDirectorySource } from "./sources/directory.ts";
import { agentStatus, type AgentStatus } from "./node/status.ts";
import { AdsServer } from "./envoy/ads/ads-server.ts";

export interface AgentOptions extends MeshOptions {
  /** Name of this node. */
  readonly node: string;
  /** Folders of manifests; later ones override earlier ones. */
  readonly manifests: readonly string[];
  /** Sockets, pins, logs; the same folder after a restart. */
  readonly stateDir: string;
  readonly podsCgroup: string;
  readonly proxyCgroup: string;
  readonly kubeletCgroup: string | undefined;
  /** Shared by the agents of all nodes: what they tell each other of their pods. undefined: this node is the only one. */
  readonly reportsDir: string | undefined;
  readonly cluster: string;
  readonly accessLog: string | undefined;
  /** Worker threads of Envoy. */
  readonly concurrency: number;
  /** An Envoy that has not answered for so long is replaced. */
  readonly patienceMs: number;
  /** A STRICT pod that has waited for its certificate for so long takes no plaintext. */
  readonly strictGraceMs: number;
  /** Key sets that RequestAuthentications name are fetched again so often. */
  readonly keysRefreshMs: number;
  /** Also serve /metrics and /readyz there; they are on `admin.sock` in any case. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Who signs the node's certificates; without it there are none. */
  readonly authority: AuthorityOptions | undefined;
}

export interface Agent {
  status(): AgentStatus;
  /** Ends the agent; Envoy and the kernel's programs go on, and traffic with them. */
  close(): Promise<void>;
}

/** A pod that has left is tidied up once its last delivery has ended; looked for this often. */
const SWEEP_MS = 5_000;

/** What does not come from manifests is put together for so long, at the least and at the most. */
const WAIT_MS = 10;
const MAX_WAIT_MS = 100;

/**
 * The composition root: sources → model → compile → publish. Envoy starts after the kernel's programs, which have to see
 * its listeners come up, and after the ADS socket, which it asks first.
 */
export async function runAgent(options: AgentOptions, log: Logger): Promise<Agent> {
  const { node, stateDir, proxyCgroup } = options;
  const socketPath = join(stateDir, "admin.sock");
  await refuseSecond("agent", stateDir, socketPath);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const adsSocket = join(stateDir, "ads.sock");
  const { concurrency, patienceMs } = options;
  const proxyOptions = { node, stateDir, adsSocket, cgroup: proxyCgroup, concurrency, patienceMs, log };
  const envoy = await openEnvoyProcess(proxyOptions);
  const compileOptions = { ...options, filterModule: installFilterModule(stateDir) };
  const source = await openDirectorySource(options.manifests, {
    ...options,
    heldVersions: join(stateDir, "held-versions.json"),
  });
  const certificates =
    options.authority && (await openCertificateStore(node, options.authority, join(stateDir, "roots.pem")));
  const capture = openCapture({ ...options, pinDir: join(stateDir, "bpf") });
  const ads = new AdsServer(log);
  await ads.start(adsSocket);
  const known = capture.knownPods();
  const wait = new CertificateWait({
    certified: [...known.captured, ...known.left].filter((uid) => !known.waiting.includes(uid)),
    waiting: known.waiting,
    closeAfterMs: options.strictGraceMs,
    onChange: () => again(),
  });
  envoy.onStart(() => wait.proxyStarts());
  // Certificates come one by one, and there may be hundreds when an agent starts.
  const changes = new Debounce(() => Promise.resolve(apply(source.current())), WAIT_MS, MAX_WAIT_MS);
  const again = (): void => changes.call();
  const handshake = new CaptureHandshake({
    folder: options.reportsDir,
    node,
    onChange: again,
  });
  const reconciler = new Reconciler(ads, capture, handshake, log, known);

  let config: (NodeConfig & { readonly waiting: readonly WaitingPod[] }) | undefined;
  const keySets = new KeySets({
    file: join(stateDir, "key-sets.json"),
    refreshMs: options.keysRefreshMs,
    log,
    onChange: again,
  });
  // Who has been in the mesh keeps its listeners for as long as it lives: connections that are open stay on their path.
  const members = new Set([...known.captured, ...known.left]);
  const session = newSession(Date.now());
  const apply = (mesh: Mesh): void => {
    keySets.follow(mesh);
    const { versions } = handshake;
    const sets: PodSets = {
      ...options,
      sandboxes: source.sandboxes,
      identities: certificates?.current(),
      members,
      followed: handshake.followed,
      guarded: wait.guarded,
      closed: wait.closed,
      certified: wait.certified,
    };
    const compiled = compile(
      mesh,
      {
        ...compileOptions,
        pods: podStates(mesh, sets),
        fetchedKeys: keySets.fetched,
        identities: sets.identities,
        remoteCaptured: handshake.captured,
      },
      session,
    );
    config = { ...compiled, waiting: waitingPods(mesh, sets) };
    const wanted = reconciled(compiled, mesh, sets);
    const alive = new Set(mesh.workloads.map(({ uid }) => uid));
    wait.follow(new Set(mesh.workloads.filter(({ enrolled }) => enrolled).map(({ uid }) => uid)), config.waiting);
    for (const uid of members) if (!alive.has(uid)) members.delete(uid);
    for (const { uid } of wanted.capture.pods) members.add(uid);
    certificates?.want(identitiesHere(mesh, node, options.trustDomain, members));
    void reconciler.apply(wanted, () => handshake.follow(versions));
  };
  source.onChange(apply);
  certificates?.onChange(again);
  apply(source.current());
  await envoy.start();

  const status = (): AgentStatus =>
    agentStatus(
      options,
      source.current(),
      source.sandboxes,
      config,
      reconciler,
      envoy.status(),
      ads.status(),
      certificates?.status(),
    );
  const metrics = createAgentMetrics({
    status,
    pushes: () => ads.status().pushes,
    counters: () => capture.counters(),
    mesh: () => source.current(),
    envoyAdmin: envoy.adminSocket,
  });
  const handlers = {
    "/readyz": () => (status().ready ? text("ready\n") : text("not ready\n", 503)),
    "/livez": () => text("alive\n"),
    "/metrics": async () => ({ status: 200, ...(await metrics.render()) }),
    "/status": () => json(status()),
    ...certificateHandlers(node, certificates),
  };
  const servers = [await serve({ socketPath }, handlers, log)];
  if (options.metrics !== undefined) {
    const { "/readyz": readyz, "/metrics": scrape } = handlers;
    servers.push(await serve(options.metrics, { "/readyz": readyz, "/metrics": scrape }, log));
  }
  const sweep = setInterval(() => capture.sweep(), SWEEP_MS);
  log.info({ node, capture: capture.how }, "agent runs");

  return {
    status,
    close: () => {
      clearInterval(sweep);
      changes.close();
      source.close();
      keySets.close();
      certificates?.close();
      wait.close();
      handshake.close();
      for (const server of servers) server.close();
      envoy.release();
      ads.close();
      capture.close();
      return Promise.resolve();
    },
  };
}
