import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compile, type NodeConfig } from "../../agent/compile/compile.ts";
import type { CompileOptions } from "../../agent/compile/view/options.ts";
import { newSession } from "../../agent/compile/session.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import type { LocalPodState, PodState } from "../../agent/model/pod-state.ts";
import { MeshMemory, objectsToMesh } from "../../agent/objects/objects-to-mesh.ts";
import { parseManifest } from "../../agent/sources/parse-manifest.ts";
import type { TypedExtensionConfig } from "../../agent/xds/gen/envoy/config/core/v3/extension_pb.ts";
import { WasmSchema } from "../../agent/xds/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import type { PluginConfig } from "../../agent/xds/gen/envoy/extensions/wasm/v3/wasm_pb.ts";
import { fromBinary, toBinary, type Message } from "../../agent/xds/proto.ts";
import { registry } from "../../agent/xds/registry.ts";
import { GOLDEN_INPUT, goldenOptions } from "../golden/golden-options.ts";
import { fc } from "../support/random.ts";

const objects = ["shop.yaml", "policies.yaml"].flatMap(
  (file, layer) => parseManifest(file, layer, readFileSync(join(GOLDEN_INPUT, file), "utf8")).objects,
);

const STATES: readonly PodState[] = [
  { phase: "waiting", since: 0, strict: false, inbound: "open", listeners: "none" },
  { phase: "guarded", since: 0, strict: true, inbound: "captured" },
  { phase: "captured", since: 0, strict: false, announced: undefined, followedAt: undefined },
  { phase: "captured", since: 0, strict: true, announced: 0, followedAt: 0 },
  { phase: "left", listeners: "all" },
];

interface Step {
  /** Indices into the lists that they choose from. */
  readonly without: readonly number[];
  readonly state: number;
  readonly roots: number;
  readonly remote: boolean;
}

const steps = fc.array(
  fc.record({
    without: fc.array(fc.nat(objects.length - 1), { maxLength: 3 }),
    state: fc.nat(STATES.length - 1),
    roots: fc.nat(1),
    remote: fc.boolean(),
  }),
  { minLength: 2, maxLength: 5 },
);

/** Authorities with one root or another; the objects stay the same, as those of a running agent do. */
function optionsOf(mesh: Mesh, { state, roots, remote }: Step): CompileOptions {
  const options = goldenOptions(mesh);
  const { identities } = options;
  const moved = ([uid, { netns, addresses }]: [string, LocalPodState], index: number): [string, LocalPodState] => {
    const to = STATES[(state + index) % STATES.length];
    return [uid, { netns, addresses, state: to ?? { phase: "outside" } }];
  };
  return {
    ...options,
    pods: new Map([...options.pods].map(moved)),
    identities: identities && { ...identities, rootsPem: `(roots ${roots})` },
    remoteCaptured: remote ? options.remoteCaptured : new Map(),
  };
}

/** Everything in a configuration, with what is made when it is asked for; without the plugins' names. */
function contents({ xds, ...rest }: NodeConfig, mesh: Mesh): string {
  const { extensions, ...others } = xds;
  const dialled = mesh.workloads.flatMap(({ addresses }) =>
    addresses.filter((address) => !address.includes(":")).flatMap((each) => [`${each}:7`, `tcp|${each}:7`]),
  );
  const kinds = Object.values(others).map((messages) => [...messages].map(([name, each]) => [name, bytes(each)]));
  const direct = dialled.map((name) => [xds.onDemandClusters, xds.endpoints].map((kind) => bytes(kind.get(name))));
  const told = [...extensions.values()].map((each) => pluginOf(each)?.configuration?.value);
  return JSON.stringify([rest, kinds, direct, told]);
}

function bytes(message: Message | undefined): string {
  if (message === undefined) return "";
  const schema = registry.getMessage(message.$typeName);
  return schema === undefined ? "" : Buffer.from(toBinary(schema, message)).toString("base64");
}

/** Network filters and HTTP filters have the plugin in the same field. */
function pluginOf(extension: Message | undefined): PluginConfig | undefined {
  if (extension === undefined) return undefined;
  const { typedConfig } = extension as TypedExtensionConfig;
  return typedConfig && fromBinary(WasmSchema, typedConfig.value).config;
}

it("a session changes no result: a sequence of changes ends as each configuration would by itself", () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const session = newSession(0);
      // So that what has not changed is the same object, as it is for an agent.
      const memory = new MeshMemory();
      for (const step of sequence) {
        const chosen = objects.filter((_, index) => !step.without.includes(index));
        const mesh = objectsToMesh(chosen, {}, memory);
        const options = optionsOf(mesh, step);
        const fresh = compile(mesh, options, newSession(0));
        expect(contents(compile(mesh, options, session), mesh)).toBe(contents(fresh, mesh));
      }
    }),
    { numRuns: 10 },
  );
});

it("what has not changed is the same message as before", () => {
  const session = newSession(0);
  const mesh = objectsToMesh(objects);
  const options = goldenOptions(mesh);
  const [before, after] = [compile(mesh, options, session), compile(mesh, { ...options }, session)];
  const name = "inbound|uid-storefront";
  expect(after.xds.listeners.get(name)).toBe(before.xds.listeners.get(name));
  expect(after.xds.extensions.get("ambit-inbound")).toBe(before.xds.extensions.get("ambit-inbound"));
});

it("a plugin that returns to what it was has another name, in this session and in a later one", () => {
  const mesh = objectsToMesh(objects);
  const without = { ...mesh, authorizationPolicies: [] };
  const options = goldenOptions(mesh);
  const session = newSession(1);
  const nameOf = ({ xds }: NodeConfig): string | undefined => pluginOf(xds.extensions.get("ambit-inbound"))?.name;
  const names = [mesh, without, mesh].map((each) => nameOf(compile(each, options, session)));
  expect(new Set([...names, nameOf(compile(mesh, options, newSession(2)))]).size).toBe(4);
});
