import { compareText } from "../../lib/compare.ts";
import type { HttpRoute } from "../../model/http-route.ts";
import { describeObject } from "../../model/object-ref.ts";
import type { RawObject } from "../raw-object.ts";
import type { Reader } from "../reader.ts";

/** Finds matches that never get a request, because an earlier rule on the same Service has the same match. */
export class RouteConflicts {
  private readonly holders = new Map<string, string>();

  /** Routes have to come in the order of their precedence. `fields`: for each rule, where to report. */
  add(route: HttpRoute, object: RawObject, fields: readonly Reader[]): void {
    for (const [index, rule] of route.rules.entries()) {
      const taken = new Set<string>();
      for (const match of rule.matches) {
        const byName = (a: { name: string }, b: { name: string }): number => compareText(a.name, b.name);
        const headers = [...match.headers].sort(byName);
        const query = [...match.query].sort(byName);
        for (const { namespace, service, port } of route.parents) {
          const key = JSON.stringify([namespace, service, port ?? 0, match.path, match.method ?? "", headers, query]);
          const holder = this.holders.get(key);
          if (holder === undefined) this.holders.set(key, `rule ${index} of ${describeObject(object)}`);
          else taken.add(holder);
        }
      }
      for (const holder of taken) {
        fields[index]?.warning({
          code: "conflicting-route",
          reason: `${holder} has the same match on the same Service and takes precedence`,
          remedy: "Change one of the matches, or remove it.",
        });
      }
    }
  }
}
