import type { BackendRef } from "../../model/http-route.ts";
import type { Limits } from "../../model/limits.ts";
import type { Service } from "../../model/service.ts";
import { readFilters } from "./filters.ts";
import { describePorts } from "./parents.ts";
import { quote, type Reader } from "../reader.ts";
import { isGranted, type ReferenceGrant } from "./reference-grant.ts";

/** The objects that a route may refer to, and what routes may use. */
export interface RouteContext {
  readonly services: readonly Service[];
  readonly grants: readonly ReferenceGrant[];
  readonly limits: Limits;
}

/** WeightedCluster: "The sum of weights across all entries in the clusters array must not exceed uint32_t maximal value". */
const MAX_TOTAL_WEIGHT = 4_294_967_295;

const FIELDS = ["group", "kind", "namespace", "name", "port", "weight", "filters"];

/**
 * A rule's backendRefs. A backend that cannot be served stays in the list as invalid: its share of the requests is
 * answered with 500.
 */
export function readBackends(rule: Reader, namespace: string, context: RouteContext): readonly BackendRef[] {
  const refs = rule.field("backendRefs");
  const backends = refs.items().map((ref) => readBackend(ref, namespace, context));
  if (backends.length === 0) {
    refs.warning({
      code: "no-backends",
      reason: "the rule names no backend; its requests are answered 500",
      remedy: "Add backendRefs.",
    });
  }
  // Envoy refuses a whole route table for one such sum.
  if (backends.reduce((sum, { weight }) => sum + weight, 0) > MAX_TOTAL_WEIGHT) {
    const reason = `the weights add up to more than ${MAX_TOTAL_WEIGHT}; the rule's requests are answered 500`;
    refs.invalid("out-of-range", reason, "Make the weights smaller.");
    return backends.map((backend) => ({ ...backend, invalid: true }));
  }
  return backends;
}

function readBackend(ref: Reader, routeNamespace: string, context: RouteContext): BackendRef {
  const before = ref.notes.errors;
  ref.fields(FIELDS);
  const group = ref.field("group").string() ?? "";
  const kind = ref.field("kind").string() ?? "Service";
  const namespace = ref.field("namespace").string() ?? routeNamespace;
  const service = ref.field("name").required().string() ?? "";
  const weight = ref.field("weight").integer(0, 1_000_000) ?? 1;
  const { filters } = readFilters(ref.field("filters"));
  const isService = group === "" && kind === "Service";
  const port = (isService ? ref.field("port").required() : ref.field("port")).port() ?? 0;
  if (!isService) {
    const reason = `${quote(kind)} of group ${quote(group)} cannot be a backend; its requests are answered 500`;
    ref.invalid("unsupported-backend", reason, "Use a Service.");
  }
  // Without a grant the message says nothing about the other namespace, not even whether the Service exists.
  else if (!isGranted(context.grants, routeNamespace, { namespace, service })) {
    const reason = `no ReferenceGrant in namespace ${namespace} lets HTTPRoutes of ${routeNamespace} refer to Service ${quote(service)}`;
    ref.field("namespace").invalid("reference-not-granted", reason, `Add a ReferenceGrant in namespace ${namespace}.`);
  } else if (ref.notes.errors === before) checkTarget(ref, namespace, service, port, context);
  return {
    namespace,
    service,
    port,
    weight,
    invalid: ref.notes.errors !== before,
    filters,
  };
}

function checkTarget(ref: Reader, namespace: string, name: string, port: number, { services }: RouteContext): void {
  const service = services.find(({ meta }) => meta.namespace === namespace && meta.name === name);
  if (service === undefined) {
    const reason = `there is no Service ${quote(`${namespace}/${name}`)}; its requests are answered 500`;
    ref.field("name").invalid("backend-not-found", reason, "Correct the name, or add the Service.");
  } else if (!service.ports.some((candidate) => candidate.port === port)) {
    const reason = `Service ${namespace}/${name} has no TCP port ${port}; its requests are answered 500`;
    ref.field("port").invalid("backend-port-not-found", reason, `Its ports are ${describePorts(service)}.`);
  }
}
