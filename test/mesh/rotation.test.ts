import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { AuthorityStatus } from "../../agent/identity/authority/authority-status.ts";
import type { CertificateReport } from "../../agent/node/certificates.ts";
import { describePrivileged } from "../support/privileges.ts";
import { APPS, MeshLab, namespace, pod, service } from "./mesh-lab.ts";
import { SteadyLoad } from "./steady-load.ts";

/** So long leaves are rotated; the whole minute: AMBIT_ROTATION_SECONDS=60. */
const SECONDS = Number(process.env["AMBIT_ROTATION_SECONDS"] ?? 10);
const EVERY_MS = 5_000;
const RATE = 500;
const STREAMS = 50;

describePrivileged("certificates that change under load", () => {
  const lab = new MeshLab("rota");
  const loads: SteadyLoad[] = [];
  let farAddress = "";
  let called = 0;

  const ask = async <T>(...command: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await lab.ambit(...command, "--name", lab.name, "-o", "json");
    if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}${stdout}`);
    return JSON.parse(stdout) as T;
  };
  const held = async (name: string): Promise<X509Certificate> => {
    const { nodes } = await ask<{ readonly nodes: readonly CertificateReport[] }>("cert", "list");
    const one = nodes.flatMap(({ identities }) => identities).find(({ spiffeId }) => spiffeId.endsWith(`/${name}`));
    if (one?.chainPem === undefined) throw new Error(`no certificate for ${name}`);
    return new X509Certificate(one.chainPem);
  };
  /** Hash of what a new connection of the pod `probe` presents, as its server is told. No Service is called twice. */
  const presentedByClient = async (): Promise<string | undefined> => {
    const { body } = await lab.call("shop/probe", `http://fresh-${called++}/`);
    return /Hash=([0-9a-f]+)/u.exec(body)?.[1];
  };
  /** Serial number of what the pod `far` presents to a new connection. */
  const presentedByServer = async (): Promise<string> => {
    const script = join(APPS, "peer-certificate.mjs");
    const { stdout, stderr } = await lab.exec("outside/stranger", process.execPath, script, farAddress, "8080");
    if (stdout === "") throw new Error(stderr);
    return (JSON.parse(stdout) as { readonly serial: string }).serial;
  };
  const newOnesArePresented = async (): Promise<void> => {
    const client = (await held("probe")).fingerprint256.replaceAll(":", "").toLowerCase();
    const server = (await held("far")).serialNumber.toLowerCase();
    await lab.until("a caller presents its new one", async () => (await presentedByClient()) === client);
    await lab.until("the called presents its new one", async () => (await presentedByServer()) === server);
  };
  const begin = async (): Promise<void> => {
    loads.push(await SteadyLoad.start(lab, "shop/caller", { rate: RATE, streams: STREAMS, to: ["far"] }));
  };
  const troubles = async (): Promise<readonly unknown[]> =>
    (await Promise.all(loads.splice(0).map((each) => each.finish()))).flat();

  beforeAll(async () => {
    lab.write(
      "fresh.yaml",
      Array.from({ length: 100 }, (_, i) => service("shop", `fresh-${i}`, { app: "far" })),
    );
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("outside", false),
      pod("shop", "caller", "node-1"),
      pod("shop", "probe", "node-1"),
      pod("outside", "stranger", "node-1"),
      pod("shop", "far", "node-2", { server: true }),
      service("shop", "far", { app: "far" }),
    ]);
    await lab.up();
    farAddress = (await lab.status()).pods.find(({ name }) => name === "far")?.ip ?? "";
    await newOnesArePresented();
  });
  afterEach(() => {
    for (const load of loads.splice(0)) load.kill();
  });
  afterAll(() => lab.down());

  it(
    "leaves, every five seconds: no request fails, no stream breaks, new connections present the new ones",
    async () => {
      await begin();
      for (const end = Date.now() + SECONDS * 1_000; Date.now() < end;) {
        const next = Date.now() + EVERY_MS;
        const before = await held("far");
        await ask("cert", "rotate");
        expect((await held("far")).serialNumber).not.toBe(before.serialNumber);
        await newOnesArePresented();
        await lab.until("it is time for the next", () => Date.now() >= next);
      }
      expect(await troubles()).toEqual([]);
    },
    (SECONDS + 230) * 1_000,
  );

  it("the root, until the old one is gone: no request fails, no stream breaks", async () => {
    const [old] = (await ask<AuthorityStatus>("authority", "status")).roots;
    await begin();
    await ask("authority", "rotate-root");
    await lab.until("the old root is gone", async () => {
      const { roots, rotation } = await ask<AuthorityStatus>("authority", "status");
      return rotation?.stage === "steady" && roots.every(({ generation }) => generation !== old?.generation);
    });
    await newOnesArePresented();
    expect(await troubles()).toEqual([]);
  });
});
