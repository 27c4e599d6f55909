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

/** Names of secrets (SDS). */
export const SECRETS = {
  /** The certificate that a pod's inbound listener presents. */
  server: (spiffeId: string) => spiffeId,
  /**
   * The same certificate, for calls from the pod. It needs a name of its own: the on-demand selector waits for ever for
   * a secret that a listener has already received under the same name.
   */
  client: (spiffeId: string) => `client|${spiffeId}`,
  /** Callers that inbound listeners trust: every workload of the trust domain. */
  callers: "callers",
  /** Servers that the cluster of a Service trusts: the identities of the Service's workloads. */
  peers: (namespace: string, service: string) => `peers|${namespace}/${service}`,
  /** The one server that the cluster of a pod trusts. */
  peer: (spiffeId: string) => `${PEER}${spiffeId}`,
} as const;

/** Earlier results; each is used again while its inputs are the same. */
export interface SecretMemory {
  readonly certificates: Remembered<IdentityCertificate, Secret>;
  readonly validations: Remembered<Identities, Secret>;
}

export function newSecretMemory(): SecretMemory {
  return { certificates: new Remembered(), validations: new Remembered() };
}

/**
 * Every secret that Envoy may ask for. undefined: the secret is not there yet, and Envoy waits for it, or keeps the one
 * that an earlier agent gave.
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
 * The identities that may answer for a Service: those of all its workloads, whether or not callers speak mTLS to them
 * now. Envoy has this list at once and endpoints later, and a handshake that is under way when a pod leaves the mesh,
 * or stops being ready, must still find the pod here. Without workloads the list names an identity that nobody has: an
 * empty list would trust everybody.
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

/** Trusts certificates of the authority's roots whose URI is one of `uris`. */
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
