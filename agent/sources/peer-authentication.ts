import type { ObjectMeta } from "../model/meta.ts";
import type { MtlsMode, PeerAuthentication } from "../model/peer-authentication.ts";
import type { Problem } from "../model/problem.ts";
import { Notes } from "./notes.ts";
import { readLabels, readMeta } from "./object-meta.ts";
import type { RawObject } from "./raw-object.ts";
import { Reader } from "./reader.ts";

/** security.istio.io PeerAuthentications. A mode that is not understood is STRICT: less than what was asked for is never served. */
export function readPeerAuthentications(
  objects: readonly RawObject[],
  rootNamespace: string,
  problems: Problem[],
): readonly PeerAuthentication[] {
  return objects.flatMap((object) => {
    const notes = new Notes(object, problems);
    const meta = readMeta(new Reader(object.value, notes), object);
    if (meta === undefined) return [];
    return [readPolicy(new Reader(object.value, notes, { strict: true }), meta, rootNamespace)];
  });
}

function readPolicy(root: Reader, meta: ObjectMeta, rootNamespace: string): PeerAuthentication {
  root.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = root.field("spec").fields(["selector", "mtls", "portLevelMtls"]);
  const selector = readSelector(spec.field("selector"));
  const portLevel = spec.field("portLevelMtls");
  const ports = portLevel.entries().flatMap(([name, value]): readonly (readonly [number, MtlsMode])[] => {
    const port = Number(name);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      value.invalid("invalid-port", `${JSON.stringify(name)} is no port`, "Give a port of the Pods, from 1 to 65535.");
      return [];
    }
    const mode = readMode(value);
    return mode === undefined ? [] : [[port, mode]];
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
  return { meta, selector, mode: readMode(spec.field("mtls")), ports: new Map(selector === undefined ? [] : ports) };
}

/** undefined: UNSET, or nothing said. */
function readMode(mtls: Reader): MtlsMode | undefined {
  if (!mtls.present) return undefined;
  const field = mtls.fields(["mode"]).field("mode");
  if (!field.present) return undefined;
  const mode = field.oneOf(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]);
  return mode === "UNSET" ? undefined : (mode ?? "STRICT");
}

/** An empty selector selects all, like none. One that is not understood does, too. */
function readSelector(selector: Reader): Readonly<Record<string, string>> | undefined {
  if (!selector.present) return undefined;
  const labels = selector.notes.unlessErrors(() => {
    selector.fields(["matchLabels"]);
    return readLabels(selector.field("matchLabels"));
  });
  return labels === undefined || Object.keys(labels).length === 0 ? undefined : labels;
}
