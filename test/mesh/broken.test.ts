import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PrintedProblem } from "../../agent/model/problem.ts";
import { CASES, GOOD } from "../sources/broken-cases.ts";
import { POLICY_CASES } from "../sources/broken-policy-cases.ts";
import { describePrivileged } from "../support/privileges.ts";
import { MeshLab, namespace, pod, service } from "./mesh-lab.ts";
import { Requests } from "./requests.ts";

const route = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: { name: "far", namespace: "store" },
  spec: {
    parentRefs: [{ group: "", kind: "Service", name: "far" }],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        filters: [
          { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-route", value: "far" }] } },
        ],
        backendRefs: [{ name: "far", port: 80 }],
      },
    ],
  },
};
const policy = {
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: "near", namespace: "store" },
  spec: {
    selector: { matchLabels: { app: "near" } },
    rules: [{ to: [{ operation: { methods: ["GET"], paths: ["/", "/open"] } }] }],
  },
};

/** One good object a file. */
const STORE: Readonly<Record<string, unknown>> = {
  "namespace.yaml": namespace("store", true),
  "client.yaml": pod("store", "client", "node-1"),
  "near.yaml": pod("store", "near", "node-1", { server: true }),
  "far.yaml": pod("store", "far", "node-2", { server: true }),
  "near-service.yaml": service("store", "near", { app: "near" }),
  "far-service.yaml": service("store", "far", { app: "far" }),
  "route.yaml": route,
  "policy.yaml": policy,
};

/** What each file is overwritten with, each broken in its own way. */
const BROKEN: Readonly<Record<string, string | Uint8Array>> = {
  "namespace.yaml": "{ apiVersion: v1, kind: Namespace, metadata: { name: store, labels: [ambient] } }",
  "client.yaml":
    "{ apiVersion: v1, kind: Pod, metadata: { name: client, namespace: store }, spec: { containers: none } }",
  "near.yaml": Uint8Array.from([0x6b, 0xff, 0xfe, 0x00]),
  "far.yaml": "",
  "near-service.yaml":
    "{ apiVersion: v1, kind: Service, metadata: { name: near, namespace: store }, spec: { ports: [{ port: 70000 }] } }",
  "far-service.yaml": "apiVersion: v1\nkind: Service\nmetadata: { name: far, namespace: store\nspec:\n\t- x",
  "route.yaml": JSON.stringify(route).replace("PathPrefix", "RegularExpression").replace('"/"', '"(?=x)"'),
  "policy.yaml": JSON.stringify(policy).replace("AuthorizationPolicy", "AuthorisationPolicy"),
};

/** Each case in a namespace of its own, beside the Service that it refers to, so that none takes another's name. */
const BESIDE = [...CASES, ...POLICY_CASES].map(([what, text, object, field], index) => {
  const own = (part: string): string =>
    part.replaceAll("shop", `shop-${index}`).replaceAll("10.96.0.9", `10.96.9.${index}`);
  return { what, file: `broken-${index}.yaml`, text: own(`${GOOD}---\n${text}\n`), object: own(object), field };
});

describePrivileged("a mesh whose manifests break under traffic", () => {
  const lab = new MeshLab("broken");
  const write = (file: string, content: string | Uint8Array): void => writeFileSync(join(lab.manifests, file), content);
  /** What the agents and the lab say. */
  const problems = async (): Promise<readonly PrintedProblem[]> => {
    const agents = await lab.ambit("status", "--name", lab.name, "-o", "json");
    const all = await lab.ambit("lab", "status", "--name", lab.name, "-o", "json");
    const { nodes } = JSON.parse(agents.stdout) as {
      nodes: readonly { readonly problems?: readonly PrintedProblem[] }[];
    };
    const { warnings } = JSON.parse(all.stdout) as { warnings: readonly PrintedProblem[] };
    return [...nodes.flatMap((node) => node.problems ?? []), ...warnings];
  };
  const nothingWrong = async (): Promise<boolean> =>
    (await problems()).every(({ severity, code }) => severity === "warning" && code !== "last-good-served");
  const load = (): Promise<Requests> => Requests.start(lab, "store/client", "http://near/", "http://far/");
  /** Route, policy and names are as they were written when they were good. */
  const expectGood = async (): Promise<void> => {
    expect((await lab.call("store/client", "http://far/")).headers["x-route"]).toBe("far");
    expect((await lab.call("store/client", "http://near/open")).status).toBe(200);
    expect((await lab.call("store/client", "http://near/closed")).status).toBe(403);
  };

  beforeAll(async () => {
    for (const [file, object] of Object.entries(STORE)) lab.write(file, [object]);
    await lab.up();
    await expectGood();
  });
  afterAll(() => lab.down());

  it(`serves the good ones while ${BESIDE.length} broken ones lie beside them, each of which is named`, async () => {
    const before = await lab.processes();
    const running = await load();
    for (const { file, text } of BESIDE) write(file, text);
    const unnamed = (named: readonly PrintedProblem[]): readonly string[] =>
      BESIDE.filter(
        ({ file, object, field }) =>
          !named.some(
            (problem) =>
              problem.origin.includes(`/${file}`) &&
              problem.object.startsWith(object) &&
              problem.field.startsWith(field) &&
              problem.reason !== "" &&
              problem.remedy !== "",
          ),
      ).map(({ what }) => what);
    await lab.until("all of them are named", async () => unnamed(await problems()).length === 0);
    await expectGood();
    const { sent, failed } = await running.finish();
    expect(failed).toBe(0);
    expect(sent).toBeGreaterThan(1_000);
    expect(await lab.processes()).toEqual(before);

    const check = await lab.ambit("check", lab.manifests, "-o", "json");
    expect(check.code).toBe(1);
    expect(unnamed((JSON.parse(check.stdout) as { problems: readonly PrintedProblem[] }).problems)).toEqual([]);
    for (const { file } of BESIDE) lab.remove(file);
    await lab.until("nothing is wrong", nothingWrong);
  });

  it("serves what worked when all of it is overwritten, and when agents start anew then", async () => {
    const running = await load();
    for (const [file, content] of Object.entries(BROKEN)) write(file, content);
    const held = async (): Promise<readonly string[]> => {
      const kept = (await problems()).filter(({ code }) => code === "last-good-served");
      return Object.keys(BROKEN).filter((file) => kept.some(({ origin }) => origin.includes(`/${file}`)));
    };
    await lab.until("each is held", async () => (await held()).length === Object.keys(BROKEN).length);
    await expectGood();
    await lab.replaceAgents("node-1", "node-2");
    await expectGood();
    const { sent, failed } = await running.finish();
    expect(failed).toBe(0);
    expect(sent).toBeGreaterThan(1_000);
    for (const [file, object] of Object.entries(STORE)) lab.write(file, [object]);
    await lab.until("nothing is wrong", nothingWrong);
    await expectGood();
  });
});
