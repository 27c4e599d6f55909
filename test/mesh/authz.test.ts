import { afterAll, beforeAll, expect, it } from "vitest";
import type { LabStatus } from "../../deploy/lab/control/status-protocol.ts";
import { audit, type AuthzCase, type Caller as Who, type CaseCall, deny, from, to } from "../policy/case.ts";
import { CASES } from "../policy/cases.ts";
import { bearer } from "../policy/tokens.ts";
import { ACCOUNTS, NAMESPACES } from "../policy/world.ts";
import { describePrivileged } from "../support/privileges.ts";
import { connectionMarker, guarding, roundMarker } from "./authz-policies.ts";
import { Caller, type OneCall, type Outcome } from "./callers.ts";
import { MeshLab, namespace, pod, service } from "./mesh-lab.ts";

/** So many sets of policies are tried at once, each on a server of its own. */
const SERVERS = 20;
const WHO: readonly Who[] = ["alice", "bob", "carol", "stranger"];
/** The callers' nodes; all servers are on the first. */
const NODES = ["node-1", "node-2"] as const;
const VERDICTS: Readonly<Record<number, AuthzCase["verdict"]>> = { 200: "allowed", 400: "malformed", 403: "denied" };

/** A caller of whom no case speaks. */
const DAVE = "dave";

function callOf({ protocol, method = "GET", path = "/", host = "web.shop", headers = [], claims }: CaseCall) {
  if (protocol === "tcp") return {};
  return { method, path, headers: ["Host", host, ...headers.flat(), ...bearer(claims).flat()] };
}

/** A connection that is denied is closed, without an answer. */
function verdictOf({ protocol }: CaseCall, answer: number): AuthzCase["verdict"] | undefined {
  return protocol === "tcp" && answer === 0 ? "denied" : VERDICTS[answer];
}

/** Whether a call ended for another reason than a policy. A connection that is denied is closed at once. */
function unanswered({ protocol }: CaseCall, { status, code }: Outcome): boolean {
  return protocol === "tcp" ? code === "ETIMEDOUT" : status === 0 || status === 503;
}

/** Cases by their policies. */
function rounds(): readonly (readonly (readonly AuthzCase[])[])[] {
  const groups = new Map<string, AuthzCase[]>();
  for (const each of CASES) {
    groups.set(each.policies, [...(groups.get(each.policies) ?? []), each]);
  }
  const all = [...groups.values()];
  return Array.from({ length: Math.ceil(all.length / SERVERS) }, (_, i) => all.slice(i * SERVERS, (i + 1) * SERVERS));
}

describePrivileged("what policies mean, in Envoy", () => {
  // One worker: when it has a configuration, all have.
  const lab = new MeshLab("authz", { AMBIT_CONCURRENCY: "1" });
  const callers = new Map<string, Caller>();
  let status: LabStatus;
  const server = (index: number): string => `web-${index}`;
  const addresses = (name: string): readonly string[] =>
    status.pods
      .filter((each) => each.name === name || NODES.some((node) => each.name === `${name}-${node}`))
      .map(({ ip }) => ip);

  beforeAll(async () => {
    lab.write("world.yaml", [
      namespace("shop", true),
      namespace("ops", true),
      namespace("outside", false),
      namespace("istio-system", false),
      ...NODES.flatMap((node) =>
        WHO.map((name) => pod(NAMESPACES[name], `${name}-${node}`, node, { account: ACCOUNTS[name] })),
      ),
      ...NODES.map((node) => pod("shop", `${DAVE}-${node}`, node, { account: DAVE })),
      service("shop", "other", { app: "other" }),
      ...Array.from({ length: SERVERS }, (_, index) => [
        pod("shop", server(index), "node-1", { server: true }),
        service("shop", server(index), { app: server(index) }),
      ]).flat(),
    ]);
    await lab.up();
    status = await lab.status();
    for (const node of NODES) {
      callers.set(`${DAVE}-${node}`, new Caller(lab, `shop/${DAVE}-${node}`));
      for (const name of WHO) callers.set(`${name}-${node}`, new Caller(lab, `${NAMESPACES[name]}/${name}-${node}`));
    }
  });
  afterAll(async () => {
    for (const caller of callers.values()) caller.end();
    await lab.down();
  });

  const outcome = async (who: string, index: number, call: Partial<OneCall>, direct = false): Promise<Outcome> => {
    const caller = callers.get(who);
    if (caller === undefined) throw new Error(`nobody is called ${who}`);
    const name = server(index);
    const address = direct ? addresses(name)[0] : status.services.find((each) => each.name === name)?.clusterIP;
    const port = call.path === undefined ? 9000 : direct ? 8080 : 80;
    return await caller.call({ address: address ?? "", port, ...call });
  };
  const ask = async (...call: Parameters<typeof outcome>): Promise<number> => (await outcome(...call)).status;

  /** Waits until every server answers these callers so: the policies are where calls are judged, on both nodes. */
  const answered = async (
    what: string,
    answer: number,
    who: readonly string[],
    call: Partial<OneCall>,
  ): Promise<void> => {
    const everywhere = NODES.flatMap((node) =>
      Array.from({ length: SERVERS }, (_, index) => who.map((name) => ({ name: `${name}-${node}`, index }))).flat(),
    );
    await lab.until(what, async () => {
      const answers = await Promise.all(everywhere.map(({ name, index }) => ask(name, index, call)));
      return answers.every((each) => each === answer);
    });
  };
  /** Alice's calls are judged on her node, a stranger's by the server's own listener. */
  const settled = (what: string, answer: number, headers: readonly string[]): Promise<void> =>
    answered(what, answer, ["alice", "stranger"], {
      path: "/",
      method: "GET",
      headers: ["Host", "web.shop", ...headers],
    });

  for (const [round, groups] of rounds().entries()) {
    const size = groups.flat().length;
    it(`is what the table says, near and far: part ${round + 1}, ${size} cases`, async () => {
      // What denied before must not be taken for this round's marker.
      lab.write("policies.yaml", [roundMarker("none")]);
      await settled("nothing is denied", 200, []);
      await answered("no connection is denied", 200, [DAVE], {});
      lab.write("policies.yaml", [
        ...groups.flatMap(([first], index) =>
          guarding(first?.policies ?? "", `${round}-${index}`, server(index), addresses),
        ),
        roundMarker(String(round)),
        connectionMarker(),
      ]);
      await settled("the round's policies are there", 403, ["x-round", String(round)]);
      await answered("the round's policies are there for connections", 0, [DAVE], {});
      const wrong: unknown[] = [];
      await Promise.all(
        groups.flatMap((group, index) =>
          group.flatMap(({ name, call, verdict }) =>
            NODES.map(async (node) => {
              const who = `${call.from ?? "alice"}-${node}`;
              let found: Outcome | undefined;
              // No answer is no verdict: on a busy machine a connection may wait for longer than Envoy does.
              for (let tries = 0; tries < 5 && (found === undefined || unanswered(call, found)); tries++) {
                found = await outcome(who, index, callOf(call), call.direct);
              }
              if (found === undefined || verdictOf(call, found.status) !== verdict) {
                wrong.push({ name, who, verdict, ...found });
              }
            }),
          ),
        ),
      );
      // Where no call has an answer, the state of the nodes tells more than the calls do.
      expect({ wrong, nodes: wrong.length === 0 ? [] : (await lab.status()).nodes }).toEqual({ wrong: [], nodes: [] });
    });
  }

  it("goes back to the policies before, though a request of their time is still under way", async () => {
    const before = [roundMarker("before")];
    lab.write("policies.yaml", before);
    await settled("the first policies are there", 403, ["x-round", "before"]);
    for (const node of NODES) {
      const held = { path: "/held", method: "POST", headers: ["Host", "web.shop"], hold: true };
      expect(await ask(`bob-${node}`, 0, held)).toBe(100);
    }
    lab.write("policies.yaml", [roundMarker("after")]);
    await settled("the second policies are there", 403, ["x-round", "after"]);
    lab.write("policies.yaml", before);
    await settled("the first policies are back", 403, ["x-round", "before"]);
    await settled("the second policies are gone", 200, ["x-round", "after"]);
  });

  it("tells in the access log what policies say that never decide", async () => {
    const policies = [
      audit(to("methods: [GET]")),
      deny(from("namespaces: [shop]"), { name: "tried", metadata: 'annotations: { istio.io/dry-run: "true" }' }),
    ];
    lab.write("policies.yaml", [...guarding(policies.join(""), "marks", server(0), addresses), roundMarker("marks")]);
    await settled("the policies are there", 403, ["x-round", "marks"]);
    expect(await ask("alice-node-2", 0, { path: "/marked", method: "GET", headers: ["Host", "web"] })).toBe(200);
    for (const node of NODES) {
      const line = await lab.loggedLine(node, "/marked");
      expect(line).toMatchObject({ audit: "shop/audit-marks", dry_run: "denied:shop/tried-marks" });
    }
  });
});
