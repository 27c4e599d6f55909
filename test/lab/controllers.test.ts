import { expect, test } from "vitest";
import { boundingSet, capabilityName } from "../../deploy/lab/pod-spec/capabilities.ts";
import { ClusterIPs } from "../../deploy/lab/services/cluster-ips.ts";
import { expand } from "../../deploy/lab/pods/container-env.ts";
import { nextStep, type OwnedPod } from "../../deploy/lab/workloads/deployment.ts";
import { readDesired, type Desired } from "../../deploy/lab/cluster/desired.ts";
import { nextJobStep, type JobPlan, type JobPod } from "../../deploy/lab/workloads/job.ts";
import { nextStatefulStep, type OrdinalPod } from "../../deploy/lab/workloads/stateful-set.ts";
import { DnsZone } from "../../deploy/lab/dns/dns-zone.ts";
import { isEnrolled } from "../../agent/model/enrollment.ts";
import { EnrollmentOverrides } from "../../deploy/lab/cluster/enrollment-overrides.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import { printProblem } from "../../agent/model/problem.ts";

function desired(text: string): Desired {
  return readDesired(parseManifest("a.yaml", 0, text).objects);
}

test("variables are replaced as Kubernetes replaces them", () => {
  const env = new Map([
    ["A", "1"],
    ["B", "$(A)"],
  ]);
  expect(expand("$(A) $(B) $(C) $$(A) $A $(", env)).toBe("1 $(A) $(C) $(A) $A $(");
});

test("capabilities: containerd's default, changed by add and drop", () => {
  expect(capabilityName("CAP_NET_ADMIN")).toBe("net_admin");
  expect(capabilityName("FLY")).toBeUndefined();
  expect(boundingSet(["net_admin"], ["all"])).toBe("-all,+net_admin");
  expect(boundingSet(["all"], ["net_raw"])).toBe("+all,-net_raw");
  expect(boundingSet([], ["net_raw"]).split(",")).not.toContain("+net_raw");
});

const pod = (revision: string, ready = true, age = 0): OwnedPod => ({
  revision,
  ready,
  createdAt: new Date(1e9 - age),
});

test.each([
  ["scales up at once", 3, "RollingUpdate", [pod("new")], 0, { create: 2, remove: 0 }],
  ["scales down, the unready first", 1, "RollingUpdate", [pod("new"), pod("new", false)], 0, { create: 0, remove: 1 }],
  ["starts one more for a new template", 2, "RollingUpdate", [pod("old"), pod("old")], 0, { create: 1, remove: 0 }],
  ["waits for it", 2, "RollingUpdate", [pod("old"), pod("old"), pod("new", false)], 0, { create: 0, remove: 0 }],
  ["goes on when it is ready", 2, "RollingUpdate", [pod("old"), pod("old"), pod("new")], 1, { create: 1, remove: 1 }],
  ["spares no pod that never was ready", 1, "RollingUpdate", [pod("old", false)], 0, { create: 1, remove: 1 }],
  ["recreates: ends all first", 2, "Recreate", [pod("old"), pod("old")], 0, { create: 0, remove: 2 }],
  ["recreates: waits for their end", 2, "Recreate", [], 2, { create: 0, remove: 0 }],
  ["recreates: then starts", 2, "Recreate", [], 0, { create: 2, remove: 0 }],
] as const)("a Deployment %s", (_, replicas, strategy, pods, leaving, wanted) => {
  const [plan] = desired(DEPLOYMENT).deployments;
  if (plan === undefined) throw new Error("the deployment cannot be read");
  const step = nextStep({ ...plan, replicas, strategy, template: { ...plan.template, hash: "new" } }, pods, leaving);
  expect({ create: step.create, remove: step.remove.length }).toEqual(wanted);
});

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c, command: [x] }] } }
`;

test("what the lab does not do is named by its field", () => {
  const { problems, rejected } = desired(`
apiVersion: v1
kind: Pod
metadata: { name: p }
spec:
  volumes: [{ name: v, hostPath: { path: / } }]
  hostAliases: [{ ip: 10.0.0.1, hostnames: [a] }]
  initContainers: [{ name: i, image: i, command: [x] }]
  containers:
    - { name: c, image: i, command: [x], lifecycle: { preStop: {} }, resources: { limits: { cpu: 1 } } }
    - { name: d, image: i }
---
{ apiVersion: apps/v1, kind: DaemonSet, metadata: { name: s }, spec: {} }
---
{ apiVersion: v1, kind: Secret, metadata: { name: s }, data: { a: "no base64!" } }
`);
  expect(
    problems
      .map(printProblem)
      .map(({ severity, object, field }) => `${severity} ${object} ${field}`)
      .sort(),
  ).toEqual([
    "error Pod default/p spec.containers[1].command",
    "error Secret default/s data.a",
    "warning DaemonSet default/s kind",
    "warning Pod default/p spec.containers[0].image",
    "warning Pod default/p spec.containers[0].lifecycle",
    "warning Pod default/p spec.containers[0].resources",
    "warning Pod default/p spec.containers[1].image",
    "warning Pod default/p spec.hostAliases",
    "warning Pod default/p spec.initContainers[0].image",
    "warning Pod default/p spec.volumes[0].hostPath",
  ]);
  expect(rejected).toHaveLength(1);
});

const STATEFUL_SET = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  replicas: 3
  serviceName: db
  selector: { matchLabels: { app: db } }
  template: { metadata: { labels: { app: db } }, spec: { containers: [{ name: c, command: [x] }] } }
`;

const ordinal = (index: number, revision = "new", ready = true, stopping = false): OrdinalPod => ({
  ...{ name: `db-${index}`, revision, ready, stopping },
});

test.each([
  ["begins with the first", 3, [], { create: [0], remove: [] }],
  ["waits for it to be ready", 3, [ordinal(0, "new", false)], { create: [], remove: [] }],
  ["goes on", 3, [ordinal(0)], { create: [1], remove: [] }],
  ["fills a gap first", 3, [ordinal(0), ordinal(2)], { create: [1], remove: [] }],
  ["waits until a name is free", 2, [ordinal(0), ordinal(1, "new", false, true)], { create: [], remove: [] }],
  ["removes the last first", 1, [ordinal(0), ordinal(1), ordinal(2)], { create: [], remove: ["db-2"] }],
  ["renews the last first", 2, [ordinal(0, "old"), ordinal(1, "old")], { create: [], remove: ["db-1"] }],
  ["then the one before", 2, [ordinal(0, "old"), ordinal(1)], { create: [], remove: ["db-0"] }],
  ["renews one that is stuck", 2, [ordinal(0), ordinal(1, "old", false)], { create: [], remove: ["db-1"] }],
] as const)("a StatefulSet %s", (_, replicas, pods, wanted) => {
  const [plan] = desired(STATEFUL_SET).statefulSets;
  if (plan === undefined) throw new Error("the stateful set cannot be read");
  const step = nextStatefulStep({ ...plan, replicas, template: { ...plan.template, hash: "new" } }, pods);
  expect({ create: step.create, remove: step.remove.map(({ name }) => name) }).toEqual(wanted);
});

const jobPod = (phase: JobPod["phase"], restarts = 0, age = 0): JobPod => ({
  ...{ revision: "new", phase, restarts, stopping: false },
  createdAt: new Date(1e9 - age),
});

const JOB = (spec: string): string => `
apiVersion: batch/v1
kind: Job
metadata: { name: j }
spec: { ${spec}, backoffLimit: 1, template: { spec: { restartPolicy: Never, containers: [{ name: c, command: [x] }] } } }
`;

function job(spec: string, hash = "new"): JobPlan {
  const [plan] = desired(JOB(spec)).jobs;
  if (plan === undefined) throw new Error("the job cannot be read");
  return { ...plan, template: { ...plan.template, hash } };
}

test.each([
  ["starts as many as it may", [], { create: 2, remove: 0, failed: false }],
  ["starts the next", [jobPod("Succeeded"), jobPod("Running")], { create: 1, remove: 0, failed: false }],
  ["tries again", [jobPod("Failed"), jobPod("Running")], { create: 1, remove: 0, failed: false }],
  [
    "is through",
    [jobPod("Succeeded"), jobPod("Succeeded"), jobPod("Succeeded")],
    { create: 0, remove: 0, failed: false },
  ],
  ["gives up", [jobPod("Failed"), jobPod("Failed"), jobPod("Running")], { create: 0, remove: 1, failed: true }],
  ["counts restarts, too", [jobPod("Running", 2)], { create: 0, remove: 1, failed: true }],
] as const)("a Job %s", (_, pods, wanted) => {
  const { create, remove, failure } = nextJobStep(job("completions: 3, parallelism: 2"), pods);
  expect({ create, remove: remove.length, failed: failure !== undefined }).toEqual(wanted);
});

test("a Job that has failed stays so, until its template changes", () => {
  const { failure } = nextJobStep(job("completions: 1"), [jobPod("Running", 2)]);
  const leaving = { ...jobPod("Running", 2), stopping: true };
  for (const pods of [[leaving], []]) {
    expect(nextJobStep(job("completions: 1"), pods, failure)).toEqual({ create: 0, remove: [], failure });
  }
  const changed = nextJobStep(job("completions: 1", "newer"), [leaving], failure);
  expect(changed).toEqual({ create: 1, remove: [], failure: undefined });
});

test("a Job of which less may run ends its newest pods; one that may run nothing is not through", () => {
  const pods = [jobPod("Running", 0, 1), jobPod("Running", 0, 3), jobPod("Running", 0, 2)];
  const step = (spec: string) => nextJobStep(job(spec), pods).remove.map((each) => pods.indexOf(each));
  expect(step("completions: 9, parallelism: 3")).toEqual([]);
  expect(step("completions: 9, parallelism: 1")).toEqual([2, 0]);
  expect(step("completions: 9, parallelism: 0")).toEqual([1, 2, 0]);
  expect(nextJobStep(job("parallelism: 0"), [])).toEqual({ create: 0, remove: [], failure: undefined });
  expect(job("parallelism: 0").completions).toBe(1);
});

test("a Service keeps its addresses, and none is given twice", () => {
  const ips = new ClusterIPs();
  const service = (name: string, spec = ""): string =>
    `---\n{ apiVersion: v1, kind: Service, metadata: { name: ${name} }, spec: { ${spec} ports: [{ port: 80 }] } }\n`;
  const assign = (...texts: string[]): Record<string, readonly string[]> =>
    Object.fromEntries(ips.assign(desired(texts.join("")).services));
  const first = assign(service("b"));
  expect(first).toEqual({ "default/b": ["10.96.0.20"] });
  expect(assign(service("a"), service("b"), service("c", "clusterIP: 10.96.0.22,"), service("d"))).toEqual({
    "default/a": ["10.96.0.21"],
    "default/b": ["10.96.0.20"],
    "default/c": ["10.96.0.22"],
    "default/d": ["10.96.0.23"],
  });
  expect(assign(service("h", "clusterIP: None,"))).toEqual({ "default/h": [] });
});

test("a Service does not get the address of a Service of another namespace by asking for it", () => {
  const ips = new ClusterIPs();
  const service = (namespace: string, name: string, spec = ""): string =>
    `---\n{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: ${namespace} }, spec: { ${spec} ports: [{ port: 80 }] } }\n`;
  const assign = (...texts: string[]): Record<string, readonly string[]> =>
    Object.fromEntries(ips.assign(desired(texts.join("")).services));
  const web = service("shop", "web");
  const grab = service("evil", "web", "clusterIP: 10.96.0.20,");
  assign(web);
  expect(assign(grab, web)).toEqual({ "evil/web": [], "shop/web": ["10.96.0.20"] });
  expect(ips.refused).toMatchObject([{ service: { namespace: "evil", name: "web" }, address: "10.96.0.20" }]);
  // Once it is free, who asks gets it.
  expect(assign(grab)).toEqual({ "evil/web": ["10.96.0.20"] });
  expect(assign(grab, web)).toEqual({ "evil/web": ["10.96.0.20"], "shop/web": ["10.96.0.21"] });
  const two = service("evil", "two", "clusterIP: 10.96.0.20,");
  expect(assign(grab, two)["evil/two"]).toEqual(["10.96.0.20"]);
});

test("a name server says no at once, and aliases in a circle end", () => {
  const service = (name: string, addresses: readonly string[], alias?: string) => ({
    ...{ namespace: "shop", name, addresses, alias, hosts: [], ports: [] },
  });
  const zone = new DnsZone([
    service("web", ["10.96.0.20", "fd00::1"]),
    service("one", [], "two.shop.svc.cluster.local"),
    service("two", [], "one.shop.svc.cluster.local."),
  ]);
  const ask = (name: string, type: "A" | "AAAA" | "MX" = "A"): string => {
    const { rcode, answers } = zone.answer({ name, type });
    return `${rcode} ${(answers ?? []).length}`;
  };
  expect(ask("web.shop.svc.cluster.local")).toBe("NOERROR 1");
  expect(ask("Web.Shop.svc.cluster.local.", "AAAA")).toBe("NOERROR 1");
  expect(ask("web.shop.svc.cluster.local", "MX")).toBe("NOERROR 0");
  expect(ask("web.other.svc.cluster.local")).toBe("NXDOMAIN 0");
  expect(ask("web")).toBe("NXDOMAIN 0");
  expect(ask("one.shop.svc.cluster.local")).toMatch(/^NOERROR \d$/);
});

test("what 'enroll' said counts until the label itself changes", () => {
  const enrollment = new EnrollmentOverrides();
  const label = (value: string): Record<string, string> => ({ "ambit.dev/dataplane-mode": value });
  enrollment.set("shop", true, {});
  expect(isEnrolled({}, enrollment.labels("shop", {}))).toBe(true);
  expect(isEnrolled(label("none"), enrollment.labels("shop", {}))).toBe(false);
  enrollment.set("shop/web", false, {});
  expect(isEnrolled(enrollment.labels("shop/web", {}), enrollment.labels("shop", {}))).toBe(false);
  expect(isEnrolled({}, enrollment.labels("shop", label("none")))).toBe(false);
  expect(isEnrolled({}, enrollment.labels("shop", {}))).toBe(false);
});
