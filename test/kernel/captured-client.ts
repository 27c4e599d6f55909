import { type Capture, openCapture } from "../../agent/kernel/capture.ts";
import { put, type TestPod, Topology } from "./topology.ts";

/**
 * A captured pod that calls a server: the mesh has the server's port 8080, over IPv4 as HTTP and over IPv6 as bytes, and not its
 * port 9090. No pod has 10.96.0.10, where a Service is.
 */
export async function capturedClient(): Promise<{
  readonly net: Topology;
  readonly client: TestPod;
  readonly server: TestPod;
  readonly capture: Capture;
}> {
  const net = await new Topology().up();
  const client = await net.pod("client", 2);
  const server = await net.pod("server", 3);
  const capture = openCapture(net);
  await net.serve(net.proxy, "proxy", client.netns);
  await net.serve(server, "app", server.ipv4, 8080, server.ipv6, 8080, server.ipv4, 9090);
  capture.setDestinations([
    { address: server.ipv4, port: 8080, mode: "http" },
    { address: server.ipv6, port: 8080, mode: "tcp" },
    { address: "10.96.0.10", port: 80, mode: "detect" },
  ]);
  put(capture, client, "captured");
  return { net, client, server, capture };
}
