import { parseAllDocuments } from "../../agent/lib/yaml.ts";
import { withAddresses } from "../policy/world.ts";

interface RawPolicy {
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * A case's policies for one of several servers: what they would say of `web`, or of every pod, they say of that server. Names
 * end in `tag`, and come once: one that was in order and breaks would keep its last good version.
 */
export function guarding(
  policies: string,
  tag: string,
  server: string,
  addresses: (name: string) => readonly string[],
): readonly unknown[] {
  const text = withAddresses(policies, (name) => addresses(name === "web" ? server : name));
  return parseAllDocuments(text).flatMap((document) => {
    const policy = document.toJS() as RawPolicy | null;
    if (policy === null) return [];
    const { metadata, spec } = policy;
    const own = JSON.parse(JSON.stringify(spec).replaceAll('"web"', JSON.stringify(server))) as RawPolicy["spec"];
    const isBound = ["selector", "targetRef", "targetRefs"].some((field) => field in own);
    const selector = isBound ? {} : { selector: { matchLabels: { app: server } } };
    return [{ ...policy, metadata: { ...metadata, name: `${metadata.name}-${tag}` }, spec: { ...own, ...selector } }];
  });
}

/**
 * Denies requests that bear the round's number, and so tells when its policies are everywhere. It changes no case's verdict:
 * of TCP it denies what goes to the port of the requests.
 */
export function roundMarker(round: string): unknown {
  return marker("round", {
    to: [{ operation: { ports: ["8080"] } }],
    when: [{ key: "request.headers[x-round]", values: [round] }],
  });
}

/** The same for connections: denies those of somebody whom no case knows. */
export function connectionMarker(): unknown {
  return marker("connections", {
    from: [{ source: { serviceAccounts: ["dave"] } }],
    to: [{ operation: { ports: ["9000"] } }],
  });
}

function marker(name: string, rule: unknown): unknown {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "shop" },
    spec: { action: "DENY", rules: [rule] },
  };
}
