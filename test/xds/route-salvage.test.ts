import { afterEach, describe, expect, it } from "vitest";
import { AdsServer } from "../../agent/envoy/ads/ads-server.ts";
import { pack, type PackedResource } from "../../agent/envoy/ads/resources.ts";
import { RouteSalvage } from "../../agent/envoy/ads/route-salvage.ts";
import { createLogger } from "../../agent/lib/log.ts";
import { RouteSchema } from "../../agent/xds/gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../agent/xds/gen/envoy/config/route/v3/route_pb.ts";
import { create, fromBinary, type Message } from "../../agent/xds/proto.ts";
import { EMPTY_SNAPSHOT } from "../../agent/xds/snapshot.ts";
import { fc } from "../support/random.ts";
import { fetchText, freePort, TestEnvoy } from "./envoy.ts";
import { byName, listener } from "./mesh-resources.ts";

const BROKEN = "(";

/** A route table with a virtual host for each name: the text that a path of it answers, or a pattern that Envoy refuses. */
function table(hosts: Readonly<Record<string, string>>): Message {
  const virtualHosts = Object.entries(hosts).map(([name, text]) => {
    const pathSpecifier =
      text === BROKEN
        ? ({ case: "safeRegex", value: { regex: BROKEN } } as const)
        : ({ case: "prefix", value: "/" } as const);
    const body = { specifier: { case: "inlineString", value: text } } as const;
    const action = { case: "directResponse", value: { status: 200, body } } as const;
    return { name, domains: [name], routes: [create(RouteSchema, { match: { pathSpecifier }, action })] };
  });
  return create(RouteConfigurationSchema, { name: "table", virtualHosts });
}

/** What each virtual host answers: its text, or its status. */
function answersOf({ body }: PackedResource): Readonly<Record<string, string>> {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, body.value);
  const answer = ({ action }: (typeof virtualHosts)[number]["routes"][number]): string => {
    if (action.case !== "directResponse") return "";
    const { status, body: text } = action.value;
    return text?.specifier.case === "inlineString" ? text.specifier.value : String(status);
  };
  return Object.fromEntries(virtualHosts.map(({ name, routes }) => [name, routes.map(answer).join()]));
}

it("finds all that is good of a refused table, whatever is broken, in few tries", () => {
  const text = fc.constantFrom("1", "2", BROKEN);
  const name = fc.nat(11).map((index) => `host-${index}`);
  const hosts = fc.dictionary(name, text, { minKeys: 1 });
  const good = fc.dictionary(name, fc.constantFrom("1", "2"));
  fc.assert(
    fc.property(hosts, good, (wanted, before) => {
      const broken = Object.values(wanted).filter((each) => each === BROKEN).length;
      fc.pre(broken > 0);
      const salvage = RouteSalvage.of(pack("routes", "table", table(wanted)), pack("routes", "table", table(before)));
      if (salvage === undefined) throw new Error("it is a table");
      let refusals = 0;
      for (let last = ""; salvage.candidate.version !== last;) {
        const { version } = salvage.candidate;
        const isBroken = Object.values(answersOf(salvage.candidate)).includes(BROKEN);
        if (isBroken) refusals++;
        else last = version;
        salvage.answered(version, !isBroken);
      }
      const expected = Object.entries(wanted).map(([host, each]) => {
        return [host, each === BROKEN ? (before[host] ?? "500") : each];
      });
      expect(answersOf(salvage.candidate)).toEqual(Object.fromEntries(expected));
      expect(salvage.refused.length).toBe(broken);
      expect(refusals).toBeLessThan(2 + 9 * broken);
    }),
    { numRuns: 300 },
  );
});

describe("a route table that the real Envoy refuses", () => {
  const envoy = new TestEnvoy();
  const ads = new AdsServer(createLogger("test"), () => Promise.resolve(new Set()));
  afterEach(async () => {
    await envoy.stop();
    ads.close();
  });

  it("takes nothing from the Services whose routes are in order", async () => {
    const port = await freePort();
    const publish = (hosts: Readonly<Record<string, string>>): Promise<void> =>
      ads.publish({
        ...EMPTY_SNAPSHOT,
        listeners: byName(["in", listener("in", port, "table")]),
        routes: byName(["table", table({ [`127.0.0.1:${port}`]: "first", ...hosts })]),
      }).converged;
    await ads.start(envoy.adsSocket);
    const first = publish({ mallory: "good" });
    await envoy.start();
    await first;
    await expect.poll(() => fetchText(port).catch(() => "")).toBe("200 first");
    await publish({ mallory: BROKEN, eve: BROKEN, [`127.0.0.1:${port}`]: "second" });
    expect(await fetchText(port)).toBe("200 second");
    expect(ads.status().rejections).toMatchObject([{ kind: "routes", name: "table", parts: ["mallory", "eve"] }]);
    await publish({ mallory: BROKEN, [`127.0.0.1:${port}`]: "third" });
    expect(await fetchText(port)).toBe("200 third");
    await publish({ mallory: "mended" });
    expect(ads.status().rejections).toEqual([]);
  });
});
