import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { compile, type NodeConfig } from "./compile/compile.ts";
import { protectedPods } from "./compile/policy/protected-pods.ts";
import { newSession } from "./compile/session.ts";
import { clustersInUse } from "./envoy/clusters-in-use.ts";
import { AdsServer } from "./envoy/ads/ads-server.ts";
import { LimitsReached } from "./envoy/limits-reached.ts";
import type { NodeProxy, NodeProxyOptions } from "./envoy/proxy.ts";
import { NO_EXCHANGE } from "./identity/node/no-exchange.ts";
import { KeySets } from "./jwks/key-sets.ts";
import { openCapture } from "./kernel/capture.ts";
import { describe } from "./lib/errors.ts";
import { STEADY_CLOCK, SYSTEM_CLOCK } from "./lib/clock.ts";
import { Debounce } from "./lib/debounce.ts";
import { json, serve, text } from "./lib/http-server.ts";
import { refuseSecond } from "./lib/listen.ts";
import type { Logger } from "./lib/log.ts";
import type { CallerTimes } from "./model/caller-times.ts";
import type { SeriesLimits } from "./model/series-limits.ts";
import type { Mesh } from "./model/mesh.ts";
import type { MeshOptions } from "./model/mesh-options.ts";
import type { NodeSource } from "./model/source.ts";
import type { AuthorityConnection } from "./node/authority-connection.ts";
import { certificateHandlers, hasCertificate, identitiesHere } from "./node/certificates.ts";
import { openFilterCheck } from "./node/filter-check.ts";
import { installFilterModule } from "./node/filter-module.ts";
import { createAgentMetrics } from "./node/metrics/agent-metrics.ts";
import type { WhenCaptureIsLost } from "./node/pod-lifecycle.ts";
import { Pods } from "./node/pods.ts";
import { Publisher } from "./node/publisher.ts";
import { RefusedParts } from "./node/refused-parts.ts";
import { agentStatus, type AgentStatus } from "./node/agent-status.ts";

export interface AgentOptions extends MeshOptions {
  /** Name of this node. */
  readonly node: string;
  /** Sockets, pins, logs; the same folder after a restart. */
  readonly stateDir: string;
  readonly podsCgroup: string;
  readonly proxyCgroup: string;
  readonly kubeletCgroup: string | undefined;
  readonly cluster: string;
  readonly accessLog: string | undefined;
  /** Worker threads of Envoy. */
  readonly concurrency: number;
  /** An Envoy that has not answered for so long is replaced. */
  readonly patienceMs: number;
  /** The heap that Envoy should stay below. */
  readonly maxHeapBytes: number;
  /** How many connections each listener of a pod takes at a time. */
  readonly podConnections: number;
  readonly callerTimes: CallerTimes;
  readonly series: SeriesLimits;
  /** A STRICT pod takes plaintext for no longer than this while it joins. */
  readonly strictGraceMs: number;
  /** What becomes of new connections to a pod that is STRICT or has policies, while it is not captured. */
  readonly whenCaptureIsLost: WhenCaptureIsLost;
  /** Key sets that RequestAuthentications name are fetched again so often. */
  readonly keysRefreshMs: number;
  /** Also serve /metrics and /readyz there; they are on `admin.sock` in any case. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
}

/** What differs between a lab, a host, and a cluster. */
export interface AgentPorts {
  readonly openSource: () => Promise<NodeSource>;
  readonly openProxy: (options: NodeProxyOptions) => Promise<NodeProxy>;
  /** Signs certificates and carries what nodes tell each other; undefined: this node has no authority, and no mTLS. */
  readonly openAuthority: (() => Promise<AuthorityConnection>) | undefined;
}

export interface Agent {
  status(): AgentStatus;
  /** Ends the agent; Envoy and the kernel's programs go on, and traffic with them. */
  close(): Promise<void>;
}

/** What pods that left need for their last deliveries is undone when those have ended; looked for this often. */
const SWEEP_MS = 5_000;

/** Changes that do not come from objects are compiled together: the shortest and the longest time that one waits. */
const WAIT_MS = 10;
const MAX_WAIT_MS = 100;

/**
 * The composition root: objects → mesh → compile → publish. Envoy starts after the kernel's programs, which have to see
 * its listeners come up, and after the ADS socket, which it asks first.
 */
export async function runAgent(options: AgentOptions, ports: AgentPorts, log: Logger): Promise<Agent> {
  const { node, stateDir, trustDomain } = options;
  const socketPath = join(stateDir, "admin.sock");
  await refuseSecond("agent", stateDir, socketPath);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const adsSocket = join(stateDir, "ads.sock");
  const envoy = await ports.openProxy({ ...options, adsSocket, cgroup: options.proxyCgroup, log });
  const filterModule = installFilterModule(stateDir);
  const checkFilters = openFilterCheck();
  const refusedParts = new RefusedParts(log);
  const source = await ports.openSource();
  const authority = await ports.openAuthority?.();
  const certificates = authority?.certificates;
  const exchange = authority?.exchange ?? NO_EXCHANGE;
  const capture = openCapture({ ...options, pinDir: join(stateDir, "bpf") });
  const ads = new AdsServer(log, () => clustersInUse(envoy.adminSocket));
  await ads.start(adsSocket);
  const publisher = new Publisher(ads, capture, log);

  // Certificates come one by one, and there may be hundreds when an agent starts.
  const changes = new Debounce(() => Promise.resolve(apply(source.current())), WAIT_MS, MAX_WAIT_MS);
  const onChange = (): void => changes.call();
  const pods = new Pods({
    node,
    kernel: capture,
    exchange,
    sandboxes: source.sandboxes,
    hasCertificate: (workload) => hasCertificate(certificates?.current(), workload, trustDomain),
    protectedPods: (mesh) => protectedPods(mesh, options.rootNamespace),
    isFirst: capture.how === "loaded",
    settings: options,
    clock: STEADY_CLOCK,
    log,
    onChange,
  });
  const keySets = new KeySets({
    file: join(stateDir, "key-sets.json"),
    refreshMs: options.keysRefreshMs,
    log,
    onChange,
  });

  const session = newSession(SYSTEM_CLOCK.now());
  let config: NodeConfig | undefined;
  let compileFailure: string | undefined;
  const apply = (mesh: Mesh): void => {
    keySets.follow(mesh);
    pods.follow(mesh);
    const revision = exchange.revision();
    const epochs = pods.epochs();
    const known = {
      ...options,
      filterModule,
      checkFilters,
      pods: pods.states(),
      fetchedKeys: keySets.fetched,
      identities: certificates?.current(),
      remoteCaptured: exchange.captured(),
    };
    try {
      config = compile(mesh, known, session);
    } catch (error) {
      // A fault of the compiler itself. The node goes on with the configuration that it has; its pods' states were set above.
      log.error({ error: describe(error) }, "the mesh cannot be compiled; the last configuration stays");
      compileFailure = describe(error);
      return;
    }
    compileFailure = undefined;
    refusedParts.follow(config.problems);
    certificates?.want(identitiesHere(mesh, node, trustDomain, pods.states()));
    void publisher.apply(config, () => {
      exchange.follow(revision);
      pods.served(epochs);
    });
  };
  source.onChange(apply);
  certificates?.onChange(onChange);
  exchange.onChange(() => {
    pods.exchangeChanged();
    onChange();
  });
  envoy.onStart(() => pods.proxyStarts());
  apply(source.current());
  await envoy.start();

  const limits = new LimitsReached({
    adminSocket: envoy.adminSocket,
    pid: () => envoy.status().pid,
    refusedPorts: () => ads.status().refusedPorts,
  });
  const status = (): AgentStatus =>
    agentStatus({
      ...{ node, trustDomain, config, compileFailure, pods, exchange },
      mesh: source.current(),
      sandboxes: source.sandboxes,
      isSettled: publisher.settled,
      envoy: envoy.status(),
      ads: ads.status(),
      limits: limits.recent(),
      certificates: certificates?.status(),
    });
  const metrics = createAgentMetrics({
    status,
    limits,
    pushes: () => ads.status().pushes,
    counters: () => capture.counters(),
    mesh: () => source.current(),
    envoyAdmin: envoy.adminSocket,
  });
  const handlers = {
    "/readyz": () => (status().ready ? text("ready\n") : text("not ready\n", 503)),
    "/livez": () => text("alive\n"),
    "/metrics": () => ({ status: 200, contentType: metrics.contentType, body: metrics.page }),
    "/status": () => json(status()),
    "/sandboxes": () => json(pods.seen()),
    ...certificateHandlers(node, certificates),
  };
  const servers = [await serve({ socketPath }, handlers, log)];
  if (options.metrics !== undefined) {
    const { "/readyz": readyz, "/metrics": scrape } = handlers;
    servers.push(await serve(options.metrics, { "/readyz": readyz, "/metrics": scrape }, log));
  }
  const sweep = setInterval(() => {
    // An Envoy that does not answer has a trouble of its own in the status.
    limits.look().catch(() => undefined);
    capture.sweep();
    pods.lookAgain();
  }, SWEEP_MS);
  log.info({ node, capture: capture.how }, "agent runs");

  return {
    status,
    close: () => {
      clearInterval(sweep);
      changes.close();
      source.close();
      keySets.close();
      authority?.close();
      pods.close();
      for (const server of servers) server.close();
      envoy.release();
      ads.close();
      capture.close();
      return Promise.resolve();
    },
  };
}
