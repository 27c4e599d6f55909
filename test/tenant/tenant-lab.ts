import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../agent/lib/errors.ts";
import { Caller, type OneCall, type Outcome } from "../mesh/callers.ts";
import { MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { metricsOf } from "./victim-metrics.ts";
import { TENANT } from "./tenant-objects.ts";
import { VICTIM_PODS, VICTIM_SERVICE_IPS } from "./victims.ts";

/** What is done to the mesh while a set is there. Envoy's calls end with it; nothing else is any excuse. */
export type Disturbance = "none" | "agent" | "envoy" | "pod";

/** A kind of call that others make all the time, and what must come of it. */
interface Stream {
  readonly name: string;
  readonly from: string;
  readonly call: (at: Addresses) => OneCall;
  readonly expected: "answered" | "denied" | "refused";
  /** Its proxies: while one of them is replaced, the call may fail. */
  readonly nodes: readonly string[];
}

type Addresses = (what: string) => string;

const STRANGERS = ["outside/stranger", "outside/far-stranger"] as const;
const TENANT_PODS = [`${TENANT}/${TENANT}`, `${TENANT}/evil`] as const;

const STREAMS: readonly Stream[] = [
  http("near", "shop/client", "web", "/items/1", "answered", ["node-1"]),
  http("near, denied", "shop/client", "web", "/admin", "denied", ["node-1"]),
  http("near, another caller", "shop/other", "web", "/items/1", "denied", ["node-1"]),
  http("far", "shop/client", "far", "/items/1", "answered", ["node-1", "node-2"]),
  http("far, denied", "shop/other", "far", "/items/1", "denied", ["node-1", "node-2"]),
  tcp("near, TCP", "shop/client", "web", "answered", ["node-1"]),
  tcp("far, TCP", "shop/client", "far", "answered", ["node-1", "node-2"]),
  tcp("near, TCP, another caller", "shop/other", "web", "refused", ["node-1"]),
  ...STRANGERS.flatMap((from) =>
    ["web", "far"].flatMap((to) => [
      http(`${from} to ${to}`, from, to, "/items/1", "refused", ["node-1", "node-2"]),
      tcp(`${from} to ${to}, TCP`, from, to, "refused", ["node-1", "node-2"]),
    ]),
  ),
];

function http(
  name: string,
  from: string,
  to: string,
  path: string,
  expected: Stream["expected"],
  nodes: readonly string[],
): Stream {
  // By the pod's own address, too: that is where another's objects reach first.
  return {
    name,
    from,
    expected,
    nodes,
    call: (at) => ({ address: at(to), port: 8080, method: "GET", path, headers: ["Host", "web"] }),
  };
}

function tcp(name: string, from: string, to: string, expected: Stream["expected"], nodes: readonly string[]): Stream {
  return { name, from, expected, nodes, call: (at) => ({ address: at(to), port: 9000 }) };
}

/** Envoy is back within that time, and so are the pods of its node. */
const RECOVERY_MS = 60_000;
const PAUSE_MS = 50;
/** So long strangers try a new pod: it is captured before. */
const NEW_POD_MS = 2_000;

interface Seen {
  readonly at: number;
  readonly stream: Stream;
  readonly outcome: Outcome;
}

/**
 * A lab of two nodes with tenants who call each other all the time, strangers who try the pods that must refuse them, and a
 * namespace that anybody may fill.
 */
export class TenantLab {
  readonly lab: MeshLab;
  /** Calls that came out as they must. */
  right = 0;
  readonly failures: string[] = [];
  readonly #callers = new Map<string, Caller>();
  readonly #excuses: { readonly from: number; until: number }[] = [];
  #addresses = new Map<string, string>();
  #metrics: ReadonlySet<string> = new Set();
  #stopped = false;
  #set = "before all sets";
  readonly #loops: Promise<void>[] = [];

  constructor(area: string) {
    this.lab = new MeshLab(area);
  }

  async up(): Promise<void> {
    const { lab } = this;
    lab.write("victims.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "client", "node-1"),
      pod("shop", "other", "node-1"),
      pod("shop", "web", "node-1", { server: true, labels: { guarded: "yes" } }),
      pod("shop", "far", "node-2", { server: true, labels: { guarded: "yes" } }),
      ...STRANGERS.map((name, index) => pod("outside", name.slice("outside/".length), `node-${index + 1}`)),
      service("shop", "web", { app: "web" }),
      service("shop", "far", { app: "far" }),
      policy("PeerAuthentication", "strict", { mtls: { mode: "STRICT" } }),
      policy("AuthorizationPolicy", "client", {
        selector: { matchLabels: { guarded: "yes" } },
        rules: [
          {
            from: [{ source: { principals: ["cluster.local/ns/shop/sa/client"] } }],
            to: [{ operation: { paths: ["/items*"] } }],
          },
          {
            from: [{ source: { principals: ["cluster.local/ns/shop/sa/client"] } }],
            to: [{ operation: { ports: ["9000"] } }],
          },
        ],
      }),
    ]);
    lab.write("extra.yaml", this.#extra(0));
    lab.write("tenant.yaml", this.#tenant([]));
    await lab.up();
    await this.#readAddresses();
    const callers = new Set([...STREAMS.map(({ from }) => from), ...TENANT_PODS]);
    for (const from of callers) this.#callers.set(from, new Caller(lab, from));
    await this.#untilRight();
    this.#metrics = await this.#readMetrics();
    for (const stream of STREAMS) this.#loops.push(this.#loop(stream));
  }

  async down(): Promise<void> {
    this.#stopped = true;
    for (const caller of this.#callers.values()) caller.end();
    await Promise.race([Promise.all(this.#loops), sleep(15_000)]);
    await this.lab.down();
  }

  /** The tenant writes these objects, something happens to the mesh meanwhile, and calls are watched. */
  async attack(index: number, objects: readonly unknown[], disturbance: Disturbance, watchMs: number): Promise<void> {
    const { lab } = this;
    const before = this.failures.length;
    this.#set = `set ${index}, ${disturbance === "none" ? "undisturbed" : `with a new ${disturbance}`}`;
    const aimed = this.#aim(objects);
    lab.write("tenant.yaml", this.#tenant(aimed));
    const node = index % 2 === 0 ? "node-1" : "node-2";
    if (disturbance === "agent") await lab.replaceAgents(node);
    if (disturbance === "envoy") await this.#excused(() => this.#replaceEnvoy(node));
    if (disturbance === "pod") await this.#replacePod(index);
    await sleep(watchMs);
    const metrics = await this.#readMetrics();
    for (const series of metrics) {
      if (!this.#metrics.has(series) && !series.includes("=extra-")) this.#fail(`a series has come: ${series}`);
    }
    await this.#lookAtTenant();
    if (this.failures.length > before) this.failures.push(`  ${this.#set} was ${JSON.stringify(aimed)}`);
  }

  /** Everything is as it was when the tenant's objects have gone. */
  async calm(): Promise<void> {
    this.#set = "after all sets";
    this.lab.write("tenant.yaml", this.#tenant([]));
    await this.#untilRight();
  }

  async #untilRight(): Promise<void> {
    let wrong: readonly string[] = [];
    await this.lab
      .until(
        "calls come out as they must",
        async () => {
          wrong = await this.#wrongNow();
          return wrong.length === 0;
        },
        RECOVERY_MS,
      )
      .catch(() => {
        throw new Error(`${this.#set}: not within ${RECOVERY_MS} ms: ${wrong.join("; ")}`);
      });
  }

  async #replaceEnvoy(node: string): Promise<void> {
    const old = await this.lab.kill(node, "envoyPid");
    await this.lab.until("another Envoy serves", async () => {
      const { nodes } = await this.lab.status();
      return nodes.every(
        ({ ready, envoyPid, name }) => ready && envoyPid !== null && (name !== node || envoyPid !== old),
      );
    });
    await this.#untilRight().catch((error: unknown) => this.#fail(messageOf(error)));
  }

  /** Pods of the victims that nobody but the strangers call come and go: no stranger may ever reach one. */
  async #replacePod(index: number): Promise<void> {
    const { lab } = this;
    lab.write("extra.yaml", this.#extra(index));
    const name = `extra-${index}`;
    const deadline = Date.now() + 10_000;
    let address = "";
    while (address === "") {
      if (Date.now() > deadline) return this.#fail(`the pod ${name} does not come up`);
      address = (await lab.status()).pods.find((each) => each.name === name)?.ip ?? "";
      await sleep(5);
    }
    const tries: readonly OneCall[] = [
      { address, port: 8080, method: "GET", path: "/items/1", headers: ["Host", "web"] },
      { address, port: 9000 },
    ];
    const began = Date.now();
    let tried = 0;
    let open = 0;
    let openUntil = 0;
    while (Date.now() < began + NEW_POD_MS) {
      const outcomes = await Promise.all(STRANGERS.flatMap((from) => tries.map((call) => this.#call(from, call))));
      const answered = outcomes.filter(({ status }) => status === 200).length;
      tried += outcomes.length;
      open += answered;
      if (answered > 0) openUntil = Date.now() - began;
    }
    if (open > 0)
      this.#fail(`${name} answered ${open} of ${tried} calls of strangers, the last one after ${openUntil} ms`);
  }

  async #excused(action: () => Promise<void>): Promise<void> {
    const excuse = { from: Date.now(), until: Infinity };
    this.#excuses.push(excuse);
    await action();
    excuse.until = Date.now();
  }

  async #loop(stream: Stream): Promise<void> {
    while (!this.#stopped) {
      const at = Date.now();
      const outcome = await this.#call(
        stream.from,
        stream.call((what) => this.#address(what)),
      );
      if (this.#stopped) return;
      this.#judge({ at, stream, outcome });
      await sleep(PAUSE_MS);
    }
  }

  #judge({ at, stream, outcome }: Seen): void {
    if (fits(stream, outcome)) {
      this.right++;
      return;
    }
    const failed = outcome.status === 0 || outcome.status >= 500;
    // Envoy's end breaks calls. It never answers what it would not have answered.
    if (failed && this.#excuses.some(({ from, until }) => at <= until + 2_000 && Date.now() >= from)) return;
    this.#fail(`${stream.name}: ${outcome.status} ${outcome.code ?? ""}, where it must be ${stream.expected}`);
  }

  #fail(text: string): void {
    if (this.failures.length < 100) this.failures.push(`${this.#set}: ${text}`);
  }

  async #wrongNow(): Promise<readonly string[]> {
    const wrong = await Promise.all(
      STREAMS.map(async (stream) => {
        const outcome = await this.#call(
          stream.from,
          stream.call((what) => this.#address(what)),
        );
        return fits(stream, outcome) ? [] : [`${stream.name}: ${outcome.status}`];
      }),
    );
    return wrong.flat();
  }

  /** The tenant's own servers have seen nothing of what others send. */
  async #lookAtTenant(): Promise<void> {
    for (const from of TENANT_PODS) {
      const ask = (path: string) => this.#ask(from, { address: "127.0.0.1", port: 8080, path });
      const paths = await ask("/paths");
      if (/items|admin/u.test(paths)) this.#fail(`${from} has got requests of others: ${paths}`);
      const accepted = Number(await ask("/accepted"));
      if (accepted > 0) this.#fail(`${from} has got ${accepted} connections of others`);
    }
  }

  async #call(from: string, call: OneCall): Promise<Outcome> {
    const caller = this.#callers.get(from);
    if (caller === undefined) throw new Error(`nobody calls from ${from}`);
    return caller.call(call);
  }

  async #ask(from: string, call: OneCall): Promise<string> {
    const { body } = await this.#call(from, { method: "GET", headers: ["Host", "x"], tell: true, ...call });
    return body ?? "";
  }

  #address(what: string): string {
    return this.#addresses.get(what) ?? "";
  }

  async #readAddresses(): Promise<void> {
    const { pods, services } = await this.lab.status();
    this.#addresses = new Map([
      ...pods.map(({ name, ip }) => [name, ip] as const),
      ...services.map(({ name, clusterIP }) => [`Service ${name}`, clusterIP] as const),
    ]);
  }

  async #readMetrics(): Promise<ReadonlySet<string>> {
    const { nodes } = await this.lab.status();
    const series = await Promise.all(
      nodes.map(async ({ metricsUrl }) => (metricsUrl === null ? [] : metricsOf(metricsUrl))),
    );
    return new Set(series.flat());
  }

  /** In place of the addresses of the victims that the generator knows, those of the lab. */
  #aim(objects: readonly unknown[]): readonly unknown[] {
    const pods = ["web", "far", "web", "far", "client", "other", "web", "stranger"];
    const real = new Map<string, string>([
      ...VICTIM_PODS.flatMap(({ addresses }, index) =>
        addresses.map((each) => [each, this.#address(pods[index] ?? "web")] as const),
      ),
      ...VICTIM_SERVICE_IPS.map(
        (each, index) => [each, this.#address(`Service ${index % 2 === 0 ? "web" : "far"}`)] as const,
      ),
      ["10.244.1.200", this.#address(TENANT)],
      ["10.244.2.200", this.#address("evil")],
    ]);
    const text = JSON.stringify(objects).replaceAll(/"[0-9a-f.:]+"/gu, (quoted) => {
      const address = real.get(quoted.slice(1, -1));
      return address === undefined || address === "" ? quoted : JSON.stringify(address);
    });
    return JSON.parse(text) as readonly unknown[];
  }

  /** The tenant's pods run all the time, so that others' calls can reach them. Everything else is as it is written. */
  #tenant(objects: readonly unknown[]): readonly unknown[] {
    const isPod = (object: unknown): boolean =>
      typeof object === "object" && object !== null && "kind" in object && object.kind === "Pod";
    const isNamespace = (object: unknown): boolean =>
      typeof object === "object" && object !== null && "kind" in object && object.kind === "Namespace";
    const written = objects.filter((object) => !isPod(object));
    return [
      ...(written.some(isNamespace) ? [] : [namespace(TENANT, false)]),
      pod(TENANT, TENANT, "node-1", { server: true }),
      pod(TENANT, "evil", "node-2", { server: true }),
      ...written.map((object) => JSON.parse(JSON.stringify(object)) as unknown),
    ];
  }

  #extra(index: number): readonly unknown[] {
    return [
      pod("shop", `extra-${index}`, index % 2 === 0 ? "node-1" : "node-2", {
        server: true,
        labels: { guarded: "yes" },
      }),
    ];
  }
}

function fits({ expected }: Stream, { status }: Outcome): boolean {
  switch (expected) {
    case "answered":
      return status === 200;
    case "denied":
      return status === 403;
    case "refused":
      return status === 0 || status === 403;
  }
}

function policy(kind: string, name: string, spec: unknown): unknown {
  return { apiVersion: "security.istio.io/v1", kind, metadata: { name, namespace: "shop" }, spec };
}
