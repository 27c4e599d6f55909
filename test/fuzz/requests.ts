import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { Mesh } from "../../agent/model/mesh.ts";
import { explainCall } from "../../agent/policy/explain.ts";
import { loadManifests } from "../../agent/sources/load-manifests.ts";
import { residentMegabytes } from "../attacks/flood.ts";
import { APPS, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { fc } from "../support/random.ts";
import type { FuzzOptions, FuzzResult, Suite } from "./suite.ts";

/**
 * Requests of random size, number of headers and encoding, to guarded pods on the caller's node and on another one. Each verdict is
 * what `ambit authz explain` says, memory stays bounded, and twice the size is at most thrice the CPU.
 */
export const requests: Suite = {
  name: "requests",
  summary: "HTTP/1 and HTTP/2 requests of random size, count and encoding, against a lab",
  size: { minutes: 10 },
  quick: { minutes: 0.5 },
  run: runRequests,
};

const SCOPE = { rootNamespace: "istio-system", trustDomain: "cluster.local" };
const PLACES = ["near", "far", "plain"] as const;
const BATCH = 200;
/** For one batch, on a machine that is busy with much else. */
const SEND_MS = 180_000;

interface RandomRequest {
  readonly host: (typeof PLACES)[number];
  readonly port: number;
  readonly http2: boolean;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: number;
}

const segment = fc.oneof(
  fc.constantFrom(
    "a",
    "admin",
    "%61dmin",
    "b",
    ".",
    "..",
    "",
    "%2e",
    "%2E%2e",
    "%5c",
    "%2f",
    "A",
    "%zz",
    "%",
    "items",
    "x;y",
  ),
  fc.string({ unit: fc.constantFrom(...Array.from("abz019-._~%!$&'()*+,;=:@")), maxLength: 12 }),
  fc.nat({ max: 20_000 }).map((size) => "a".repeat(size)),
);
const path = fc
  .tuple(
    fc.array(segment, { maxLength: 6 }),
    fc.constantFrom(1, 1, 1, 500),
    fc.constantFrom("", "?", "?a=/../b", "/.", "/..", `?${"q&".repeat(2_000)}`),
  )
  .map(
    ([segments, times, end]) =>
      `/${Array.from({ length: times }, () => segments.join("/")).join("/")}`.slice(0, 50_000) + end,
  );
const value = fc.oneof(
  fc.constantFrom("gold", "tin", "", "x,y", "golden"),
  fc.nat({ max: 3_000 }).map((size) => "v".repeat(size)),
);
const headers = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom("x-tier", "x-other", "cookie", "x-token", "x-ambit-source"), value), {
      maxLength: 8,
    }),
    fc.constantFrom(0, 0, 0, 60, 230),
  )
  .map(([list, more]) => [...list, ...Array.from({ length: more }, () => ["x-tier", "a"] as const)]);
const request: fc.Arbitrary<RandomRequest> = fc
  .record({
    host: fc.constantFrom(...PLACES),
    http2: fc.boolean(),
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
    path,
    headers,
    authority: fc.constantFrom("shop.example", "SHOP.example", "other"),
    body: fc.constantFrom(0, 0, 10, 10_000),
  })
  .map(({ authority, ...rest }) => ({
    ...rest,
    port: rest.http2 ? 8081 : 80,
    // Servers of Node take 128 headers by HTTP/2.
    headers: [["host", authority], ...rest.headers.slice(0, rest.http2 ? 100 : undefined)] as const,
  }))
  // And no more than 64 KiB: the server itself refuses such a stream.
  .filter((each) => !each.http2 || sizeOf(each) < 60_000);

/** As HTTP/2 counts it (RFC 9113, section 6.5.2): 32 bytes more for each header. */
function sizeOf({ path: { length }, headers: list }: RandomRequest): number {
  return list.reduce((sum, [name, text]) => sum + name.length + text.length + 32, length);
}

function policies(): readonly unknown[] {
  const policy = (name: string, action: string, rules: readonly unknown[]): unknown => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "shop" },
    spec: { selector: { matchLabels: { guarded: "yes" } }, action, rules },
  });
  const to = (operation: unknown, ...when: readonly unknown[]): unknown => ({
    to: [{ operation }],
    ...(when.length === 0 ? {} : { when }),
  });
  const tier = (field: string, ...values: readonly string[]): unknown => ({
    key: "request.headers[x-tier]",
    [field]: values,
  });
  return [
    policy("deny", "DENY", [
      to({ paths: ["/admin", "/admin/*", "*/b", "/{*}/items/{**}"] }),
      to({ methods: ["PUT"] }, tier("notValues", "gold")),
      to({ hosts: ["other"], notMethods: ["GET"] }),
      ...Array.from({ length: 20 }, (_, index) => to({ paths: [`/n${index}/*`] }, tier("values", `v${index}*`))),
    ]),
    policy("allow", "ALLOW", [
      to({ notPaths: ["/a/*"] }, tier("notValues", "tin*")),
      to({ paths: ["/a/*"], hosts: ["shop.example"] }, tier("values", "gold*", "*,a")),
    ]),
  ];
}

async function runRequests({ minutes, seed, progress }: FuzzOptions): Promise<FuzzResult> {
  const lab = new MeshLab("freq", { AMBIT_CONCURRENCY: "1" });
  const failures: string[] = [];
  let sent = 0;
  let denied = 0;
  try {
    progress("a lab comes up");
    lab.write("all.yaml", [
      namespace("shop", true),
      pod("shop", "alice", "node-1"),
      ...PLACES.flatMap((name) => [
        pod("shop", name, name === "far" ? "node-2" : "node-1", {
          server: true,
          labels: name === "plain" ? {} : { guarded: "yes" },
        }),
        service("shop", name, { app: name }),
      ]),
      ...policies(),
    ]);
    await lab.up();
    const mesh = await loadManifests([lab.manifests]);
    await lab.until("all pods answer", async () => {
      const all = await Promise.all(PLACES.map((to) => lab.call("shop/alice", `http://${to}/`)));
      return all.every(({ status }) => status === 200);
    });
    const nodes = await lab.processes();
    await send(lab, fc.sample(request, { seed: seed - 1, numRuns: BATCH }));
    const before = nodes.map(({ envoyPid }) => residentMegabytes(envoyPid));
    for (const end = Date.now() + minutes * 60_000; Date.now() < end && failures.length < 10;) {
      progress(`${sent} requests`);
      const batch = fc.sample(request, { seed: seed + sent, numRuns: BATCH });
      const answers = await send(lab, batch);
      for (const [index, each] of batch.entries()) {
        const failure = judge(mesh, each, answers[index] ?? NO_ANSWER);
        if (failure !== undefined) failures.push(failure);
      }
      sent += batch.length;
      denied += answers.filter(({ status }) => status === 403).length;
    }
    const after = nodes.map(({ envoyPid }) => residentMegabytes(envoyPid));
    for (const [index, megabytes] of after.entries()) {
      if (megabytes > 2 * (before[index] ?? 0))
        failures.push(`Envoy ${index} grew from ${before[index]} MB to ${megabytes} MB`);
    }
    const ratio = await cpuRatio(lab, nodes[0]?.envoyPid ?? 0);
    if (ratio > 3) failures.push(`twice the size took ${ratio.toFixed(1)} times the CPU`);
    const figures = {
      requests: sent,
      denied,
      "Envoy MB": after.map(Math.round).join(" "),
      "CPU of twice the size": ratio.toFixed(2),
    };
    return { figures, failures };
  } finally {
    await lab.down();
  }
}

interface Answer {
  /** 0: none came. */
  readonly status: number;
  readonly why: string;
}

const NO_ANSWER: Answer = { status: 0, why: "the sender ended" };

/** Sends them out of the pod; what became of each. */
async function send(lab: MeshLab, batch: readonly RandomRequest[]): Promise<readonly Answer[]> {
  const child = lab.start("shop/alice", process.execPath, join(APPS, "random-requests.mjs"));
  if (child.stdout === null || child.stdin === null) throw new Error("the requests have no output");
  // Where the sender ends early, requests have no status, and that is told.
  child.stdin.on("error", () => undefined);
  const patience = setTimeout(() => child.kill(), SEND_MS);
  child.stdin.end(batch.map((each) => `${JSON.stringify(each)}\n`).join(""));
  const answers: Answer[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [index, status, why] = JSON.parse(line) as readonly [number, number, string];
    answers[index] = { status, why };
  }
  clearTimeout(patience);
  return answers;
}

/** undefined: the answer is what `ambit authz explain` says. */
function judge(mesh: Mesh, asked: RandomRequest, { status, why }: Answer): string | undefined {
  const workload = (name: string) => mesh.workloads.find(({ meta }) => meta.name === name);
  const [source, destination] = [workload("alice"), workload(asked.host)];
  if (source === undefined || destination === undefined) throw new Error("the lab's pods are not in its manifests");
  const [host = ["", ""] as const, ...rest] = asked.headers;
  const { verdict } = explainCall(mesh, SCOPE, source, destination, {
    protocol: "http",
    port: asked.http2 ? 8081 : 8080,
    sni: "",
    host: host[1],
    method: asked.method,
    path: asked.path,
    headers: rest.filter(([name]) => name !== "x-ambit-source"),
    claims: undefined,
  });
  const found = status === 0 ? "no answer" : status === 403 ? "denied" : status === 400 ? "malformed" : "allowed";
  if (found === verdict) return undefined;
  return `${verdict} expected, status ${status} (${why}), ${sizeOf(asked)} bytes: ${JSON.stringify(asked, shortened)}`;
}

function shortened(_key: string, part: unknown): unknown {
  return typeof part === "string" && part.length > 60 ? `${part.slice(0, 40)}… (${part.length})` : part;
}

/** How much more of Envoy's CPU requests of twice the size take. */
async function cpuRatio(lab: MeshLab, envoy: number): Promise<number> {
  const cpu = async (size: number): Promise<number> => {
    const batch = Array.from({ length: 400 }, () => ({
      ...({
        host: "near",
        port: 80,
        http2: false,
        method: "GET",
        headers: [["host", "shop.example"]],
        body: 0,
      } as const),
      path: `/${"a".repeat(size)}/.`,
    }));
    const before = ticks(envoy);
    await send(lab, batch);
    return ticks(envoy) - before;
  };
  await cpu(1_000);
  const one = await cpu(25_000);
  return (await cpu(50_000)) / Math.max(one, 1);
}

/** CPU time of a process, proc_pid_stat(5). */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
