import type { Service, ServicePort } from "../model/service.ts";
import { canonicalAddress } from "../lib/ip-address.ts";
import { isDnsLabel, isPortName } from "./valid-names.ts";
import { readLabels, readMeta } from "./object-meta.ts";
import { protocolOf } from "./port-protocol.ts";
import type { RawObject } from "./raw-object.ts";
import { quote, words, type Reader } from "./reader.ts";

/** A Service, with what only its endpoints need. */
export interface ReadService {
  readonly service: Service;
  /** Labels of the Pods behind it; empty: its EndpointSlices are written by somebody else. */
  readonly selector: Readonly<Record<string, string>>;
  readonly publishNotReady: boolean;
}

const SPEC_FIELDS = words(`
  type clusterIP clusterIPs ports selector sessionAffinity sessionAffinityConfig ipFamilies ipFamilyPolicy
  publishNotReadyAddresses externalIPs externalName externalTrafficPolicy internalTrafficPolicy
  healthCheckNodePort allocateLoadBalancerNodePorts loadBalancerClass loadBalancerIP loadBalancerSourceRanges
  trafficDistribution
`);
const PORT_FIELDS = ["name", "port", "targetPort", "protocol", "appProtocol", "nodePort"];

/** What a Service's spec says for the cluster as well as for the mesh. */
export interface ServiceSpec {
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly headless: boolean;
  /** Virtual addresses in canonical form; none where the cluster chooses them, and for a headless Service. */
  readonly clusterIPs: readonly string[];
  /** Labels of the Pods behind it; empty: its EndpointSlices are written by somebody else. */
  readonly selector: Readonly<Record<string, string>>;
  readonly publishNotReady: boolean;
}

export function readServiceSpec(spec: Reader): ServiceSpec {
  const headless = spec.field("clusterIP").raw === "None";
  return {
    type: spec.field("type").oneOf(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]) ?? "ClusterIP",
    headless,
    clusterIPs: headless ? [] : readClusterIPs(spec),
    selector: readLabels(spec.field("selector")),
    publishNotReady: spec.field("publishNotReadyAddresses").boolean() ?? false,
  };
}

/** core/v1 Service. undefined for one that has no endpoints of its own (ExternalName). */
export function readService(root: Reader, object: RawObject): ReadService | undefined {
  const meta = readMeta(root, object, "label");
  const spec = root.field("spec").fields(SPEC_FIELDS, "warning");
  const { type, headless, clusterIPs, selector, publishNotReady } = readServiceSpec(spec);
  if (meta === undefined || type === "ExternalName") return undefined;
  return {
    service: {
      ...{ meta, clusterIPs, headless },
      externalAddresses: headless ? [] : readExternalAddresses(root, spec),
      ports: readPorts(spec.field("ports")),
    },
    selector,
    publishNotReady,
  };
}

function readClusterIPs(spec: Reader): readonly string[] {
  const read = (field: Reader): string | undefined =>
    field.raw === ""
      ? undefined
      : field.parsed(canonicalAddress, "an IP address", "Leave clusterIP out, or write an IPv4 or IPv6 address.");
  const list = spec.field("clusterIPs").list(read);
  if (list.length > 0) return [...new Set(list)];
  const single = read(spec.field("clusterIP"));
  return single === undefined ? [] : [single];
}

/** As with kube-proxy, which calls of the cluster's pods to these addresses do not pass by. */
function readExternalAddresses(root: Reader, spec: Reader): readonly string[] {
  const read = (field: Reader): string | undefined =>
    field.parsed(canonicalAddress, "an IP address", "Write an IPv4 or IPv6 address.");
  const external = spec.field("externalIPs").list(read);
  // kube-proxy refuses callers outside these ranges, which Ambit does not know to do.
  const isOpen = spec.field("loadBalancerSourceRanges").items().length === 0;
  const balanced = root
    .field("status")
    .field("loadBalancer")
    .field("ingress")
    .list((entry) => {
      const viaProxy = entry.field("ipMode").raw === "Proxy";
      return viaProxy || !entry.field("ip").isWritten ? undefined : read(entry.field("ip"));
    });
  return [...new Set([...external, ...(isOpen ? balanced : [])])];
}

function readPorts(ports: Reader): readonly ServicePort[] {
  const read: ServicePort[] = [];
  const several = ports.items().length > 1;
  for (const entry of ports.items()) {
    const port = entry.notes.unlessErrors(() => readPort(entry, several));
    if (port === undefined) continue;
    const twin = read.find((other) => other.port === port.port || other.name === port.name);
    if (twin === undefined) read.push(port);
    else {
      const what = twin.port === port.port ? `port ${port.port}` : `the name ${quote(port.name)}`;
      entry.invalid(
        "duplicate-port",
        `${what} is taken by an earlier port of this Service`,
        "Change or remove one of them.",
      );
    }
  }
  return read;
}

/** undefined for ports that are not TCP. */
function readPort(entry: Reader, several: boolean): ServicePort | undefined {
  entry.fields(PORT_FIELDS, "warning");
  const written = readServicePort(entry, several);
  if (written === undefined || written.transport !== "TCP") return undefined;
  const { name, port, targetPort, appProtocol } = written;
  return { name, port, targetPort, protocol: protocolOf(port, name, appProtocol) };
}

/** A port of a Service as it is written, whatever its transport protocol. */
export interface WrittenServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number | string;
  readonly transport: "TCP" | "UDP" | "SCTP";
  readonly appProtocol: string | undefined;
}

/** `several`: the Service has more than one port, so that each needs a name. */
export function readServicePort(entry: Reader, several: boolean): WrittenServicePort | undefined {
  const transport = entry.field("protocol").oneOf(["TCP", "UDP", "SCTP"]) ?? "TCP";
  const nameField = several ? entry.field("name").required() : entry.field("name");
  const name = nameField.parsed(
    (text) => (text === "" || isDnsLabel(text) ? text : undefined),
    "a port's name",
    NAME_REMEDY,
  );
  const port = entry.field("port").required().port();
  const targetPort = readTargetPort(entry.field("targetPort"));
  const appProtocol = entry.field("appProtocol").string();
  if (port === undefined) return undefined;
  return {
    name: name ?? "",
    port,
    targetPort: targetPort ?? port,
    transport,
    appProtocol: appProtocol === "" ? undefined : appProtocol,
  };
}

const NAME_REMEDY = "Use lower-case letters, digits and hyphens, a letter or digit first and last.";

function readTargetPort(field: Reader): number | string | undefined {
  if (typeof field.raw === "number") {
    // 0 is what the API server stores for a targetPort that was left out.
    return field.raw === 0 ? undefined : field.port();
  }
  return field.parsed(
    (text) => (isPortName(text) ? text : undefined),
    "a port's number or the name of a container's port",
    "Write a number from 1 to 65535 without quotes, or a name of at most 15 characters.",
  );
}
