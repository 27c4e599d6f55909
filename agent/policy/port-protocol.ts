import { outboundMode } from "../compile/view/destinations.ts";
import { slicesByService } from "../model/endpoint.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import type { Workload } from "../model/workload.ts";

/**
 * True if the Services of the pod's own namespace agree that its port is not HTTP. The mesh then sees connections there, and no
 * requests (`podPorts` of the compiler). Manifests without EndpointSlices do not say it.
 */
export function isTcpPort(mesh: Mesh, { meta, addresses }: Workload, port: number): boolean {
  const slices = slicesByService(mesh.endpointSlices);
  const modes = mesh.services
    .filter((service) => service.meta.namespace === meta.namespace)
    .flatMap((service) => {
      const behind = (slices.get(namespacedName(meta.namespace, service.meta.name)) ?? []).filter(({ endpoints }) =>
        endpoints.some((endpoint) => endpoint.addresses.some((address) => addresses.includes(address))),
      );
      return service.ports
        .filter(({ name }) =>
          behind.some(({ ports }) => ports.some((each) => each.name === name && each.port === port)),
        )
        .map(({ protocol }) => outboundMode(protocol));
    });
  return modes.length > 0 && modes.every((mode) => mode === "tcp");
}
