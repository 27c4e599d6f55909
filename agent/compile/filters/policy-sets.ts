import { createHash } from "node:crypto";
import { compareText } from "../../lib/compare.ts";
import type { AuthorizationPolicy } from "../../model/authorization-policy.ts";
import type { Workload } from "../../model/workload.ts";
import { applicablePolicies, decides } from "../policy/applicable.ts";
import type { Problem } from "../../model/problem.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import type { NodeView } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";
import { boundSets, type WrittenSet } from "./bound-sets.ts";
import { changedRequests } from "./changed-requests.ts";
import type { FilterJwtRule, FilterPolicy, FilterPolicySet } from "./filter-config.ts";
import { filterPolicies, policyName, readablePolicies } from "./filter-policy.ts";
import { guardedDestinations } from "./guarded-destinations.ts";
import { jwtRules, type WorkloadTokens } from "./jwt-rules.ts";
import type { PartCheck, Written } from "./part-check.ts";
import { tooOften } from "./too-often.ts";

/**
 * Which policies guard which workload. The id of a set joins the names of its objects, so it is stable, and readable in
 * a dump.
 */
export interface PolicySets {
  /** The set of a workload; undefined: no policies and no rules for tokens apply to it. */
  setOf(workload: Workload | undefined): string | undefined;
  /** The set, if it can refuse a connection: AUDIT and dry-run policies only report, and only HTTP carries tokens. */
  decidingSetOf(workload: Workload | undefined): string | undefined;
  /**
   * `uniform`: all backends share one set and one port, and the caller's pass sees what they will receive; `mixed`: the
   * destination's own pass has to decide; `none`: none has a set. `cluster`: the name of its endpoints.
   */
  guardOf(target: Pick<ServiceTarget, "cluster" | "backends">): TargetGuard;
  readonly sets: readonly FilterPolicySet[];
  /** The same sets for connections whose bytes are not read. */
  readonly tcpSets: readonly FilterPolicySet[];
  readonly jwtRules: readonly FilterJwtRule[];
  /** Which sets are too large together, so that they deny every call. */
  readonly problems: readonly Problem[];
}

type Scope = Pick<CompileOptions, "rootNamespace" | "trustDomain" | "fetchedKeys">;

export type TargetGuard =
  | { readonly kind: "none" }
  | { readonly kind: "uniform"; readonly policySet: string; readonly port: number }
  | { readonly kind: "mixed" };

export function policySets(
  view: NodeView,
  targets: readonly ServiceTarget[],
  dialled: readonly Destination[],
  scope: Scope,
  check: PartCheck,
): PolicySets {
  const byUid = new Map<string, string>();
  const written = new Map<string, WrittenSet>();
  const shells = new Map<string, Written<FilterPolicySet>>();
  const made = filterPolicies();
  const deciding = new Set<string>();
  const alone = new Set<string>();
  const policiesOf = applicablePolicies(view.mesh, scope, (all) => readablePolicies(all, made, check));
  const authentications = jwtRules(view.mesh, scope, check);
  const changed = changedRequests(view);
  // A pod of this node that leaves is still captured, and its policies hold as long.
  const leaving = new Set(
    view.knownPods.flatMap(({ workload, state }) => (state.phase === "leaving" ? [workload] : [])),
  );
  for (const workload of view.mesh.workloads) {
    // Only enrolled pods can be captured, so policies apply to them alone.
    if ((!workload.enrolled && !leaving.has(workload)) || workload.terminated) continue;
    const policies = policiesOf(workload);
    const tokens = authentications.of(workload);
    if (policies.length === 0 && tokens.names.length === 0) continue;
    const id = setId([...policies.map(policyName), ...tokens.names.map((name) => `jwt:${name}`)]);
    byUid.set(workload.uid, id);
    if (written.has(id)) continue;
    shells.set(id, { told: setFrom(id, [], tokens), by: policies[0]?.meta ?? tokens.subject ?? workload.meta });
    const own = policies.find(({ meta }) => meta.namespace === workload.meta.namespace);
    written.set(id, {
      id,
      // A set of the root namespace alone guards pods of several namespaces.
      namespace: own !== undefined || tokens.names.length > 0 ? workload.meta.namespace : scope.rootNamespace,
      subject: own?.meta ?? policies[0]?.meta ?? tokens.subject,
      set: setFrom(id, policies.map(made.http), tokens),
      tcpSet: setFrom(id, policies.filter(decides).map(made.tcp), { ...tokens, rules: [] }),
    });
    if (policies.some(decides) || tokens.refused.length > 0) deciding.add(id);
    if (policies.some(asksWhatOnlyTheDestinationKnows)) alone.add(id);
  }
  // What the policies say has been checked. The filters deny where a set that they are told to use is missing.
  const readable = new Set(
    check.readable([...shells.values()], (all) => ({ policySets: all }), "the pods that it selects refuse every call"),
  );
  for (const [id, { told }] of shells) {
    if (readable.has(told)) continue;
    written.delete(id);
    deciding.add(id);
    alone.add(id);
  }
  const { sets, tcpSets, refused, problems } = boundSets([...written.values()], authentications.rules);
  for (const id of refused) deciding.add(id);
  const setOf = (workload: Workload | undefined): string | undefined =>
    workload === undefined ? undefined : byUid.get(workload.uid);
  // The caller's side does not know those; the destination's own pass has to decide.
  const untold = new Set<string>();
  if (byUid.size > 0) {
    const guarded = guardedDestinations(setOf, targets, dialled);
    for (const id of tooOften(written, guarded)) alone.add(id);
    const taken = new Set(check.readable(guarded, (clusters) => ({ clusters }), DECIDED_THERE));
    for (const { told, endpoints } of guarded) if (!taken.has(told)) untold.add(endpoints);
  }
  return {
    setOf,
    decidingSetOf(workload) {
      const id = setOf(workload);
      return id !== undefined && deciding.has(id) ? id : undefined;
    },
    guardOf(target) {
      // Without sets the backends need not be computed.
      if (byUid.size === 0) return { kind: "none" };
      const { backends, cluster } = target;
      const [first, ...rest] = backends;
      if (first === undefined) return { kind: "none" };
      const policySet = setOf(first.workload);
      if (rest.some((other) => setOf(other.workload) !== policySet)) return { kind: "mixed" };
      if (policySet === undefined) return { kind: "none" };
      if (alone.has(policySet) || untold.has(cluster)) return { kind: "mixed" };
      // The router changes headers after the filters of the caller's pass.
      if (changed.has(cluster)) return { kind: "mixed" };
      // The filter that removes a token must be the last one that reads it, wherever the pods are: the destination's own.
      if (sets.get(policySet)?.jwtRules.some(authentications.takesAway) === true) return { kind: "mixed" };
      return rest.some((other) => other.port !== first.port)
        ? { kind: "mixed" }
        : { kind: "uniform", policySet, port: first.port };
    },
    sets: [...sets.values()].toSorted(byId),
    tcpSets: tcpSets.toSorted(byId),
    problems,
    jwtRules: authentications.rules,
  };
}

const DECIDED_THERE = "calls to it are decided by the filters of its pods alone";

function byId(a: FilterPolicySet, b: FilterPolicySet): number {
  return compareText(a.id, b.id);
}

function setFrom(id: string, policies: readonly FilterPolicy[], tokens: WorkloadTokens): FilterPolicySet {
  return { id, policies: [...tokens.refused.map(refusal), ...policies], jwtRules: tokens.rules };
}

/** The id of a set joins the names of its objects as far as there is room: each destination that the set guards bears it. */
function setId(names: readonly string[]): string {
  const all = names.join(",");
  if (all.length <= MAX_ID) return all;
  const hash = createHash("sha256").update(all).digest("hex").slice(0, 32);
  return `${all.slice(0, MAX_ID - hash.length - 1)}#${hash}`;
}

const MAX_ID = 160;

/** An object that could not be read stands among the policies and denies every call. */
function refusal(name: string): FilterPolicy {
  return { name, action: "DENY", dryRun: false, alwaysDeny: true, rules: [] };
}

/** Only the destination's own listener knows at which of its addresses a call arrived, and writes the caller's certificate. */
function asksWhatOnlyTheDestinationKnows({ rules }: AuthorizationPolicy): boolean {
  return rules.some(({ when }) =>
    when.some(
      ({ attribute, path }) =>
        attribute === "destination.ip" || (attribute === "request.headers" && path[0] === "x-forwarded-client-cert"),
    ),
  );
}
