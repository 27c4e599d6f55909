import { IP_FAMILIES } from "../../lib/ip-address.ts";
import type { HeaderModifier } from "../../model/http-route.ts";
import { namespacedName } from "../../model/meta.ts";
import { clusterName } from "../view/names.ts";
import type { NodeView } from "../view/node-view.ts";

/**
 * The clusters of Services to which some HTTPRoute leads requests with changed headers. Envoy's router makes the changes, after
 * the filters of the caller's pass; and policies judge what the application receives.
 */
export function changedRequests({
  mesh,
  servicesByName,
}: Pick<NodeView, "mesh" | "servicesByName">): ReadonlySet<string> {
  const changed = mesh.httpRoutes.flatMap(({ rules }) =>
    rules.flatMap(({ filters, backends }) =>
      backends.filter((each) => changes(filters.requestHeaders) || changes(each.filters.requestHeaders)),
    ),
  );
  return new Set(
    changed.flatMap(({ namespace, service: name, port, invalid }) => {
      const service = servicesByName.get(namespacedName(namespace, name));
      if (invalid || service === undefined) return [];
      return IP_FAMILIES.map((family) => clusterName(service, port, family));
    }),
  );
}

function changes(modifier: HeaderModifier | undefined): boolean {
  return modifier !== undefined && modifier.set.length + modifier.add.length + modifier.remove.length > 0;
}
