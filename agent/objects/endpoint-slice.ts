import type { Endpoint, EndpointPort, EndpointSlice } from "../model/endpoint.ts";
import { canonicalAddress, familyOf } from "../lib/ip-address.ts";
import { IP_FAMILY_NAMES, ipFamilyNamed, type IpFamilyName } from "./ip-family.ts";
import { isDnsLabel, isDnsSubdomain } from "./valid-names.ts";
import { readMeta } from "./object-meta.ts";
import type { RawObject } from "./raw-object.ts";
import type { Reader } from "./reader.ts";

/** The label of an EndpointSlice that names its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** discovery.k8s.io/v1 EndpointSlice. undefined for one that belongs to no Service or holds host names. */
export function readEndpointSlice(root: Reader, object: RawObject): EndpointSlice | undefined {
  root.fields(["apiVersion", "kind", "metadata", "addressType", "endpoints", "ports"], "warning");
  const meta = readMeta(root, object);
  const type = root
    .field("addressType")
    .required()
    .oneOf([...IP_FAMILY_NAMES, "FQDN"]);
  if (meta === undefined || type === undefined) return undefined;
  if (type === "FQDN") {
    const reason = "endpoints by host name are not supported";
    return root
      .field("addressType")
      .invalid("unsupported-field", reason, "Write addresses, with addressType IPv4 or IPv6.");
  }
  const service = meta.labels[SERVICE_NAME_LABEL];
  if (service === undefined || service === "") {
    root
      .field("metadata")
      .field("labels")
      .warning({
        code: "slice-without-service",
        reason: `the label ${SERVICE_NAME_LABEL} is missing: the slice belongs to no Service`,
        remedy: `Add the label ${SERVICE_NAME_LABEL} with the Service's name.`,
      });
    return undefined;
  }
  return {
    meta,
    service,
    ports: root.field("ports").list((entry) => entry.notes.unlessErrors(() => readPort(entry))),
    endpoints: root.field("endpoints").list((entry) => readEndpoint(entry, type)),
  };
}

/** undefined for ports that are not TCP. */
function readPort(entry: Reader): EndpointPort | undefined {
  entry.fields(["name", "port", "protocol", "appProtocol"], "warning");
  const written = readSlicePort(entry);
  return written === undefined || written.transport !== "TCP" ? undefined : { name: written.name, port: written.port };
}

/** A port of an EndpointSlice as it is written, whatever its transport protocol. */
export function readSlicePort(
  entry: Reader,
): (EndpointPort & { readonly transport: "TCP" | "UDP" | "SCTP" }) | undefined {
  const transport = entry.field("protocol").oneOf(["TCP", "UDP", "SCTP"]) ?? "TCP";
  const name = entry
    .field("name")
    .parsed(
      (text) => (text === "" || isDnsLabel(text) ? text : undefined),
      "a port's name",
      "Use the Service port's name.",
    );
  const port = entry.field("port").required().port();
  return port === undefined ? undefined : { name: name ?? "", port, transport };
}

/** undefined where it has no address of the slice's family. */
export function readEndpoint(entry: Reader, type: IpFamilyName): Endpoint | undefined {
  const addresses = entry
    .field("addresses")
    .required()
    .list((field) =>
      field.parsed(
        (text) => {
          const address = canonicalAddress(text);
          return address !== undefined && familyOf(address) === ipFamilyNamed(type) ? address : undefined;
        },
        `an ${type} address`,
        `Write an ${type} address, or change addressType.`,
      ),
    );
  if (addresses.length === 0) return undefined;
  const target = entry.field("targetRef");
  const pod = target.field("kind").string() === "Pod" ? target.field("name").string() : undefined;
  const node = entry.field("nodeName").string();
  return {
    addresses,
    // Kubernetes: consumers treat "unknown" as ready.
    ready: entry.field("conditions").field("ready").boolean() ?? true,
    node: node !== undefined && isDnsSubdomain(node) ? node : "",
    pod: pod !== undefined && isDnsSubdomain(pod) ? pod : undefined,
  };
}
