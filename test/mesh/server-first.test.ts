import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { address } from "../../agent/kernel/maps/address.ts";
import { getPinned } from "../../agent/kernel/loader/bpf-commands.ts";
import { BpfMap, u32 } from "../../agent/kernel/loader/bpf-map.ts";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, labStateDir, MeshLab, namespace, pod } from "./mesh-lab.ts";

const NODE = process.execPath;
const CALLS = 5;

/** What `apps/greeted.mjs` says. */
interface Calls {
  readonly well: number;
  readonly wrong: readonly string[];
}

/** Connections that a listener has taken, those of mTLS among them, and those that it waited for until its time was over. */
interface Taken {
  readonly all: number;
  readonly mtls: number;
  readonly waitedFor: number;
}

const NONE: Taken = { all: 0, mtls: 0, waitedFor: 0 };

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "mail", namespace: "shop" },
  spec: { selector: { app: "mail" }, ports: [{ name: "tcp-smtp", port: 9001 }] },
};

describePrivileged("a server that speaks first", () => {
  const lab = new MeshLab("first");
  const folder = mkdtempSync(join(tmpdir(), "ambit-first-"));
  const said = (): readonly string[] => readFileSync(join(folder, "said"), "utf8").trim().split("\n");

  const stats = async (prefix: string): Promise<Taken> => {
    const body = await lab.askEnvoy("node-2", `/stats?filter=^listener\\.${prefix}\\.`);
    const of = (name: string): number =>
      Number(new RegExp(`^listener\\.${prefix}\\.${name}: (\\d+)$`, "mu").exec(body)?.[1] ?? 0);
    return { all: of("downstream_cx_total"), mtls: of("ssl\\.handshake"), waitedFor: of("downstream_pre_cx_timeout") };
  };
  /** By which of the server's listeners what `act` does has come. */
  const taken = async (act: () => Promise<void>): Promise<{ readonly patient: Taken; readonly brief: Taken }> => {
    const before = [await stats("inbound"), await stats("inbound_brief")] as const;
    await act();
    const since = async (prefix: string, { all, mtls, waitedFor }: Taken): Promise<Taken> => {
      const now = await stats(prefix);
      return { all: now.all - all, mtls: now.mtls - mtls, waitedFor: now.waitedFor - waitedFor };
    };
    return { patient: await since("inbound", before[0]), brief: await since("inbound_brief", before[1]) };
  };
  const call = async (from: string, host: string): Promise<void> => {
    const { stdout } = await lab.exec(from, NODE, join(APPS, "greeted.mjs"), host, "caller", String(CALLS));
    expect(JSON.parse(stdout)).toMatchObject({ well: CALLS, wrong: [] });
  };
  const becomesBrief = (): Promise<void> =>
    lab.until("the kernel chooses", async () => {
      const { brief } = await taken(() => call("outside/stranger", "mail.shop"));
      return brief.all === CALLS;
    });
  const addressesOf = async (name: string): Promise<readonly string[]> => {
    const found = (await lab.status()).pods.find((each) => each.name === name);
    return [found?.ip, found?.ip6].flatMap((each) => each ?? []);
  };
  const becomes = async (mode: string): Promise<void> => {
    const config = (): Promise<string> => lab.askEnvoy("node-2", "/config_dump?resource=dynamic_listeners");
    const before = await config();
    lab.write("mode.yaml", [
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "default", namespace: "shop" },
        spec: { mtls: { mode } },
      },
    ]);
    await lab.until(`the proxy has heard of ${mode}`, async () => (await config()) !== before);
  };

  beforeAll(async () => {
    const mail = pod("shop", "mail", "node-2") as { spec: { containers: { command: readonly string[] }[] } };
    for (const container of mail.spec.containers) {
      container.command = [NODE, join(APPS, "greeter.mjs"), join(folder, "said")];
    }
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      mail,
      pod("shop", "member", "node-1"),
      pod("outside", "stranger", "node-1"),
      pod("outside", "neighbour", "node-2"),
      service,
    ]);
    lab.write("joins.yaml", [namespace("joins", false), pod("joins", "joiner", "node-1")]);
    await lab.up();
    await becomesBrief();
  });
  afterAll(async () => {
    await lab.down();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const outsider of ["stranger", "neighbour"]) {
    it(`does not wait long for the ${outsider}, who is outside the mesh`, async () => {
      const hosts = ["mail.shop", ...(await addressesOf("mail"))];
      const { patient, brief } = await taken(async () => {
        for (const host of hosts) await call(`outside/${outsider}`, host);
      });
      const all = hosts.length * CALLS;
      expect({ patient, brief }).toEqual({ patient: NONE, brief: { all, mtls: 0, waitedFor: all } });
    });
  }

  it("waits long for who is in the mesh, and nobody has to wait, as TLS comes at once", async () => {
    const { patient, brief } = await taken(() => call("shop/member", "mail.shop"));
    expect({ patient, brief }).toEqual({ patient: { all: CALLS, mtls: CALLS, waitedFor: 0 }, brief: NONE });
  });

  it("knows the TLS of who is in the mesh, though its node has not heard of that", async () => {
    const fd = getPinned(join(labStateDir(lab.name), "nodes/node-2/bpf/maps/mtls_callers"));
    if (fd === undefined) throw new Error("the node has no map mtls_callers");
    const callers = new BpfMap(fd, address, u32);
    const member = await addressesOf("member");
    expect(member.map((each) => callers.get(each))).toEqual([1, 1]);
    callers.deleteAll(member);
    try {
      // On a machine that is very busy its ClientHello could be late once.
      await lab.until("one comes by mTLS", async () => {
        const { stdout } = await lab.exec("shop/member", NODE, join(APPS, "greeted.mjs"), "mail.shop", "caller", "1");
        return (JSON.parse(stdout) as Calls).well === 1 && (await stats("inbound_brief")).mtls > 0;
      });
    } finally {
      callers.setAll(member.map((each) => [each, 1] as const));
    }
  });

  it("hears nothing that is not meant for it from a pod that joins and leaves while it calls", async () => {
    const before = said().length;
    const caller = lab.start("joins/joiner", NODE, join(APPS, "greeted.mjs"), "mail.shop", "joiner");
    const lines = createInterface({ input: caller.stdout ?? process.stdin })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("begun");
    const { patient } = await taken(async () => {
      for (const label of ["enroll", "unenroll", "enroll", "unenroll"]) {
        const { code, stderr } = await lab.ambit(label, "joins", "--name", lab.name);
        if (code !== 0) throw new Error(stderr);
      }
    });
    expect(patient.mtls).toBeGreaterThan(0);
    caller.stdin?.end();
    expect(JSON.parse(String((await lines.next()).value))).toMatchObject({ wrong: [] });
    expect(new Set(said().slice(before))).toEqual(new Set(["HELO joiner"]));
  });

  it("is kept from plaintext by the patient listener where it is STRICT, and keeps both listeners", async () => {
    await becomes("STRICT");
    const refused = await taken(async () => {
      // Who takes it for TLS answers with an alert.
      const script = `require("net").connect(9001,"mail.shop").on("data",(data)=>String(data).startsWith("220")&&process.exit(1)).on("close",()=>process.exit(0)).write("HELO\\n")`;
      await lab.until("it is refused", async () => (await lab.exec("outside/stranger", NODE, "-e", script)).code === 0);
      await call("shop/member", "mail.shop");
    });
    expect(refused.patient.mtls).toBe(CALLS);
    expect(refused.brief).toEqual(NONE);
    await becomes("PERMISSIVE");
    await becomesBrief();
    expect(await lab.askEnvoy("node-2", "/stats?filter=total_listeners_draining")).toContain(
      "total_listeners_draining: 0",
    );
  });
});
