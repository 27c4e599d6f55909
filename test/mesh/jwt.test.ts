import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badTokens } from "../jwt/attacks.ts";
import { Issuer, ISSUER_URL, keySet } from "../jwt/issuer.ts";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod, service, type Answer } from "./mesh-lab.ts";

interface Sent {
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const NOW = Math.floor(Date.now() / 1000);
const ec = new Issuer("ES256", "key-1");
const rsa = new Issuer("RS256", "key-2");
const CLAIMS = { iss: ISSUER_URL, sub: "alice", aud: "shop", exp: NOW + 3600, groups: ["dev"] };
const good = ec.token(CLAIMS);

const authentication = (name: string, rules: readonly unknown[]): unknown => ({
  apiVersion: "security.istio.io/v1",
  kind: "RequestAuthentication",
  metadata: { name, namespace: "shop" },
  spec: { selector: { matchLabels: { api: name } }, jwtRules: rules },
});

describePrivileged("tokens in a mesh", () => {
  const lab = new MeshLab("jwt", { AMBIT_KEYS_REFRESH: "1" });
  const folder = mkdtempSync(join(tmpdir(), "ambit-jwt-"));
  const send = async (from: string, requests: readonly Sent[]): Promise<readonly Answer[]> => {
    const file = join(folder, `${from.replace("/", "-")}.json`);
    writeFileSync(file, JSON.stringify(requests));
    const { stdout, stderr } = await lab.exec(from, process.execPath, join(APPS, "batch.mjs"), file);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as readonly Answer[];
  };
  const bearer = (url: string, token: string): Sent => ({ url, headers: [["Authorization", `Bearer ${token}`]] });
  const one = async (from: string, sent: Sent): Promise<Answer> => {
    const [answer] = await send(from, [sent]);
    if (answer === undefined) throw new Error("no answer");
    return answer;
  };

  const keysFile = join(folder, "keys.json");
  const keys = (): readonly unknown[] => {
    const server = pod("shop", "keys", "node-2", { server: true }) as {
      readonly spec: { readonly containers: { command: readonly string[] }[] };
    };
    for (const container of server.spec.containers) {
      container.command = [process.execPath, join(APPS, "keys.mjs"), keysFile];
    }
    return [server];
  };

  beforeAll(async () => {
    writeFileSync(keysFile, keySet(ec));
    lab.write("keys.yaml", keys());
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "caller", "node-1"),
      pod("outside", "stranger", "node-2"),
      pod("shop", "near", "node-1", { server: true, labels: { api: "inline" } }),
      pod("shop", "far", "node-2", { server: true, labels: { api: "inline" } }),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
      service("shop", "both", { api: "inline" }),
      pod("shop", "kept-1", "node-1", { server: true, labels: { api: "kept" } }),
      pod("shop", "kept-2", "node-2", { server: true, labels: { api: "kept" } }),
      service("shop", "kept", { api: "kept" }),
      authentication("kept", [
        {
          issuer: ISSUER_URL,
          jwks: keySet(ec),
          forwardOriginalToken: true,
          outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
        },
      ]),
      pod("shop", "remote", "node-1", { server: true, labels: { api: "remote" } }),
      service("shop", "remote", { app: "remote" }),
      service("shop", "keys", { app: "keys" }),
      authentication("remote", [{ issuer: ISSUER_URL, jwksUri: "http://keys.shop/keys.json" }]),
      authentication("inline", [
        {
          issuer: ISSUER_URL,
          audiences: ["shop"],
          jwks: keySet(ec, rsa),
          outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
          outputPayloadToHeader: "x-payload",
        },
      ]),
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "known", namespace: "shop" },
        spec: {
          action: "DENY",
          rules: [
            {
              from: [{ source: { notRequestPrincipals: [`${ISSUER_URL}/alice`] } }],
              to: [{ operation: { paths: ["/private*"] } }],
            },
          ],
        },
      },
    ]);
    await lab.up();
  });
  afterAll(async () => {
    await lab.down();
    rmSync(folder, { recursive: true, force: true });
  });

  const WAYS = [
    ["from its own node", "shop/caller", "http://near"],
    ["from another node", "shop/caller", "http://far"],
    ["to one of two nodes", "shop/caller", "http://both"],
    ["from outside the mesh", "outside/stranger", "http://near.shop"],
  ] as const;
  for (const [way, from, url] of WAYS) {
    describe(`a call ${way}`, () => {
      it("with a token that is not good is answered 401, and does not reach the application", async () => {
        const bad = badTokens(ec, rsa, NOW);
        const answers = await send(
          from,
          bad.map(({ authorization }, i) => ({
            url: `${url}/bad-${i}`,
            headers: authorization.map((value) => ["Authorization", value] as const),
          })),
        );
        const got = answers.map(({ status, headers, body }, i) => [
          bad[i]?.name,
          status,
          headers["www-authenticate"] ?? body,
        ]);
        const wanted = bad.map(({ name }) => [
          name,
          401,
          expect.stringMatching(/^Bearer realm="[a-z.]+", error="invalid_token"/u),
        ]);
        expect(got).toEqual(wanted);
        const { body } = await one(from, { url: `${url}/paths`, headers: [] });
        expect(body).not.toContain("/bad-");
      });

      it("with a good one passes, and tells policies and the application who asks", async () => {
        const forged: Sent["headers"] = [
          ["x-sub", "root"],
          ["x_sub", "root"],
        ];
        const secret = `${url}/private`;
        const [told, denied, open, again, byRsa, param] = await send(from, [
          { url: secret, headers: [["Authorization", `Bearer ${good}`], ...forged] },
          { url: secret, headers: forged },
          { url: `${url}/open`, headers: forged },
          bearer(secret, good),
          bearer(secret, rsa.token(CLAIMS)),
          { url: `${secret}?a=1&access_token=${good}`, headers: [] },
        ]);
        expect(told?.status).toBe(200);
        expect(told?.body).toContain('"x-sub","alice"');
        expect(told?.body).toContain('"x-payload","');
        expect(told?.body).not.toMatch(/root|bearer/iu);
        expect(denied?.status).toBe(403);
        expect(open?.status).toBe(200);
        expect(open?.body).not.toMatch(/root|x-sub|x-payload/u);
        expect([again?.status, byRsa?.status, param?.status]).toEqual([200, 200, 200]);
        expect(JSON.parse(param?.body ?? "")).toMatchObject({ url: "/private?a=1" });
      });
    });
  }

  it("the reason of a rejection is in the access log, where it was rejected", async () => {
    await one("shop/caller", bearer("http://far/why", ec.token({ ...CLAIMS, exp: 1 })));
    const line = await lab.loggedLine("node-2", "/why");
    expect(line).toMatchObject({ response_code: 401, response_code_details: "ambit_jwt:expired" });
  });

  it("tokens that the application is to get reach it on either node, verified all the same", async () => {
    const headers: Sent["headers"] = [
      ["authorization", `Bearer ${good}`],
      ["x-sub", "root"],
    ];
    const answers = await send(
      "shop/caller",
      Array.from({ length: 20 }, () => ({ url: "http://kept/", headers })),
    );
    const seen = answers.map(
      ({ body }) => JSON.parse(body) as { readonly name: string; readonly headers: readonly string[] },
    );
    expect(new Set(seen.map(({ name }) => name))).toEqual(new Set(["kept-1", "kept-2"]));
    for (const { headers: received } of seen) {
      expect(received).toEqual(expect.arrayContaining([`Bearer ${good}`, "alice"]));
      expect(received).not.toContain("root");
    }
    expect((await one("shop/caller", bearer("http://kept/", rsa.token(CLAIMS)))).status).toBe(401);
  });

  describe("keys that are fetched", () => {
    const status = async (token: string): Promise<number> =>
      (await one("shop/caller", bearer("http://remote/", token))).status;
    const becomes = (token: string, wanted: number): Promise<void> =>
      lab.until(`a call is answered ${wanted}`, async () => (await status(token)) === wanted);

    it("come from a server in the mesh, by its Service's name", async () => {
      await becomes(good, 200);
      expect(await status(rsa.token(CLAIMS))).toBe(401);
    });

    it("change when the server has others", async () => {
      writeFileSync(keysFile, keySet(rsa));
      await becomes(rsa.token(CLAIMS), 200);
      // Envoy's other worker may take the new ones a moment later.
      await becomes(good, 401);
      const old = await one("shop/caller", bearer("http://remote/", good));
      expect([old.status, old.body]).toEqual([401, expect.stringContaining("may not be signed")]);
    });

    it("stay when the server is gone, and that is told", async () => {
      lab.remove("keys.yaml");
      await lab.until("it is a problem", async () => {
        const { stdout } = await lab.ambit("status", "--name", lab.name, "-o", "json");
        return stdout.includes("keys-not-fetched");
      });
      expect(await status(rsa.token(CLAIMS))).toBe(200);
      expect(await status(good)).toBe(401);
    });
  });
});
