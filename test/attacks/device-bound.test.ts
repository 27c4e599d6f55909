import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { tryExec } from "../../agent/lib/exec.ts";
import { describePrivileged } from "../support/privileges.ts";
import { MeshLab, namespace, pod, service } from "../mesh/mesh-lab.ts";

const SHARER = `
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", 15006))
s.listen()
print("shares", flush=True)
s.accept()
print("took", flush=True)
time.sleep(3600)`;
const CALLS = 60;
/** A request by a socket that is bound to a device; what is said tells whether it arrived. */
const BOUND = `
import socket, sys
s = socket.socket()
s.settimeout(3)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
    s.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
    print(s.recv(100).split()[1].decode())
except OSError as error:
    print(error.errno)`;
const ECONNREFUSED = "111";

describePrivileged("a process that wants to leave the mesh", () => {
  const lab = new MeshLab("bound");
  let status: LabStatus;
  const found = (name: string): LabStatus["pods"][number] => {
    const each = status.pods.find((one) => one.name === name);
    if (each === undefined) throw new Error(`no pod ${name}`);
    return each;
  };
  const bound = async (from: string, to: string, port: number): Promise<string> =>
    (await lab.exec(from, "python3", "-c", BOUND, to, String(port))).stdout.trim();
  /** As whoever gets out of capture in some way: a process in the pod's network that is in none of its cgroups. */
  const escaped = async (from: string, to: string): Promise<string> => {
    const curl = ["curl", "--silent", "--max-time", "5", "--output", "/dev/null", "--write-out", "%{http_code}"];
    return (await tryExec("nsenter", [`--net=${found(from).netns}`, ...curl, `http://${to}:8080/`])).stdout;
  };

  beforeAll(async () => {
    lab.write("all.yaml", [
      namespace("shop", true),
      namespace("evil", true),
      namespace("outside", false),
      pod("shop", "client", "node-1"),
      pod("shop", "near", "node-1", { server: true }),
      pod("shop", "far", "node-2", { server: true }),
      pod("evil", "mallory", "node-1"),
      pod("outside", "plain", "node-1", { server: true }),
      pod("late", "sharer", "node-1", { server: true }),
      service("shop", "near", { app: "near" }),
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "not-evil", namespace: "shop" },
        spec: { action: "DENY", rules: [{ from: [{ source: { namespaces: ["evil"] } }] }] },
      },
    ]);
    lab.write("late.yaml", [namespace("late", false)]);
    await lab.up();
    status = await lab.status();
    await lab.until(
      "the policy is in force",
      async () => (await lab.call("evil/mallory", "http://near.shop/")).status === 403,
    );
  });
  afterAll(() => lab.down());

  it("cannot by a socket that is bound to a device", async () => {
    const { clusterIP } = status.services.find(({ name }) => name === "near") ?? { clusterIP: "" };
    expect(await bound("evil/mallory", found("near").ip, 8080)).toBe(ECONNREFUSED);
    expect(await bound("evil/mallory", found("far").ip, 8080)).toBe(ECONNREFUSED);
    expect(await bound("evil/mallory", clusterIP, 80)).toBe(ECONNREFUSED);
    expect(await bound("evil/mallory", found("plain").ip, 8080)).toBe("200");
  });

  it("is denied by its address, if it gets out otherwise", async () => {
    expect(await escaped("mallory", found("near").ip)).toBe("403");
    expect(await escaped("mallory", found("far").ip)).toBe("403");
    expect(await escaped("client", found("near").ip)).toBe("200");
  });

  it("gets no connection of its pod by sharing the port of Envoy's listener since before the pod joined", async () => {
    const sharer = lab.start("late/sharer", "python3", "-c", SHARER);
    const lines: string[] = [];
    sharer.stdout?.on("data", (data: Buffer) => lines.push(data.toString()));
    await lab.until("the process shares the port", () => lines.join("").includes("shares"));
    lab.write("late.yaml", [namespace("late", true)]);
    const isCaptured = async (): Promise<boolean> =>
      (await bound("late/sharer", found("near").ip, 8080)) === ECONNREFUSED;
    await lab.until("its pod is captured", isCaptured);
    const answers = await lab.calls("shop/client", `http://${found("sharer").ip}:8080/`, CALLS);
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    expect(lines.join("")).not.toContain("took");
    sharer.kill();
  });

  it("finds no keys in core dumps", async () => {
    for (const { agentPid, envoyPid } of await lab.processes())
      for (const pid of [agentPid, envoyPid])
        expect(readFileSync(join("/proc", String(pid), "coredump_filter"), "utf8").trim()).toBe("00000000");
  });
});
