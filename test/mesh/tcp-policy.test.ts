import { createInterface } from "node:readline";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod, service } from "./mesh-lab.ts";

const NODE = process.execPath;

/** Allows what is not private by HTTP, and everything for these service accounts. */
function policy(...accounts: readonly string[]): unknown {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "guard", namespace: "shop" },
    spec: {
      selector: { matchLabels: { server: "yes" } },
      rules: [
        { to: [{ operation: { ports: ["8080"], notPaths: ["/private"] } }] },
        { from: [{ source: { principals: accounts.map((name) => `cluster.local/ns/shop/sa/${name}`) } }] },
      ],
    },
  };
}

describePrivileged("policies on TCP", () => {
  const lab = new MeshLab("tcpp");
  const labels = { server: "yes" };
  const accepted = async (server: string): Promise<number> =>
    Number((await lab.call("outside/probe", `http://${server}.shop/accepted`)).body);
  /** What comes back over a connection; "" where it is closed. */
  const echo = async (from: string, host: string): Promise<string> => {
    const script = `const s=require("net").connect(9000,"${host}",()=>s.end("hello"));s.pipe(process.stdout);s.on("error",()=>{})`;
    return (await lab.exec(from, NODE, "-e", script)).stdout;
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "client", "node-1"),
      pod("shop", "other", "node-1"),
      pod("outside", "probe", "node-1"),
      pod("shop", "near", "node-1", { server: true, labels }),
      pod("shop", "far", "node-2", { server: true, labels }),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
    ]);
    lab.write("policy.yaml", [policy("client")]);
    await lab.up();
  });
  afterAll(() => lab.down());

  for (const server of ["near", "far"]) {
    for (const by of ["Service", "address"]) {
      it(`allow, and deny before the application sees a connection: ${server} by its ${by}`, async () => {
        const address = (await lab.status()).pods.find(({ name }) => name === server)?.ip ?? "";
        const host = by === "Service" ? `${server}.shop` : address;
        expect(await echo("shop/client", host)).toBe("hello");
        const before = await accepted(server);
        expect(await echo("shop/other", host)).toBe("");
        expect(await echo("outside/probe", host)).toBe("");
        expect(await accepted(server)).toBe(before);
      });
    }
  }

  it("hold for HTTP at a pod's own address, too, which is called by mTLS on another node", async () => {
    const { pods } = await lab.status();
    const call = (from: string, server: string) =>
      lab.call(from, `http://${pods.find(({ name }) => name === server)?.ip}:8080/private`);
    for (const server of ["near", "far"]) {
      expect((await call("shop/client", server)).status).toBe(200);
      expect((await call("shop/other", server)).status).toBe(403);
      expect((await call("outside/probe", server)).status).toBe(403);
    }
    expect((await call("shop/client", "far")).body).toContain("URI=spiffe://cluster.local/ns/shop/sa/client");
  });

  it("close open connections that they do not allow any more, and no others", async () => {
    const open = async (from: string) => {
      const holds = ["near", "far"].map((server) =>
        lab.start(from, NODE, join(APPS, "hold.mjs"), `${server}.shop`, "9000", "5"),
      );
      const lines = holds.map((hold) =>
        createInterface({ input: hold.stdout ?? process.stdin })[Symbol.asyncIterator](),
      );
      const answers = async (): Promise<string> =>
        (await Promise.all(lines.map(async (each) => String((await each.next()).value)))).join();
      expect(await answers()).toBe("open,open");
      return {
        alive: async (): Promise<string> => {
          for (const hold of holds) hold.stdin?.write("still there?\n");
          return answers();
        },
        kill: (): void => holds.forEach((hold) => hold.kill()),
      };
    };
    lab.write("policy.yaml", [policy("client", "other")]);
    const client = await open("shop/client");
    let other = await open("shop/other");
    try {
      // Each node, and each worker of its Envoy, takes the policy at a moment of its own, and closes what came before.
      await lab.until("both may", async () => {
        if ((await other.alive()) === "5,5") return true;
        other.kill();
        other = await open("shop/other");
        return false;
      });
      lab.write("policy.yaml", [policy("client")]);
      await lab.until("the other's are closed", async () => (await other.alive()) === "0,0");
      expect(await client.alive()).toBe("5,5");
    } finally {
      client.kill();
      other.kill();
    }
  });
});
