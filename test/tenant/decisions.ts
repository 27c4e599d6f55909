import type { NodeConfig } from "../../agent/compile/compile.ts";
import { FILTERS } from "../../agent/compile/view/names.ts";
import { messageOf } from "../../agent/lib/errors.ts";
import { WasmSchema as HttpWasmSchema } from "../../agent/xds/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import type { TypedExtensionConfig } from "../../agent/xds/gen/envoy/config/core/v3/extension_pb.ts";
import { fromBinary, StringValueSchema } from "../../agent/xds/proto.ts";
import { CHAIN } from "../filters/chain.ts";
import { WasmHost } from "../host/wasm-host.ts";

/** Pods and clusters of others, with paths that their policies decide about. */
const PATHS = ["/items/1", "/items/admin", "/other"];
const CALLERS = ["uid-c|client|shop|client|client|v1|client|v1|cluster.local/ns/shop/sa/client", ""];

let host: WasmHost | undefined;

/**
 * Gives the filters' own module the very bytes that Envoy gives it, and compares what it answers for calls of others. A
 * configuration that it was given before it has taken already.
 */
export function decisionFindings(before: NodeConfig, after: NodeConfig): readonly string[] {
  return Object.values(FILTERS).flatMap(({ resource, rootId }) => {
    const [told, tells] = [configuration(before, resource), configuration(after, resource)];
    if (told === tells) return [];
    try {
      host ??= new WasmHost(CHAIN);
      if (!host.configure(rootId, tells))
        return [`the filters refuse their configuration as ${rootId}: ${host.logs.at(-1)}`];
      if (rootId !== "outbound" && rootId !== "inbound") return [];
      const now = decisions(host, rootId, before);
      host.configure(rootId, told);
      const was = decisions(host, rootId, before);
      return was.flatMap((line, index) =>
        line === now[index] ? [] : [`${rootId}: ${line} before, ${now[index]} now`],
      );
    } catch (error) {
      // After a trap the module is of no use any more.
      host = undefined;
      return [`the filters trap on their configuration as ${rootId}: ${messageOf(error)}`];
    }
  });
}

function configuration({ xds }: NodeConfig, resource: string): string {
  const extension = xds.extensions.get(resource) as TypedExtensionConfig | undefined;
  // Both kinds of filter have the plugin in the same field.
  const { config } = fromBinary(HttpWasmSchema, extension?.typedConfig?.value ?? new Uint8Array());
  return fromBinary(StringValueSchema, config?.configuration?.value ?? new Uint8Array()).value;
}

function decisions(wasm: WasmHost, rootId: "outbound" | "inbound", { filters }: NodeConfig): readonly string[] {
  const destinations: readonly Readonly<Record<string, string>>[] =
    rootId === "outbound"
      ? filters.clusters.map(({ name }) => ({ "xds/cluster_name": name }))
      : filters.peers.map(({ peer }) => ({ "filter_state/ambit.destination": peer }));
  return destinations.flatMap((destination) =>
    PATHS.flatMap((path) =>
      CALLERS.map((caller) => {
        const stream = wasm.request({
          headers: [
            [":method", "GET"],
            [":path", path],
            [":authority", "web.shop"],
            ["x-ambit-source", caller === "" ? "-" : caller],
            ["x-ambit-destination", destination["filter_state/ambit.destination"] ?? ""],
          ],
          properties: {
            ...destination,
            "filter_state/ambit.source": caller,
            "filter_state/ambit.peer_ip": "10.244.1.12",
          },
        });
        wasm.end(stream);
        return `${JSON.stringify(destination)} ${path} by ${caller === "" ? "nobody" : "client"}: ${stream.answer?.status ?? "allowed"}`;
      }),
    ),
  );
}
