import { afterAll, beforeAll, expect, it } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { MeshLab, namespace, pod, service } from "./mesh-lab.ts";

/** As container runtimes leave a pod's network namespace where the cluster has IPv4 alone: not even ::1 is there. */
const WITHOUT_IPV6 = 'require("fs").writeFileSync("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")';

describePrivileged("pods in which IPv6 is turned off", () => {
  const lab = new MeshLab("novs");
  const pods = ["shop/client", "shop/near", "shop/far"];

  beforeAll(async () => {
    lab.write("all.yaml", [
      pod("shop", "client", "node-1"),
      pod("shop", "near", "node-1", { server: true }),
      pod("shop", "far", "node-2", { server: true }),
      service("shop", "near", { app: "near" }),
      service("shop", "far", { app: "far" }),
    ]);
    lab.write("namespace.yaml", [namespace("shop", false)]);
    await lab.up();
    for (const each of pods) expect((await lab.exec(each, process.execPath, "-e", WITHOUT_IPV6)).stderr).toBe("");
    lab.write("namespace.yaml", [namespace("shop", true)]);
  });
  afterAll(() => lab.down());

  it("join the mesh, and are called by mTLS", async () => {
    await lab.until("all are enrolled", async () => (await lab.status()).pods.every(({ enrolled }) => enrolled));
    expect((await lab.call("shop/client", "http://near.shop/")).status).toBe(200);
    const far = await lab.call("shop/client", "http://far.shop/");
    expect(far.status).toBe(200);
    expect(far.body).toContain("URI=spiffe://cluster.local/ns/shop/sa/client");
  });

  it("leave it again", async () => {
    lab.write("namespace.yaml", [namespace("shop", false)]);
    await lab.until("none is enrolled", async () => (await lab.status()).pods.every(({ enrolled }) => !enrolled));
    expect((await lab.call("shop/client", "http://far.shop/")).status).toBe(200);
  });
});
