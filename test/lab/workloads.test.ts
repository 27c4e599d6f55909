import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabStatus, LabPodStatus } from "../../deploy/lab/control/status-protocol.ts";
import { describePrivileged } from "../support/privileges.ts";
import { TestLab } from "./lab-fixture.ts";

/** A path that does not exist, below a folder that exists on every machine. */
const BASE = `/srv/ambit-lab-${process.pid}`;
const MOUNT = `${BASE}/config`;

const CONFIG = (greeting: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: shop }
data: { GREETING: "${greeting}", app.conf: "greeting=${greeting}\\n" }
`;

const OBJECTS = `
{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }
---
apiVersion: v1
kind: Secret
metadata: { name: login, namespace: shop }
data: { user: YWRtaW4= }
stringData: { password: "s3cret" }
---
apiVersion: v1
kind: Pod
metadata: { name: app, namespace: shop }
spec:
  volumes:
    - { name: config, configMap: { name: settings } }
    - { name: one, secret: { secretName: login, defaultMode: 256, items: [{ key: password, path: deep/word }] } }
    - { name: scratch, emptyDir: {} }
  initContainers:
    - name: first
      command: [sh, -c, "echo first >> ${BASE}/scratch/order"]
      volumeMounts: [{ name: scratch, mountPath: ${BASE}/scratch }]
    - name: second
      command: [sh, -c, "echo second >> ${BASE}/scratch/order"]
      volumeMounts: [{ name: scratch, mountPath: ${BASE}/scratch }]
  containers:
    - name: app
      command: [sleep, infinity]
      env:
        - { name: USER_NAME, valueFrom: { secretKeyRef: { name: login, key: user } } }
        - { name: MISSING, valueFrom: { configMapKeyRef: { name: settings, key: none, optional: true } } }
        - { name: BOTH, value: "$(SET_GREETING) $(USER_NAME)" }
      envFrom: [{ prefix: SET_, configMapRef: { name: settings } }]
      volumeMounts:
        - { name: config, mountPath: ${MOUNT} }
        - { name: config, mountPath: ${MOUNT}.file, subPath: app.conf }
        - { name: one, mountPath: ${BASE}/secret }
        - { name: scratch, mountPath: ${BASE}/scratch }
---
apiVersion: v1
kind: Pod
metadata: { name: sick, namespace: shop }
spec:
  containers:
    - name: app
      command: [sh, -c, "touch /tmp/ambit-sick-${process.pid}; sleep infinity"]
      startupProbe: { exec: { command: ["true"] }, periodSeconds: 1 }
      livenessProbe: { exec: { command: [test, -e, /tmp/ambit-sick-${process.pid}] }, periodSeconds: 1, failureThreshold: 1 }
---
{ apiVersion: v1, kind: Service, metadata: { name: db, namespace: shop }, spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80 }] } }
---
apiVersion: batch/v1
kind: Job
metadata: { name: count, namespace: shop }
spec:
  completions: 2
  parallelism: 2
  template: { spec: { restartPolicy: Never, containers: [{ name: c, command: ["true"] }] } }
`;

const STATEFUL_SET = (replicas: number): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  replicas: ${replicas}
  serviceName: db
  selector: { matchLabels: { app: db } }
  volumeClaimTemplates: [{ metadata: { name: data }, spec: {} }]
  template:
    metadata: { labels: { app: db } }
    spec:
      containers:
        - name: db
          command: [sh, -c, "hostname >> ${BASE}/data/starts; sleep infinity"]
          readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 }
          volumeMounts: [{ name: data, mountPath: ${BASE}/data }]
`;

/** A mount below a path that is a file on every machine. */
const POD_BELOW_A_FILE = `
apiVersion: v1
kind: Pod
metadata: { name: below, namespace: shop }
spec:
  volumes: [{ name: scratch }]
  containers:
    - { name: c, command: [sleep, infinity], volumeMounts: [{ name: scratch, mountPath: /etc/passwd/x }] }
`;

const LOST_JOB = (script: string): string => `
apiVersion: batch/v1
kind: Job
metadata: { name: lost, namespace: shop }
spec:
  backoffLimit: 0
  template: { spec: { restartPolicy: OnFailure, containers: [{ name: c, command: [sh, -c, "${script}"] }] } }
`;

describePrivileged("workloads of a lab", () => {
  const lab = new TestLab({ "all.yaml": OBJECTS, "config.yaml": CONFIG("hello"), "db.yaml": STATEFUL_SET(2) });
  const podNamed = ({ pods }: LabStatus, name: string): LabPodStatus | undefined =>
    pods.find((pod) => pod.name === name);
  const read = async (pod: string, path: string): Promise<string> =>
    (await lab.exec(`shop/${pod}`, "cat", join(MOUNT, path))).stdout;

  beforeAll(async () => {
    const { code, stderr } = await lab.up();
    expect(stderr).not.toContain("warning");
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  });
  afterAll(async () => {
    await lab.remove();
    rmSync(`/tmp/ambit-sick-${process.pid}`, { force: true });
    expect(existsSync(BASE)).toBe(false);
  });

  test("ConfigMaps and Secrets are variables and files, and files follow their object", async () => {
    const { stdout } = await lab.exec("shop/app", "sh", "-c", 'echo "$BOTH|${MISSING-unset}"');
    expect(stdout).toBe("hello admin|unset\n");
    expect(await read("app", "app.conf")).toBe("greeting=hello\n");
    expect(await read("app", "../config.file")).toBe("greeting=hello\n");
    expect(await read("app", "../secret/deep/word")).toBe("s3cret");
    expect((await lab.exec("shop/app", "stat", "-Lc", "%a", join(BASE, "secret/deep/word"))).stdout).toBe("400\n");
    expect((await lab.exec("shop/app", "touch", join(MOUNT, "x"))).code).not.toBe(0);
    lab.write("config.yaml", CONFIG("bye"));
    await expect.poll(() => read("app", "app.conf")).toBe("greeting=bye\n");
  });

  test("init containers run one after the other, before the application", async () => {
    expect(await read("app", "../scratch/order")).toBe("first\nsecond\n");
  });

  test("a container whose liveness probe fails is started anew", async () => {
    const restarts = (status: LabStatus): number => podNamed(status, "sick")?.containers[0]?.restarts ?? 0;
    // On a busy machine an earlier probe may have timed out.
    const before = restarts(await lab.status());
    rmSync(`/tmp/ambit-sick-${process.pid}`);
    const after = await lab.until((status) => restarts(status) > before);
    expect(podNamed(after, "sick")?.phase).toBe("Running");
  });

  test("a StatefulSet's pods keep their names and their claims", async () => {
    expect((await lab.exec("shop/app", "getent", "hosts", "db-1.db")).stdout).toContain(
      podNamed(await lab.status(), "db-1")?.ip,
    );
    lab.write("db.yaml", STATEFUL_SET(1));
    await lab.until((status) => podNamed(status, "db-1") === undefined);
    lab.write("db.yaml", STATEFUL_SET(2));
    await lab.until((status) => podNamed(status, "db-1")?.ready === true);
    expect(await read("db-1", "../data/starts")).toBe("db-1\ndb-1\n");
    expect(await read("db-0", "../data/starts")).toBe("db-0\n");
  });

  test("a Job runs until as many pods as it wants have succeeded", async () => {
    const { pods } = await lab.until(({ pods: all }) => all.filter(({ phase }) => phase === "Succeeded").length === 2);
    expect(pods.filter(({ name }) => name.startsWith("count-")).map(({ phase }) => phase)).toEqual([
      "Succeeded",
      "Succeeded",
    ]);
  });

  test("what a container lacks is said, and waited for", async () => {
    lab.write(
      "late.yaml",
      "{ apiVersion: v1, kind: Pod, metadata: { name: late, namespace: shop }, spec: { containers: [{ name: c, command: [sleep, infinity], envFrom: [{ secretRef: { name: later } }] }] } }",
    );
    const waits = await lab.until((status) => podNamed(status, "late")?.reason.includes("later") === true);
    expect(podNamed(waits, "late")?.reason).toContain("CreateContainerConfigError: there is no Secret later");
    lab.write("later.yaml", "{ apiVersion: v1, kind: Secret, metadata: { name: later, namespace: shop } }");
    await lab.until((status) => podNamed(status, "late")?.ready === true);
  });

  test("a container that cannot be made says why, and takes nothing else with it", async () => {
    lab.write("file.yaml", POD_BELOW_A_FILE);
    const waits = await lab.until(
      (status) => podNamed(status, "below")?.reason.includes("CreateContainerError") === true,
    );
    expect(podNamed(waits, "below")?.reason).toMatch(/CreateContainerError: .*ENOTDIR/u);
    expect(podNamed(waits, "app")?.ready).toBe(true);
    rmSync(join(lab.manifests, "file.yaml"));
    await lab.until((status) => podNamed(status, "below") === undefined);
  });

  test("a Job whose pod was started again too often has failed for good, until it changes", async () => {
    lab.write("lost.yaml", LOST_JOB("exit 1"));
    const lostPods = ({ pods }: LabStatus): readonly LabPodStatus[] =>
      pods.filter(({ name }) => name.startsWith("lost-"));
    const failed = await lab.until((status) => status.failed && lostPods(status).length === 0);
    expect(failed.waitingFor.join()).toContain("Job shop/lost: BackoffLimitExceeded: 1 failed, and backoffLimit is 0");
    expect((await lab.run("get", ["job/lost", "-n", "shop"])).stdout).toMatch(/lost +Failed +0\/1/u);
    // Another change causes another step. The Job must not begin again.
    lab.write("other.yaml", "{ apiVersion: v1, kind: ConfigMap, metadata: { name: other, namespace: shop } }");
    await expect.poll(async () => (await lab.run("get", ["cm/other", "-n", "shop"])).code).toBe(0);
    const after = await lab.status();
    expect({ failed: after.failed, pods: lostPods(after) }).toEqual({ failed: true, pods: [] });
    lab.write("lost.yaml", LOST_JOB("exit 0"));
    const anew = await lab.until((status) => lostPods(status).some(({ phase }) => phase === "Succeeded"));
    expect(anew.failed).toBe(false);
    rmSync(join(lab.manifests, "lost.yaml"));
    await lab.until((status) => lostPods(status).length === 0);
  });

  test("'get' shows what kubectl would", async () => {
    const get = async (...args: string[]): Promise<string> => (await lab.run("get", args)).stdout;
    expect(await get("pods", "-n", "shop", "-l", "app=db")).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE\ndb-0 +1\/1 +Running +0 +\d+[sm]\ndb-1 +1\/1 +Running +0 +\d+[sm]\n$/u,
    );
    expect(await get("sts", "-A")).toMatch(/^NAMESPACE +NAME +READY +AGE\nshop +db +2\/2 /u);
    expect(await get("job", "-n", "shop")).toMatch(/count +Complete +2\/2/u);
    expect(await get("secret/login", "-n", "shop")).toMatch(/NAME +DATA +AGE\nlogin +2 /u);
    expect(await get("svc", "db", "-n", "shop", "-o", "name")).toBe("service/db\n");
    expect(JSON.parse(await get("cm/settings", "-n", "shop", "-o", "json"))).toMatchObject({ kind: "ConfigMap" });
    expect(await get("nodes", "-o", "wide")).toMatch(/node-1 +Ready/u);
    const nothing = await lab.run("get", ["deploy"]);
    expect([nothing.code, nothing.stderr]).toEqual([0, "No resources found in default namespace.\n"]);
    const lost = await lab.run("get", ["po/lost"]);
    expect([lost.code, lost.stderr]).toEqual([1, 'Error from server (NotFound): pods "lost" not found\n']);
  });

  test("status tells what pods take of the machine", async () => {
    const { pods } = await lab.status();
    expect(pods.find(({ name }) => name === "app")?.usage?.memoryBytes).toBeGreaterThan(100_000);
  });
});
