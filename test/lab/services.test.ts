import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describePrivileged } from "../support/privileges.ts";
import { TestLab } from "./lab-fixture.ts";

const SERVER = `
require("http").createServer((q, r) => r.end(process.env.POD)).listen(8080, "::");
const socket = require("dgram").createSocket("udp6");
socket.on("message", (_, { port, address }) => socket.send(process.env.POD, port, address));
socket.bind(9000, "::")`;

const MANIFESTS = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: app
          command: [node, -e, ${JSON.stringify(SERVER)}]
          env: [{ name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ipFamilyPolicy: RequireDualStack
  ports:
    - { name: http, port: 80, targetPort: 8080 }
    - { name: echo, port: 9, targetPort: 9000, protocol: UDP }
---
{ apiVersion: v1, kind: Service, metadata: { name: nobody }, spec: { selector: { app: none }, ports: [{ port: 80 }] } }
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { nodeName: node-2, containers: [{ name: c, command: [sleep, "1000"] }] }
`;

/** Prints the answers of a Service as JSON. Arguments: "tcp", "udp" or "udp-connected"; an address; the number of calls. */
const CLIENT = `
import json, socket, sys
how, address, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
seen = []
for _ in range(times):
    try:
        with socket.socket(family, socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            to = (address, 80 if how == "tcp" else 9)
            if how != "udp": s.connect(to)
            if how == "tcp": s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            elif how == "udp": s.sendto(b"?", to)
            else: s.send(b"?")
            data, peer = s.recvfrom(4096) if how == "udp" else (s.recv(4096), s.getpeername())
            while how == "tcp" and (more := s.recv(4096)): data += more
            seen.append({"pod": data.decode().split("\\r\\n")[-1], "peer": peer[0], "port": peer[1]})
    except OSError as error:
        seen.append({"error": type(error).__name__})
print(json.dumps(seen))
`;

interface Seen {
  readonly pod?: string;
  readonly peer?: string;
  readonly port?: number;
  readonly error?: string;
}

describePrivileged("Services of a lab, for pods outside the mesh", () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = new TestLab({ "all.yaml": MANIFESTS });
    lab.write("client.py", CLIENT);
    expect((await lab.up()).stderr).toContain("ready:");
  });
  afterAll(() => lab.remove());

  async function call(how: string, address: string, times = 1): Promise<readonly Seen[]> {
    const script = join(lab.manifests, "client.py");
    const { stdout, stderr } = await lab.exec("default/client", "python3", script, how, address, String(times));
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as readonly Seen[];
  }

  async function addresses(service: string): Promise<readonly string[]> {
    const found = (await lab.status()).services.find(({ name }) => name === service);
    return found?.clusterIPs ?? [];
  }

  test.each([
    ["tcp", 80],
    ["udp", 9],
    ["udp-connected", 9],
  ])("%s reaches every endpoint by both families, and shows the Service's address", async (how, port) => {
    const both = await addresses("web");
    expect(both).toHaveLength(2);
    const pods = (await lab.status()).pods.filter(({ name }) => name.startsWith("web-")).map(({ name }) => name);
    for (const address of both) {
      const seen = await call(how, address, 40);
      expect(seen.filter(({ error }) => error !== undefined)).toEqual([]);
      expect([...new Set(seen.map(({ pod }) => pod))].sort()).toEqual(pods.sort());
      expect([...new Set(seen.map(({ peer }) => peer))]).toEqual([address]);
      expect([...new Set(seen.map(({ port: shown }) => shown))]).toEqual([port]);
    }
  });

  test("a Service without endpoints refuses at once", async () => {
    const [address = ""] = await addresses("nobody");
    expect(await call("tcp", address)).toEqual([{ error: "ConnectionRefusedError" }]);
  });

  test("a socket that dials another address shows that one", async () => {
    const [address = ""] = await addresses("web");
    const pod = (await lab.status()).pods.find(({ name }) => name.startsWith("web-"))?.ip ?? "";
    const script = [
      "import socket, sys",
      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
      "for address, port in ((sys.argv[1], 9), (sys.argv[2], 9000)):",
      "    s.connect((address, port)); print(*s.getpeername())",
    ].join("\n");
    const { stdout } = await lab.exec("default/client", "python3", "-c", script, address, pod);
    expect(stdout).toBe(`${address} 9\n${pod} 9000\n`);
  });

  test("an endpoint that goes takes no more calls, and none of them fails", async () => {
    lab.write("all.yaml", MANIFESTS.replace("replicas: 2", "replicas: 1"));
    const { services } = await lab.until(({ pods, ready }) => ready && pods.length === 2);
    const endpoints = services.find(({ name }) => name === "web")?.endpoints ?? [];
    const left = new Set(endpoints.map(({ pod }) => pod));
    expect(left.size).toBe(1);
    const seen = await call("tcp", (await addresses("web"))[0] ?? "", 40);
    expect(new Set(seen.map(({ pod }) => pod))).toEqual(left);
  });
});
