import { assumedIdentities } from "../../agent/compile/assumed-identities.ts";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import { REFUSED_BY_FILTERS } from "../../agent/compile/filters/part-check.ts";
import { newSession, type CompileSession } from "../../agent/compile/session.ts";
import type { CompileOptions, FilterCheck } from "../../agent/compile/view/options.ts";
import { messageOf } from "../../agent/lib/errors.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { openFilterCheck } from "../../agent/node/filter-check.ts";
import { MeshMemory, objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import type { RawObject } from "../../agent/objects/raw-object.ts";
import { rawObject } from "../../agent/sources/identify-object.ts";
import { boundFindings } from "./bounds.ts";
import { decisionFindings } from "./decisions.ts";
import { effectFindings } from "./effects.ts";
import { EnvoyCheck } from "./envoy-check.ts";
import { TENANT } from "./tenant-objects.ts";
import { VICTIM_OBJECTS } from "./victims.ts";
import { wayFindings } from "./ways.ts";

const NODES = ["node-1", "node-2"] as const;

interface Node {
  readonly name: string;
  /** One for all sets, as an agent has it: what it keeps of a set must not show in the next one. */
  readonly session: CompileSession;
  /** What the node is told without the tenant's objects. */
  readonly before: NodeConfig;
}

/** Compiles the victims' objects with a tenant's, and looks for anything that the tenant changes for others. */
export class TenantJudge {
  /** The longest time that the processor took from objects to the configuration of both nodes. */
  longestMs = 0;
  /** Asks Envoy about all of it together: a start of Envoy takes longer than many sets. */
  readonly envoy = new EnvoyCheck();
  readonly #memory = new MeshMemory();
  readonly #victims = raw(VICTIM_OBJECTS, "victims.yaml");
  readonly #nodes: readonly Node[];
  readonly #checkFilters: FilterCheck;
  readonly #hasFault: boolean;

  /** `fault`: what stands in for the filters' own check of their configuration. */
  constructor(fault?: FilterCheck) {
    this.#checkFilters = fault ?? openFilterCheck();
    this.#hasFault = fault !== undefined;
    const mesh = objectsToMesh(this.#victims, {}, this.#memory);
    this.#nodes = NODES.map((name) => {
      const session = newSession(0);
      return { name, session, before: compile(mesh, this.#optionsFor(name, mesh), session) };
    });
  }

  /** What is not as it must be; empty: nothing. */
  findings(objects: readonly unknown[]): readonly string[] {
    // Not the clock: the fuzz runs beside other work.
    const began = process.cpuUsage();
    let told: readonly (Node & { readonly after: NodeConfig })[];
    try {
      const mesh = objectsToMesh([...this.#victims, ...raw(objects, `${TENANT}.yaml`)], {}, this.#memory);
      told = this.#nodes.map((node) => ({
        ...node,
        after: compile(mesh, this.#optionsFor(node.name, mesh), node.session),
      }));
    } catch (error) {
      return [`the agent throws: ${messageOf(error)}`];
    }
    const { user, system } = process.cpuUsage(began);
    const ms = (user + system) / 1_000;
    this.longestMs = Math.max(this.longestMs, ms);
    for (const { before, after } of told) this.envoy.add(before, after);
    return told.flatMap(({ name, before, after }) =>
      [
        ...effectFindings(before, after),
        ...wayFindings(before, after),
        ...boundFindings(before, after, ms),
        ...decisionFindings(before, after),
        ...(this.#hasFault ? [] : refusedParts(after)),
      ].map((finding) => `${name}: ${finding}`),
    );
  }

  #optionsFor(node: string, mesh: Mesh): CompileOptions {
    const options = { node, trustDomain: "cluster.local" };
    const uids = new Map(mesh.workloads.map(({ uid, meta }) => [uid, `/run/netns/${meta.name}`]));
    return {
      ...options,
      rootNamespace: "istio-system",
      cluster: "Kubernetes",
      filterModule: "/filters/chain.wasm",
      checkFilters: this.#checkFilters,
      accessLog: undefined,
      ...assumedIdentities(mesh, { ...options, sandboxes: { netnsOf: (uid) => uids.get(uid) } }),
    };
  }
}

/** The filters read whatever the agent makes of objects. */
function refusedParts({ problems }: NodeConfig): readonly string[] {
  return problems.flatMap(({ code, reason }) => (code === REFUSED_BY_FILTERS ? [reason] : []));
}

function raw(values: readonly unknown[], file: string): readonly RawObject[] {
  return values.flatMap((value, document) => {
    // As a manifest holds it: without what JSON cannot say.
    const written: unknown = JSON.parse(JSON.stringify(value));
    return rawObject(written, { layer: 0, file, document, item: 0 }, []) ?? [];
  });
}
