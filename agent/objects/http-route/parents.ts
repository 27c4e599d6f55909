import type { ServiceParent } from "../../model/http-route.ts";
import type { Service } from "../../model/service.ts";
import { quote, type Reader } from "../reader.ts";

/** Services that a route is attached to (GAMMA, GEP-1426). Parents that cannot be served are reported and left out. */
export function readParents(refs: Reader, namespace: string, services: readonly Service[]): readonly ServiceParent[] {
  return refs.required().list((ref) => ref.notes.unlessErrors(() => readParent(ref, namespace, services)));
}

function readParent(ref: Reader, namespace: string, services: readonly Service[]): ServiceParent | undefined {
  ref.fields(["group", "kind", "namespace", "name", "sectionName", "port"]);
  const group = ref.field("group").string() ?? "gateway.networking.k8s.io";
  const kind = ref.field("kind").string() ?? "Gateway";
  const name = ref.field("name").required().string();
  const parentNamespace = ref.field("namespace").string() ?? namespace;
  const portNumber = ref.field("port").port();
  const sectionName = ref.field("sectionName").string();
  if (name === undefined) return undefined;
  if (kind === "Gateway") {
    const reason = "Gateways are not supported yet; the route is not served for this parent";
    return ref.invalid("unsupported-parent", reason, 'For calls inside the mesh use kind: Service and group: "".');
  }
  if (group !== "" || kind !== "Service") {
    const where = group === "" ? "the core group" : group;
    const reason = `${kind} of ${where} cannot be the parent of a route`;
    return ref.invalid("unsupported-parent", reason, 'Use kind: Service and group: "".');
  }
  if (parentNamespace !== namespace) {
    const reason = `the route is in namespace ${namespace}, its parent in ${parentNamespace}: consumer routes are not supported`;
    return ref.invalid("unsupported-parent", reason, "Put the route into the namespace of its Service.");
  }
  const service = services.find(({ meta }) => meta.namespace === namespace && meta.name === name);
  if (service === undefined) {
    const reason = `there is no Service ${quote(`${namespace}/${name}`)}`;
    return ref.field("name").invalid("parent-not-found", reason, "Correct the name, or add the Service.");
  }
  if (portNumber === undefined && sectionName === undefined) {
    warnWithoutHttp(ref, service, service.ports);
    return { namespace, service: name, port: undefined };
  }
  const ports = service.ports.filter(
    (port) => (portNumber ?? port.port) === port.port && (sectionName ?? port.name) === port.name,
  );
  const [port] = ports;
  if (port === undefined) {
    const reason = `Service ${namespace}/${name} has no such TCP port`;
    return ref
      .field(portNumber === undefined ? "sectionName" : "port")
      .invalid("parent-port-not-found", reason, `Its ports are ${describePorts(service)}.`);
  }
  warnWithoutHttp(ref, service, ports);
  return { namespace, service: name, port: port.port };
}

function warnWithoutHttp(ref: Reader, service: Service, ports: Service["ports"]): void {
  if (ports.length === 0 || ports.some((port) => port.protocol !== "tcp")) return;
  ref.warning({
    code: "route-on-tcp-port",
    reason: `the ports of ${service.meta.namespace}/${service.meta.name} carry plain TCP: the route has no effect on them`,
    remedy: "Set the port's appProtocol to http, or name it http.",
  });
}

export function describePorts(service: Service): string {
  const ports = service.ports.map(({ name, port }) => (name === "" ? `${port}` : `${port} (${name})`));
  return ports.length === 0 ? "none" : ports.join(", ");
}
