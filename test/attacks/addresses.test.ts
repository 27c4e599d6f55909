import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Issuer, ISSUER_URL, keySet } from "../jwt/issuer.ts";
import { APPS, MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";
import { describePrivileged } from "../support/privileges.ts";

const issuer = new Issuer();

/** What mallory may write: a Service without a selector in her own namespace, and its slice, with any address. */
function grab(
  name: string,
  type: Readonly<Record<string, unknown>>,
  port: string,
  address: string,
): readonly unknown[] {
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "evil" },
      spec: { ...type, ports: [{ name: port, port: 8080 }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-1`, namespace: "evil", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: port, port: 8080 }],
      endpoints: [{ addresses: [address], targetRef: { kind: "Pod", name: "mallory", namespace: "evil" } }],
    },
  ];
}

describePrivileged("who has an address", () => {
  const lab = new MeshLab("addr");
  const addressOf = async (name: string): Promise<string> =>
    (await lab.status()).pods.find((each) => each.name === name)?.ip ?? "";
  /** The name of the server that answered; "" where none did. */
  const nameIn = (body: string): string => /"name":"([^"]*)"/u.exec(body)?.[1] ?? "";

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("evil", true),
      pod("shop", "client", "node-1"),
      pod("shop", "near", "node-1", { server: true }),
      pod("shop", "far", "node-2", { server: true }),
      pod("shop", "closed", "node-1", { server: true }),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
      pod("evil", "mallory", "node-1", { server: true }),
      pod("evil", "mate", "node-2"),
      service("evil", "mallory", { app: "mallory" }),
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "strict", namespace: "shop" },
        spec: { mtls: { mode: "STRICT" } },
      },
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "not-evil", namespace: "shop" },
        spec: {
          selector: { matchLabels: { app: "closed" } },
          action: "DENY",
          rules: [{ from: [{ source: { namespaces: ["evil"] } }] }],
        },
      },
      {
        apiVersion: "security.istio.io/v1",
        kind: "RequestAuthentication",
        metadata: { name: "tokens", namespace: "shop" },
        spec: {
          jwtRules: [
            {
              issuer: ISSUER_URL,
              jwks: keySet(issuer),
              forwardOriginalToken: true,
              outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
            },
          ],
        },
      },
    ]);
    await lab.up();
    const [near, far] = [await addressOf("near"), await addressOf("far")];
    lab.write("evil.yaml", [
      ...grab("headless-near", { clusterIP: "None" }, "http", near),
      ...grab("headless-far", { clusterIP: "None" }, "http", far),
      ...grab("pipe-near", {}, "tcp", near),
      ...grab("pipe-far", {}, "tcp", far),
      // Answers when all that stands before it in the file has an effect.
      ...grab("zz-last", {}, "http", await addressOf("mallory")),
    ]);
    await lab.until("the nodes act by mallory's objects", async () => {
      const answers = await Promise.all(
        ["evil/mallory", "evil/mate"].map((from) => lab.call(from, "http://zz-last.evil:8080/")),
      );
      // The proxy adds this header: the call was captured.
      return answers.every(({ status, body }) => status === 200 && body.includes("x-forwarded-proto"));
    });
  });
  afterAll(() => lab.down());

  it("calls to a pod's own address reach that pod, whatever a slice of another namespace says", async () => {
    const token = `Authorization: Bearer ${issuer.token({ iss: ISSUER_URL, sub: "alice" })}`;
    for (const name of ["near", "far"]) {
      const { status, body } = await lab.call("shop/client", `http://${await addressOf(name)}:8080/secret`, token);
      expect([name, status, nameIn(body)]).toEqual([name, 200, name]);
    }
    expect((await lab.call("evil/mallory", "http://127.0.0.1:8080/paths")).body).not.toContain("secret");
  });

  it("a pod's inbound treatment applies to calls by another namespace's TCP Service, on every node", async () => {
    const forged = ["x-sub: alice", "x-forwarded-client-cert: URI=spiffe://cluster.local/ns/shop/sa/client"];
    for (const [from, name] of [
      ["evil/mallory", "near"],
      ["evil/mallory", "far"],
      ["evil/mate", "near"],
      ["evil/mate", "far"],
    ] as const) {
      const url = `http://pipe-${name}.evil:8080/`;
      const what = `${from} calls ${url}`;
      const { status, code, body } = await lab.call(from, url, ...forged);
      expect([what, status, code, nameIn(body)]).toEqual([what, 200, undefined, name]);
      expect(`${what}: ${body}`).not.toContain("alice");
      // The last element is the caller, and comes from a certificate; without one there is no element.
      const elements = /"x-forwarded-client-cert","((?:[^"\\]|\\.)*)"/u.exec(body)?.[1]?.split(",") ?? [];
      expect(`${what}: ${elements.at(-1) ?? "/ns/evil/sa/"}`).toContain("/ns/evil/sa/");
      const refused = await lab.call(from, url, "Authorization: Bearer forged.forged.forged");
      expect([what, refused.status]).toEqual([what, 401]);
    }
  });

  it("a pod's policies hold while a Service of another namespace leads to it and away", async () => {
    const [closed, near] = [await addressOf("closed"), await addressOf("near")];
    const lead = async (address: string, status: number): Promise<void> => {
      lab.write("flip.yaml", grab("flip", {}, "http", address));
      await lab.until(`flip leads to ${address}`, async () => {
        return (await lab.call("evil/mallory", "http://flip.evil:8080/")).status === status;
      });
    };
    const served = async (address: string): Promise<number> => {
      const paths = JSON.parse((await lab.call("shop/client", `http://${address}:8080/paths`)).body) as object;
      return Object.values(paths).reduce((sum: number, times: number) => sum + times, 0);
    };
    await lead(closed, 403);
    const hammer = lab.start("evil/mallory", process.execPath, join(APPS, "hammer.mjs"), "--keep-alive", "flip.evil");
    const parts: string[] = [];
    hammer.stdout?.on("data", (part) => parts.push(String(part)));
    for (let times = 0; times < 2; times++) {
      await lead(near, 200);
      const before = await served(near);
      await lab.until(
        "the attacker's open connections lead there, too",
        async () => (await served(near)) > before + 10,
      );
      await lead(closed, 403);
      lab.remove("flip.yaml");
      await lab.until(
        "flip is gone",
        async () => (await lab.call("evil/mallory", "http://flip.evil:8080/")).status === 0,
      );
      await lead(closed, 403);
    }
    hammer.stdin?.end();
    await once(hammer, "exit");
    const { answers } = JSON.parse(parts.join("").split("\n")[1] ?? "") as { readonly answers: Record<string, number> };
    expect(JSON.parse((await lab.call("shop/client", `http://${closed}:8080/paths`)).body)).toEqual({});
    expect(answers["403"]).toBeGreaterThan(10);
    expect(answers["200"]).toBeGreaterThan(10);
  });
});
