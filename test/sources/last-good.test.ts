import { describe, expect, it } from "vitest";
import type { Mesh } from "../../agent/model/mesh.ts";
import { LastGood } from "../../agent/sources/last-good/last-good.ts";
import { objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import { printProblem } from "../../agent/model/problem.ts";

const service = (name: string, port: number | string = 80, more = ""): string =>
  `{ apiVersion: v1, kind: Service, metadata: { name: ${name}, namespace: shop }, spec: { ${more} ports: [{ port: ${port} }] } }\n`;
const route = (name: string, backend: string, port = 80, path = "/"): string =>
  `{ apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: { name: ${name}, namespace: shop }, spec: {
     parentRefs: [{ group: "", kind: Service, name: web }],
     rules: [{ matches: [{ path: { value: ${path} } }], backendRefs: [{ name: ${backend}, port: ${port} }] }] } }\n`;
const policy = (spec: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: { name: p, namespace: shop }, spec: ${spec} }\n`;

/** One agent's memory, shown one state of its folder after the other. */
class Follower {
  readonly #lastGood: LastGood;
  #seconds = 0;
  mesh: Mesh = objectsToMesh([]);
  held: readonly string[] = [];

  constructor(lastGood?: LastGood) {
    this.#lastGood = lastGood ?? new LastGood([], { now: () => Date.UTC(2026, 0, 1, 0, 0, this.#seconds++) });
  }

  /** An empty text is an empty file. */
  see(files: Readonly<Record<string, string>>): this {
    const parsed = Object.entries(files).map(([file, text]) => ({ file, text, ...parseManifest(file, 0, text) }));
    const faults = new Map(parsed.map(({ file, text, faults: count }) => [file, text === "" ? Infinity : count]));
    const objects = parsed.flatMap((each) => each.objects);
    const chosen = this.#lastGood.choose(objects, faults, (list) => objectsToMesh(list));
    this.mesh = { ...chosen.value, problems: [...parsed.flatMap((each) => each.problems), ...chosen.problems] };
    this.held = chosen.held.map(({ object, since }) => `${object.name} ${since.slice(-4)}`);
    return this;
  }

  get services(): readonly string[] {
    return this.mesh.services.map(({ meta, ports }) => `${meta.name}:${ports.map(({ port }) => port).join()}`);
  }

  get codes(): readonly string[] {
    return this.mesh.problems
      .map(printProblem)
      .map(({ object, code }) => `${object} ${code}`)
      .toSorted();
  }
}

describe("what worked before", () => {
  it("keeps its last good version while what is written has errors, and says so", () => {
    const follower = new Follower().see({ "a.yaml": service("web") });
    follower.see({ "a.yaml": service("web", 70_000) });
    expect(follower.services).toEqual(["web:80"]);
    expect(follower.codes).toEqual(["Service shop/web last-good-served", "Service shop/web out-of-range"]);
    expect(follower.mesh.problems.map(printProblem).find(({ code }) => code === "last-good-served")).toMatchObject({
      severity: "warning",
      origin: "a.yaml:1",
      reason: expect.stringContaining("of 2026-01-01T00:00:00Z, is served"),
    });
    follower.see({ "a.yaml": service("web", 70_001) }).see({ "a.yaml": service("web", 81) });
    expect(follower.services).toEqual(["web:81"]);
    expect(follower.mesh.problems).toEqual([]);
  });

  it("goes when it is removed, or its file is", () => {
    const follower = new Follower().see({
      "a.yaml": service("web") + "---\n" + service("other"),
      "b.yaml": service("b"),
    });
    follower.see({ "a.yaml": service("other"), "b.yaml": service("b") });
    expect(follower.services).toEqual(["b:80", "other:80"]);
    expect(follower.see({ "a.yaml": service("other") }).services).toEqual(["other:80"]);
    expect(follower.mesh.problems).toEqual([]);
  });

  for (const [what, text] of [
    ["a part that is no YAML", service("web") + "---\n{ kind: [\n"],
    ["a document that is no object", service("web") + "---\njust a text\n"],
    ["an object without a name", service("web") + "---\n{ apiVersion: v1, kind: Service }\n"],
    ["a kind that is misspelt", service("web") + "---\n" + service("other").replace("Service", "Servce")],
    ["a name that cannot be one", service("web") + "---\n" + service("Other_")],
    ["nothing at all", ""],
  ] as const) {
    it(`stays where its file now holds ${what}; the rest of the file counts`, () => {
      const before = { "a.yaml": `${service("web", 1)}---\n${service("other")}`, "b.yaml": service("b") };
      const follower = new Follower().see(before).see({ "a.yaml": text, "b.yaml": service("b", 2) });
      expect(follower.services).toEqual(["b:2", "other:80", text === "" ? "web:1" : "web:80"]);
      expect(follower.codes).toContain("Service shop/other last-good-served");
      // The same broken state again changes nothing; an orderly file without the object removes it.
      expect(follower.see({ "a.yaml": text, "b.yaml": "" }).services).toContain("other:80");
      follower.see({ "a.yaml": service("web"), "b.yaml": service("b") });
      expect(follower.services).toEqual(["b:80", "web:80"]);
      expect(follower.mesh.problems).toEqual([]);
    });
  }

  it("can be removed from a file that has had a fault all along", () => {
    const fault = "just a text\n---\n";
    const follower = new Follower().see({ "a.yaml": `${fault}${service("web")}---\n${service("other")}` });
    expect(follower.see({ "a.yaml": fault + service("web") }).services).toEqual(["web:80"]);
  });

  it("counts against a newcomer of its name, its address, its match", () => {
    const web = service("web", 80, "clusterIP: 10.96.0.9,");
    const before = { "m.yaml": `${web}---\n${service("back")}---\n${route("r", "back")}` };
    const follower = new Follower().see(before);
    follower.see({
      ...before,
      "a.yaml": [service("web", 90), service("aaa", 80, "clusterIP: 10.96.0.9,"), route("aaa", "web")].join("---\n"),
    });
    expect(follower.services).toEqual(["aaa:80", "back:80", "web:80"]);
    expect(follower.mesh.services.map(({ clusterIPs }) => clusterIPs)).toEqual([[], [], ["10.96.0.9"]]);
    const ages = follower.mesh.httpRoutes.map(({ meta }) => [meta.name, meta.creationTimestamp]);
    expect(ages).toEqual([
      ["aaa", "2026-01-01T00:00:01Z"],
      ["r", ""],
    ]);
    expect(follower.codes).toEqual([
      "HTTPRoute shop/aaa conflicting-route",
      "Service shop/aaa duplicate-cluster-ip",
      "Service shop/web duplicate-object",
    ]);
  });

  it("counts against a newcomer that says it is older", () => {
    const written = (time: string): string =>
      service("aaa", 80, "clusterIP: 10.96.0.9,").replace("name: aaa,", `name: aaa, creationTimestamp: "${time}",`);
    for (const time of ["1970-01-01T00:00:00Z", "long ago", ""]) {
      const follower = new Follower().see({ "z.yaml": service("web") });
      const late = { "m.yaml": service("late", 80, "clusterIP: 10.96.0.9,") };
      follower.see(late).see({ ...late, "a.yaml": written(time) });
      expect(follower.mesh.services.map(({ meta, clusterIPs }) => [meta.name, ...clusterIPs])).toEqual([
        ["aaa"],
        ["late", "10.96.0.9"],
      ]);
    }
  });

  it("is judged after what it refers to: a route may change while its Service is broken", () => {
    const before = { "s.yaml": service("web"), "r.yaml": route("r", "web") };
    const follower = new Follower().see(before);
    follower.see({ "s.yaml": service("web", "x"), "r.yaml": route("r", "web", 80, "/new") });
    expect(follower.services).toEqual(["web:80"]);
    expect(follower.mesh.httpRoutes[0]?.rules[0]?.matches[0]?.path.value).toBe("/new");
    expect(follower.held).toEqual(["web :00Z"]);
  });

  it("takes what is written of a route whose Service was removed on purpose", () => {
    const follower = new Follower().see({
      "s.yaml": service("web") + "---\n" + service("v2"),
      "r.yaml": route("r", "v2"),
    });
    follower.see({ "s.yaml": service("web"), "r.yaml": route("r", "v2") });
    expect(follower.mesh.httpRoutes[0]?.rules[0]?.backends).toMatchObject([{ service: "v2", invalid: true }]);
    expect(follower.codes).toEqual(["HTTPRoute shop/r backend-not-found"]);
  });

  it("is a policy that goes on as it was; a policy that never was in order denies", () => {
    const good = policy("{ rules: [{ to: [{ operation: { methods: [GET] } }] }] }");
    const broken = policy("{ rules: [{ to: [{ operation: { method: [GET] } }] }] }");
    expect(new Follower().see({ "p.yaml": broken }).mesh.authorizationPolicies).toMatchObject([{ alwaysDeny: true }]);
    const follower = new Follower().see({ "p.yaml": good }).see({ "p.yaml": broken });
    expect(follower.mesh.authorizationPolicies).toMatchObject([{ alwaysDeny: false, rules: [{}] }]);
  });

  it("of two definitions that come together, is the one in order", () => {
    const follower = new Follower().see({ "a.yaml": service("web", 70_000), "z.yaml": service("web") });
    expect(follower.services).toEqual(["web:80"]);
    expect(follower.codes).toEqual(["Service shop/web duplicate-object", "Service shop/web out-of-range"]);
  });
});

describe("a chain of versions, each of which displaces the next", () => {
  const ip = (index: number): string => `10.97.${index >> 8}.${index & 255}`;
  /** The first definition of each Service is in order as long as the second one of the Service before does not count. */
  const chain = (length: number): string =>
    Array.from({ length }, (_, index) => {
      const name = `s${String(index).padStart(3, "0")}`;
      const first = service(name, index === 0 ? 70_000 : 80, `clusterIP: ${ip(index)},`);
      return `${first}---\n${service(name, 80, `clusterIP: ${ip(index + 1)},`)}`;
    }).join("---\n");
  const judged = (text: string): { readonly times: number; readonly codes: readonly string[] } => {
    let times = 0;
    const { problems } = new LastGood().choose(parseManifest("a.yaml", 0, text).objects, new Map(), (list) => {
      times++;
      return objectsToMesh(list);
    });
    return { times, codes: problems.map(printProblem).map(({ object, code }) => `${object} ${code}`) };
  };

  it("does not have everything read once for each object", () => {
    expect(judged(chain(100)).times).toBeLessThan(20);
  });

  it("takes no version from the objects of another namespace", () => {
    const other = [service("web", 70_000), service("web", 80, "clusterIP: 10.96.0.9,")].join("---\n");
    const routes = [route("r", "web", 80, "no-path"), route("r", "web", 80, "/new")].join("---\n");
    const { codes } = judged(`${chain(100).replaceAll("shop", "evil")}---\n${other}---\n${routes}`);
    expect(codes.filter((code) => code.includes("shop/")).toSorted()).toEqual([
      "HTTPRoute shop/r duplicate-object",
      "HTTPRoute shop/r invalid-value",
      "Service shop/web duplicate-object",
      "Service shop/web out-of-range",
    ]);
  });
});

describe("a map with very many keys", () => {
  const labels = (count: number, more = ""): string =>
    `{ apiVersion: v1, kind: ConfigMap, metadata: { name: m, namespace: shop }, data: {\n${Array.from(
      { length: count },
      (_, index) => `k${index}: v`,
    ).join(",\n")}${more} } }\n`;

  it("takes time that is linear in their number", () => {
    const time = (count: number): number => {
      const start = process.cpuUsage().user;
      expect(parseManifest("a.yaml", 0, labels(count))).toMatchObject({ faults: 0, objects: [{ name: "m" }] });
      return process.cpuUsage().user - start;
    };
    time(4_000);
    const few = time(4_000);
    expect(time(20_000)).toBeLessThan(12 * few);
  });

  it("has none of them twice", () => {
    const { problems, faults } = parseManifest("a.yaml", 0, labels(3, ",\nk1: w"));
    expect(faults).toBe(1);
    expect(problems.map(printProblem)).toMatchObject([
      { origin: "a.yaml:5", object: "ConfigMap shop/m", field: "data.k1", reason: "Map keys must be unique" },
    ]);
  });
});
