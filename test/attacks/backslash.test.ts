import { createInterface } from "node:readline";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PrintedProblem } from "../../agent/model/problem.ts";
import { APPS, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { Requests } from "../mesh/requests.ts";
import { describePrivileged } from "../support/privileges.ts";

const policy = (ns: string, name: string, spec: Readonly<Record<string, unknown>>): unknown => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name, namespace: ns },
  spec,
});

const selector = (app: string) => ({ selector: { matchLabels: { app } } });

/** Refuses what bears the header, so that it shows when the filters have the configuration with this value. */
const marker = (ns: string, app: string, value: string): unknown =>
  policy(ns, "marker", {
    ...selector(app),
    action: "DENY",
    rules: [{ when: [{ key: "request.headers[x-marker]", values: [value] }] }],
  });

const SURROGATE = "\ud800";

/** Texts that a reader may stumble over. */
const TEXTS = [
  "CORP\\",
  "\\\\\\",
  '"',
  '\\"',
  '","notValues":["',
  "}]}]}",
  "\u0000",
  "a\u0000\\",
  SURROGATE,
  `${SURROGATE}\\`,
  "\udc00\ud800",
  "\u2028\u2029\ufeff",
  "😀\\",
  "\\u",
  "\\ud800",
  `${"x".repeat(100_000)}\\`,
];

/** Mallory's policies: every text in every place that takes text. Some of these no policy may have, and so they deny. */
function hostile(): readonly unknown[] {
  const own = selector("far");
  const sources = (text: string) => [{ source: { namespaces: [text] } }, { source: { principals: [`td/${text}`] } }];
  const rules = TEXTS.flatMap((text, index) => [
    policy("mallory", `whole-${index}`, {
      ...own,
      action: "DENY",
      rules: [
        {
          from: sources(text),
          to: [{ operation: { hosts: [text] } }, { operation: { paths: [`/${text}`], notHosts: [text] } }],
          when: [{ key: "request.headers[x-other]", values: [text], notValues: [text] }],
        },
      ],
    }),
    policy("mallory", `key-${index}`, {
      ...own,
      action: "DENY",
      rules: [{ when: [{ key: `request.auth.claims[${text}]`, values: [text] }] }],
    }),
  ]);
  return rules;
}

/** Values of which none is broken, so that the policies hold as they are written. */
const harmless = [
  policy("mallory", "harmless", {
    ...selector("near"),
    action: "DENY",
    rules: [{ from: [{ source: { namespaces: ["CORP\\", "\\", '"', "\\\\", SURROGATE, "😀\\", "\\u"] } }] }],
  }),
];

describePrivileged("policies whose values end in a backslash", () => {
  const lab = new MeshLab("backslash");
  const names = ["strict", "guarded"];
  const write = (file: string, objects: readonly unknown[]): void =>
    // JSON keeps every text as it is, lone surrogates, too.
    writeFileSync(join(lab.manifests, file), objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  const ask = async (to: string, ...headers: readonly string[]): Promise<number> =>
    (await lab.call(`${to.split(".")[1]}/client`, `http://${to}/`, ...headers)).status;
  const problems = async (): Promise<readonly PrintedProblem[]> => {
    const { stdout } = await lab.ambit("status", "--name", lab.name, "-o", "json");
    const { nodes } = JSON.parse(stdout) as { nodes: readonly { readonly problems?: readonly PrintedProblem[] }[] };
    return nodes.flatMap((node) => node.problems ?? []);
  };
  const servers = names.map((name) => pod("victim", name, "node-2", { server: true }));

  beforeAll(async () => {
    lab.write("base.yaml", [
      namespace("outside", false),
      pod("outside", "far", "node-1"),
      pod("outside", "near", "node-2"),
      namespace("victim", true),
      pod("victim", "client", "node-1"),
      ...names.map((name) => service("victim", name, { app: name })),
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "strict", namespace: "victim" },
        spec: { selector: { matchLabels: { app: "strict" } }, mtls: { mode: "STRICT" } },
      },
      policy("victim", "guarded", {
        ...selector("guarded"),
        rules: [{ from: [{ source: { serviceAccounts: ["client"] } }] }],
      }),
      namespace("mallory", true),
      pod("mallory", "client", "node-1"),
      ...["far", "near"].flatMap((name, index) => [
        pod("mallory", name, `node-${2 - index}`, { server: true }),
        service("mallory", name, { app: name }),
      ]),
    ]);
    lab.write("servers.yaml", servers);
    write("marker.yaml", [marker("victim", "strict", "before")]);
    await lab.up();
    await lab.until("the policies hold", async () => (await ask("strict.victim", "x-marker: before")) === 403);
  });
  afterAll(() => lab.down());

  it("hold as they are written, and change nothing for another namespace", async () => {
    const running = await Requests.start(lab, "victim/client", "http://guarded.victim/");
    write("mallory.yaml", [...harmless, ...hostile(), marker("mallory", "near", "CORP\\")]);
    await lab.until("Mallory's own policy holds", async () => (await ask("near.mallory", "x-marker: CORP\\")) === 403);
    expect(await ask("near.mallory", "x-marker: CORP")).toBe(200);
    write("marker.yaml", [marker("victim", "strict", "after\\")]);
    await lab.until(
      "the other's policy follows",
      async () => (await ask("strict.victim", "x-marker: after\\")) === 403,
    );
    await lab.until("on every worker", async () => (await ask("strict.victim", "x-marker: before")) === 200);
    expect(await running.finish()).toMatchObject({ failed: 0 });
    // Those that no policy may have are named, and nothing else is.
    const { stdout } = await lab.ambit("check", "--manifests", lab.manifests, "-o", "json");
    for (const named of [await problems(), (JSON.parse(stdout) as { problems: readonly PrintedProblem[] }).problems]) {
      const broken = new Set(named.filter(({ severity }) => severity === "error").map(({ object }) => object));
      expect(broken).toContain("AuthorizationPolicy mallory/whole-0");
      expect([...broken].filter((object) => !/mallory\/(?:whole|key)-\d+$/u.test(object))).toEqual([]);
    }
  });

  it("open no pod that is made anew beside them, and keep none from its listeners", async () => {
    const pods = async () => (await lab.status()).pods.filter(({ name }) => names.includes(name));
    const used = (await lab.status()).pods.filter(({ node }) => node === "node-2");
    const last = Math.max(...used.map(({ ip }) => Number(ip.split(".")[3])));
    const next = [last + 1, last + 2].map((number) => `10.244.2.${number}`);
    lab.remove("servers.yaml");
    await lab.until("the pods are gone", async () => (await pods()).length === 0);
    const hammers = ["outside/near", "outside/far"].map((from) => {
      const child = lab.start(from, process.execPath, join(APPS, "hammer.mjs"), ...next);
      if (child.stdout === null) throw new Error("its output is not read");
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
    });
    try {
      await Promise.all(hammers.map(({ lines }) => lines.next()));
      lab.write("servers.yaml", servers);
      await lab.until("the pods are in the mesh and ready", async () => {
        const all = await pods();
        return all.length === 2 && all.every(({ enrolled, ready, ip }) => enrolled && ready && next.includes(ip));
      });
      for (const name of names) {
        await lab.until(`${name} is called`, async () => (await ask(`${name}.victim`)) === 200);
      }
      expect(await ask("strict.victim", "x-marker: after\\")).toBe(403);
      lab.write("new.yaml", [
        pod("mallory", "new", "node-2", { server: true }),
        service("mallory", "new", { app: "new" }),
      ]);
      await lab.until("a new pod is called", async () => (await ask("new.mallory")) === 200);
      for (const { child, lines } of hammers) {
        child.stdin?.end();
        const { answers } = JSON.parse(String((await lines.next()).value)) as { answers: Record<string, number> };
        expect(Object.keys(answers)).not.toContain("200");
        expect(Object.keys(answers)).not.toContain("503");
        // The policy of the one pod answers.
        expect(Object.keys(answers)).toContain("403");
      }
    } finally {
      for (const { child } of hammers) child.kill();
    }
  });
});
