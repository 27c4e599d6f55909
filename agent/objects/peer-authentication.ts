import type { MeshOptions } from "../model/mesh-options.ts";
import type { ObjectMeta } from "../model/meta.ts";
import type { MtlsMode, PeerAuthentication } from "../model/peer-authentication.ts";
import type { Problem } from "../model/problem.ts";
import { oldestFirst } from "./oldest-first.ts";
import { readSelector } from "./policy-targets.ts";
import type { RawObject } from "./raw-object.ts";
import { Reader } from "./reader.ts";
import { Tally } from "./tally.ts";

/**
 * security.istio.io PeerAuthentications. A mode that the reader does not understand is STRICT: Ambit never enforces
 * less than the object asks for.
 */
export function readPeerAuthentications(
  objects: readonly RawObject[],
  { rootNamespace, limits }: Pick<MeshOptions, "rootNamespace" | "limits">,
  problems: Problem[],
): readonly PeerAuthentication[] {
  const tally = new Tally("modes", "bytes", limits);
  return oldestFirst(objects, problems).map(({ object, notes, meta }) => {
    const over = tally.addSpec(meta.namespace, object);
    const root = new Reader(object.value, notes, { strict: true });
    const policy = readPolicy(root, meta, rootNamespace, over !== undefined);
    if (over === undefined) return policy;
    notes.add("error", ["spec"], { ...over, reason: `${over.reason}: the Pods that it selects are STRICT` });
    return { ...policy, mode: "STRICT", ports: new Map() };
  });
}

/** `isOver`: it exceeds the limit, and its ports are not read. */
function readPolicy(root: Reader, meta: ObjectMeta, rootNamespace: string, isOver: boolean): PeerAuthentication {
  const { notes } = root;
  const errors = notes.errors;
  root.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = root.field("spec").fields(["selector", "mtls", "portLevelMtls"]);
  const selector = selectorOf(spec.field("selector"));
  const portLevel = spec.field("portLevelMtls");
  const entries = isOver ? [] : portLevel.entries();
  const named = entries.flatMap(([name, value]): readonly (readonly [number, Reader])[] => {
    const port = Number(name);
    if (Number.isInteger(port) && port >= 1 && port <= 65_535) return [[port, value]];
    value.invalid("invalid-port", `${JSON.stringify(name)} is no port`, "Give a port of the Pods, from 1 to 65535.");
    return [];
  });
  const said = readMode(spec.field("mtls"));
  // A part that the reader does not understand may be meant for any port.
  const mode = notes.errors === errors ? said : "STRICT";
  const ports = named.flatMap(([port, value]) => {
    const own = readMode(value);
    return own === undefined ? [] : [[port, own] as const];
  });
  if (portLevel.present && selector === undefined) {
    portLevel.warning({
      code: "port-mode-without-selector",
      reason: "modes of ports count only together with a selector; they are not served",
      remedy: "Add spec.selector.matchLabels.",
    });
  }
  if (selector !== undefined && meta.namespace === rootNamespace) {
    spec.field("selector").warning({
      code: "selector-in-root-namespace",
      reason: "a selector in the root namespace selects Pods of that namespace only",
      remedy: "Leave the selector out for the whole mesh, or write it into the Pods' namespace.",
    });
  }
  return { meta, selector, mode, ports: new Map(selector === undefined ? [] : ports) };
}

/** undefined: UNSET, or no mode at all. */
function readMode(mtls: Reader): MtlsMode | undefined {
  const errors = mtls.notes.errors;
  const mode = mtls.fields(["mode"]).field("mode").oneOf(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]);
  if (mtls.notes.errors > errors) return "STRICT";
  return mode === "UNSET" ? undefined : mode;
}

/** An empty selector selects every Pod, as a missing one does. So does one that the reader does not understand. */
function selectorOf(selector: Reader): PeerAuthentication["selector"] {
  const { labels } = readSelector(selector);
  return Object.keys(labels).length === 0 ? undefined : labels;
}
