import { compareText } from "../../lib/compare.ts";
import type { Problem } from "../../model/problem.ts";
import type { Workload } from "../../model/workload.ts";
import { shares } from "../limits/shares.ts";
import type { NodeView } from "../view/node-view.ts";
import type { FilterConfig } from "./filter-config.ts";
import type { PartCheck } from "./part-check.ts";
import { briefPeerString, peerString } from "./peer-string.ts";

/**
 * Bytes of JSON for the pods of all namespaces, some 13,000 of the usual ones. The filters refuse a configuration of more than 8 MiB
 * as a whole, and policies take up to 4 MiB of it (`bound-sets.ts`).
 */
const ALL_PEERS = 3.5 * 2 ** 20;

export interface Peers {
  readonly peers: FilterConfig["peers"];
  readonly problems: readonly Problem[];
}

/**
 * The enrolled pods by their addresses. If they do not fit, each namespace gets a fair share. Pods of one that needs more are known by
 * namespace and principal alone, as policies read no more of them. Those that do not fit even then are strangers.
 */
export function knownPeers(view: Pick<NodeView, "workloadsByAddress">, trustDomain: string, check: PartCheck): Peers {
  const written = [...view.workloadsByAddress]
    .filter(([, { enrolled }]) => enrolled)
    .map(([address, workload]): Peer => ({ address, workload, peer: peerString(workload, trustDomain) }));
  const all = readable(written, trustDomain, check);
  if (sizeOf(all) <= ALL_PEERS) return { peers: all.map(tell), problems: [] };
  const namespaces = new Map<string, Peer[]>();
  for (const each of all) {
    const { namespace } = each.workload.meta;
    const own = namespaces.get(namespace);
    if (own === undefined) namespaces.set(namespace, [each]);
    else own.push(each);
  }
  const wanted = new Map([...namespaces].map(([namespace, own]) => [namespace, sizeOf(own)]));
  const given = shares(wanted, ALL_PEERS);
  const found = [...namespaces].map(([namespace, own]) => {
    const share = given.get(namespace) ?? 0;
    return share === wanted.get(namespace) ? { peers: own, problems: [] } : fitting(own, share, trustDomain);
  });
  return {
    peers: found.flatMap(({ peers }) => peers.map(tell)),
    problems: found.flatMap(({ problems }) => problems),
  };
}

interface Peer {
  readonly address: string;
  readonly workload: Workload;
  readonly peer: string;
}

/** The pods, in which those that the filters refuse are known by namespace and principal alone, or else are strangers. */
function readable(peers: readonly Peer[], trustDomain: string, check: PartCheck): readonly Peer[] {
  const refusals = (some: readonly Peer[]): ReadonlyMap<Peer, string> => {
    const written = some.map((each) => ({ each, told: tell(each), by: each.workload.meta }));
    const refused = check.refused(written, (told) => ({ peers: told }));
    return new Map([...refused].map(([{ each }, reason]) => [each, reason]));
  };
  const refused = refusals(peers);
  if (refused.size === 0) return peers;
  const brief = new Map(
    [...refused.keys()].map((each) => [each, { ...each, peer: briefPeerString(each.workload, trustDomain) }]),
  );
  const strangers = refusals([...brief.values()]);
  return peers.flatMap((each) => {
    const reason = refused.get(each);
    const least = brief.get(each);
    if (reason === undefined || least === undefined) return [each];
    const isStranger = strangers.has(least);
    check.report(each.workload.meta, reason, isStranger ? STRANGER : NO_LABELS);
    return isStranger ? [] : [least];
  });
}

const NO_LABELS = "calls of the pod from other nodes are counted by namespace and principal alone";
const STRANGER = "as a caller in plaintext from another node, the pod is a stranger";

function tell({ address, peer }: Peer): FilterConfig["peers"][number] {
  return { address, peer };
}

/** The pods of a namespace within its share: as many as fit, and as many of those as fit with all their names. */
function fitting(
  own: readonly Peer[],
  share: number,
  trustDomain: string,
): { readonly peers: readonly Peer[]; readonly problems: readonly Problem[] } {
  const brief = own
    .map((each) => ({ full: each, least: { ...each, peer: briefPeerString(each.workload, trustDomain) } }))
    .toSorted((a, b) => compareText(a.full.address, b.full.address));
  let left = share;
  const known = brief.filter(({ least }) => {
    left -= entrySize(least);
    return left >= 0;
  });
  left = Math.max(0, share - sizeOf(known.map(({ least }) => least)));
  const peers = known.map(({ full, least }) => {
    const more = entrySize(full) - entrySize(least);
    if (more > left) return least;
    left -= more;
    return full;
  });
  const [first] = brief.slice(known.length);
  const example = first?.full ?? brief[0]?.full;
  return { peers, problems: example === undefined ? [] : [problemOf(example, first !== undefined)] };
}

function sizeOf(peers: readonly Peer[]): number {
  return peers.reduce((sum, each) => sum + entrySize(each), 0);
}

/** Names, UIDs and label values are ASCII and need no escapes. */
function entrySize({ address, peer }: Peer): number {
  return address.length + peer.length + '{"address":"","peer":""},'.length;
}

function problemOf({ workload: { meta } }: Peer, someAreUnknown: boolean): Problem {
  return {
    severity: "warning",
    code: "limit-reached",
    origin: meta.origin,
    subject: meta,
    field: "status.podIPs",
    reason:
      `the pods of all namespaces need more than ${ALL_PEERS} bytes in the filters' configuration, and ${meta.namespace} needs more ` +
      "than its share: " +
      (someAreUnknown
        ? "as callers in plaintext from other nodes, some of its pods are strangers"
        : "calls of some of its pods from other nodes are counted by namespace and principal alone"),
    remedy: "Run fewer pods in this namespace.",
  };
}
