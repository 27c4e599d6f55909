import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { explainCall, type AuthzRequest, type Explained } from "../../agent/policy/explain.ts";
import { loadDeclared } from "../../agent/sources/load-declared.ts";
import { openDirectorySource } from "../../agent/sources/directory.ts";
import { allow, from, when } from "./case.ts";
import { meshOf } from "./world.ts";

const SCOPE = { rootNamespace: "istio-system", trustDomain: "cluster.local" };
const ISSUER = "https://issuer.example";
const REQUEST: AuthzRequest = {
  protocol: "http",
  port: 8080,
  sni: "",
  host: "web.shop",
  method: "GET",
  path: "/",
  headers: [],
  claims: undefined,
};

const peers = (name: string, spec: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: { name: ${name}, namespace: shop }, spec: ${spec} }\n---\n`;
const tokens = `{ apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: { name: jwt, namespace: shop }, spec: { jwtRules: [{ issuer: "${ISSUER}", jwksUri: "${ISSUER}/keys" }] } }\n---\n`;

/** `caller` calls web; it runs on `node`. */
async function explain(
  policies: string,
  caller: string,
  request: Partial<AuthzRequest> = {},
  node = "node-1",
): Promise<Explained> {
  const mesh = await meshOf({ name: "", policies, call: {}, verdict: "allowed" });
  const web = mesh.workloads.find(({ meta }) => meta.name === "web");
  if (web === undefined) throw new Error("the world has no web");
  const found = mesh.workloads.find(({ meta }) => meta.name === caller);
  return explainCall(mesh, SCOPE, found && { ...found, node }, web, { ...REQUEST, ...request });
}

describe("what PeerAuthentication says counts before any policy", () => {
  const strict = peers("locked", "{ mtls: { mode: STRICT } }");
  const oneOpen = peers(
    "one",
    '{ selector: { matchLabels: { app: web } }, portLevelMtls: { "9000": { mode: PERMISSIVE } } }',
  );

  it("who is outside the mesh does not get to a STRICT port", async () => {
    for (const caller of ["stranger", "-"]) {
      expect(await explain(strict, caller)).toMatchObject({ verdict: "denied", decidedBy: "shop/locked" });
    }
    expect(await explain(strict, "alice")).toMatchObject({ verdict: "allowed", notes: [] });
  });

  it("but to one that is not", async () => {
    expect(await explain(strict + oneOpen, "stranger", { port: 9000 })).toMatchObject({ verdict: "allowed" });
    expect(await explain(strict + oneOpen, "stranger")).toMatchObject({ verdict: "denied", decidedBy: "shop/locked" });
  });

  it("without mTLS a call from another node bears no identity", async () => {
    const open =
      peers("open", "{ mtls: { mode: DISABLE } }") + allow(from("principals: [cluster.local/ns/shop/sa/alice]"));
    expect(await explain(open, "alice")).toMatchObject({ verdict: "allowed", notes: [] });
    const far = await explain(open, "alice", {}, "node-2");
    expect(far).toMatchObject({ verdict: "denied" });
    expect(far.notes).toEqual([expect.stringContaining("shop/open says DISABLE for port 8080")]);
  });
});

describe("a token", () => {
  const policy = allow(when("request.auth.claims[team]", "values: [red]"));
  const claims = { iss: ISSUER, sub: "ann", team: "red" };

  it("counts where a RequestAuthentication looks at it", async () => {
    expect(await explain(tokens + policy, "alice", { claims })).toMatchObject({ verdict: "allowed", notes: [] });
    const nobody = await explain(policy, "alice", { claims });
    expect(nobody).toMatchObject({ verdict: "denied" });
    expect(nobody.notes).toEqual([expect.stringContaining("nobody verifies the token")]);
  });

  it("of another issuer is refused", async () => {
    const other = await explain(tokens, "alice", { claims: { ...claims, iss: "https://other.example" } });
    expect(other).toMatchObject({ verdict: "denied" });
    expect(other.reason).toContain(`only tokens from ${ISSUER} are accepted`);
  });
});

describe("of a folder that somebody follows", () => {
  const folder = mkdtempSync(join(tmpdir(), "ambit-held-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("counts what is served in place of what is broken", async () => {
    const manifests = join(folder, "manifests");
    mkdirSync(manifests);
    const good = allow(from("principals: [cluster.local/ns/shop/sa/alice]"));
    writeFileSync(join(manifests, "policy.yaml"), good);
    const heldVersions = join(folder, "held-versions.json");
    const source = await openDirectorySource([manifests], { heldVersions });
    const isBroken = new Promise<void>((resolve) => source.onChange(() => resolve()));
    writeFileSync(join(manifests, "policy.yaml"), good.replace("principals", "principles"));
    await isBroken;
    source.close();
    const written = await loadDeclared([manifests]);
    expect(written.authorizationPolicies).toMatchObject([{ alwaysDeny: true }]);
    const served = await loadDeclared([manifests], { heldVersions });
    expect(served.authorizationPolicies).toMatchObject([{ alwaysDeny: false }]);
  });
});
