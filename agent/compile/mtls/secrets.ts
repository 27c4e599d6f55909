import { LazyMap } from "../../lib/lazy-map.ts";
import { Remembered } from "../../lib/remember.ts";
import type { Identities, IdentityCertificate } from "../../model/identity.ts";
import type { Workload } from "../../model/workload.ts";
import { spiffeIdOf } from "../../model/spiffe-id.ts";
import {
  SubjectAltNameMatcher_SanType as SanType,
  SubjectAltNameMatcherSchema,
} from "../../xds/gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import { SecretSchema, type Secret } from "../../xds/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { create, type Message } from "../../xds/proto.ts";
import type { ServiceTarget } from "../view/destinations.ts";
import type { NodeView } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";

const PEER = "peer|";

/** Names under which Envoy asks for secrets (SDS). */
export const SECRETS = {
  /** The certificate that a pod's inbound listener presents. */
  server: (spiffeId: string) => spiffeId,
  /**
   * The same for what the pod calls. Under a name of its own: the on-demand selector waits for an update that never comes
   * where a listener has already got the secret of that name.
   */
  client: (spiffeId: string) => `client|${spiffeId}`,
  /** Whom inbound listeners believe: every workload of the trust domain. */
  callers: "callers",
  /** Whom a cluster of a Service believes: the identities of its workloads. */
  peers: (namespace: string, service: string) => `peers|${namespace}/${service}`,
  /** Whom a cluster of one pod believes. */
  peer: (spiffeId: string) => `${PEER}${spiffeId}`,
} as const;

/** Secrets that were made before, by what they were made of. */
export interface SecretMemory {
  readonly certificates: Remembered<IdentityCertificate, Secret>;
  readonly validations: Remembered<Identities, Secret>;
}

export function newSecretMemory(): SecretMemory {
  return { certificates: new Remembered(), validations: new Remembered() };
}

/**
 * Every secret that Envoy may ask for. One that is not there yet (undefined) is one to wait for: Envoy keeps what it has,
 * also from before this agent.
 */
export function secrets(
  view: NodeView,
  { identities, trustDomain }: CompileOptions,
  memory: SecretMemory,
): ReadonlyMap<string, Message | undefined> {
  if (identities === undefined) return new Map();
  const { certificates } = identities;
  const ids = new Set(view.localPods.map(({ workload }) => spiffeIdOf(trustDomain, workload)));
  const validation = (name: string, match: "exact" | "prefix", uris: readonly string[]): Secret | undefined =>
    identities.rootsPem === ""
      ? undefined
      : memory.validations.get(identities, name, uris, () => makeValidation(name, identities.rootsPem, match, uris));
  return new LazyMap<string, Message | undefined>(
    [
      ...[...ids].flatMap((id) =>
        [SECRETS.server(id), SECRETS.client(id)].map(
          (name) => [name, () => certificate(name, certificates.get(id), memory)] as const,
        ),
      ),
      [SECRETS.callers, () => validation(SECRETS.callers, "prefix", [`spiffe://${trustDomain}/`])],
      ...view.mesh.services.map((service) => {
        const name = SECRETS.peers(service.meta.namespace, service.meta.name);
        return [name, () => validation(name, "exact", peers(view.workloadsBehind(service), trustDomain))] as const;
      }),
    ],
    (name) => (name.startsWith(PEER) ? validation(name, "exact", [name.slice(PEER.length)]) : undefined),
  );
}

export function peersSecret({ service: { meta } }: ServiceTarget): string {
  return SECRETS.peers(meta.namespace, meta.name);
}

/**
 * Who may answer for a Service: its workloads, whether they speak mTLS at the moment or not. Envoy has this at once, and
 * endpoints later: handshakes that are under way when a pod leaves the mesh, or stops being ready, still have to find it
 * here. Nobody, where there is none: an empty list would be anybody.
 */
function peers(workloads: readonly Workload[], trustDomain: string): readonly string[] {
  const ids = workloads.map((workload) => spiffeIdOf(trustDomain, workload));
  const sorted = [...new Set(ids)].toSorted();
  return sorted.length === 0 ? ["spiffe://nobody"] : sorted;
}

function certificate(name: string, issued: IdentityCertificate | undefined, memory: SecretMemory): Secret | undefined {
  if (issued === undefined) return undefined;
  return memory.certificates.get(issued, name, [], () =>
    create(SecretSchema, {
      name,
      type: {
        case: "tlsCertificate",
        value: { certificateChain: inline(issued.chainPem), privateKey: inline(issued.keyPem) },
      },
    }),
  );
}

/** Whom to believe: who has a certificate of these roots, for one of `uris`. */
function makeValidation(name: string, rootsPem: string, match: "exact" | "prefix", uris: readonly string[]): Secret {
  return create(SecretSchema, {
    name,
    type: {
      case: "validationContext",
      value: {
        trustedCa: inline(rootsPem),
        matchTypedSubjectAltNames: uris.map((value) =>
          create(SubjectAltNameMatcherSchema, {
            sanType: SanType.URI,
            matcher: { matchPattern: { case: match, value } },
          }),
        ),
      },
    },
  });
}

function inline(text: string) {
  return { specifier: { case: "inlineString" as const, value: text } };
}
