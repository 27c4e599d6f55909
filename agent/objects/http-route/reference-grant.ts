import { readMeta } from "../object-meta.ts";
import type { RawObject } from "../raw-object.ts";
import type { Reader } from "../reader.ts";

/** gateway.networking.k8s.io ReferenceGrant: lets HTTPRoutes of other namespaces refer to Services of its own. */
export interface ReferenceGrant {
  readonly namespace: string;
  /** Namespaces whose HTTPRoutes may refer. */
  readonly fromNamespaces: readonly string[];
  /** Names of Services; undefined: all of the namespace. */
  readonly services: readonly (string | undefined)[];
}

const ROUTE_GROUP = "gateway.networking.k8s.io";

export function readReferenceGrant(root: Reader, object: RawObject): ReferenceGrant | undefined {
  const meta = readMeta(root, object);
  const spec = root.field("spec").required().fields(["from", "to"]);
  // A grant must not allow anything by mistake: an entry with an error is left out.
  const fromNamespaces = spec
    .field("from")
    .required()
    .list((entry) => entry.notes.unlessErrors(() => readFrom(entry)));
  const services = spec
    .field("to")
    .required()
    .list((entry) => entry.notes.unlessErrors(() => readTo(entry)));
  if (meta === undefined) return undefined;
  return { namespace: meta.namespace, fromNamespaces, services: services.map(({ name }) => name) };
}

/** undefined for kinds other than HTTPRoute. */
function readFrom(entry: Reader): string | undefined {
  entry.fields(["group", "kind", "namespace"]);
  const group = entry.field("group").required().string();
  const kind = entry.field("kind").required().string();
  const namespace = entry.field("namespace").required().string();
  return group === ROUTE_GROUP && kind === "HTTPRoute" ? namespace : undefined;
}

/** undefined for kinds other than Service. */
function readTo(entry: Reader): { readonly name: string | undefined } | undefined {
  entry.fields(["group", "kind", "name"]);
  const group = entry.field("group").required().string();
  const kind = entry.field("kind").required().string();
  const name = entry.field("name").string();
  return group === "" && kind === "Service" ? { name } : undefined;
}

/** May an HTTPRoute of one namespace send requests to a Service of another? */
export function isGranted(
  grants: readonly ReferenceGrant[],
  from: string,
  to: { readonly namespace: string; readonly service: string },
): boolean {
  return (
    from === to.namespace ||
    grants.some(
      (grant) =>
        grant.namespace === to.namespace &&
        grant.fromNamespaces.includes(from) &&
        grant.services.some((name) => name === undefined || name === to.service),
    )
  );
}
