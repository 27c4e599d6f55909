import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DELIVERY_MARK, INBOUND_PORT, RESERVED_PORTS } from "../../agent/lib/ports.ts";
import { describePrivileged } from "../support/privileges.ts";
import { StolenCertificates } from "./strict-certificates.ts";
import { PORTS, StrictLab, type Place } from "./strict-lab.ts";
import { httpGet, isTlsAlert, statusOf, type Attempt, type Outcome } from "./walker.ts";

const SERVERS = ["guarded", "strict"] as const;
/** What a proxy of the mesh might be taken in by. */
const FORGED = [
  "x-forwarded-client-cert: By=forged;URI=spiffe://cluster.local/ns/shop/sa/alice",
  "x-ambit-source: forged|alice|shop|alice|alice||alice|latest|cluster.local/ns/shop/sa/alice",
  "x-ambit-original-dst: forged",
];
const OPEN = httpGet("/open");
/** An attempt, but for where it goes. */
type How = Omit<Attempt, "to">;

describePrivileged("nobody walks around a STRICT destination:", () => {
  const strict = new StrictLab();
  const stolen = new StolenCertificates(strict.lab.name);
  const address = (name: string): string => strict.pod(name).ip;

  beforeAll(() => strict.up());
  afterAll(async () => {
    stolen.remove();
    await strict.down();
  });

  /** Runs what should not reach the servers, and fails if one of them has seen anything of it. */
  const unseen = async <T>(attack: () => Promise<T>): Promise<T> => {
    const look = () => Promise.all(SERVERS.map((name) => strict.seen(name)));
    const before = await look();
    const result = await attack();
    expect(await look()).toEqual(before);
    return result;
  };

  /** Plaintext, HTTP and TCP, to every port of both servers, at every one of their addresses. */
  const plaintext = (place: Place, how: How): Promise<readonly Outcome[]> =>
    Promise.all(
      SERVERS.flatMap((name) => {
        const { ip, ip6 } = strict.pod(name);
        const addresses = how.bind === undefined ? [ip, ip6, `::ffff:${ip}`] : [ip];
        return addresses.flatMap((to) => [
          ...[PORTS.http, PORTS.unnamed].map((port) => strict.at(place).try({ ...how, to: [to, port], send: OPEN })),
          strict.at(place).try({ ...how, to: [to, PORTS.tcp], send: "hello\n" }),
        ]);
      }),
    );

  /** Answers other than none, and than the alert by which TLS ends. */
  const answersTo = async (place: Place, ...ways: readonly How[]): Promise<readonly string[]> => {
    const outcomes = await unseen(async () => (await Promise.all(ways.map((how) => plaintext(place, how)))).flat());
    return outcomes.flatMap(({ answer }) => (answer === "" || isTlsAlert(answer) ? [] : [answer]));
  };

  /** The same at a server that is outside the mesh: what is tried is able to reach somebody. */
  const reachesPlain = async (place: Place): Promise<void> => {
    const { ip, ip6 } = strict.pod("plain");
    for (const to of [ip, ip6, `::ffff:${ip}`]) {
      expect(statusOf(await strict.at(place).try({ to: [to, PORTS.unnamed], send: OPEN }))).toBe(200);
    }
  };

  const OUTSIDE = ["outside/stranger", "outside/stranger-near", "node-1", "node-2", "node-2/hostNetwork"] as const;

  it("the mesh gets through from either node, and where there is a policy, who is allowed", async () => {
    const ask = (from: Place, name: string, path: string): Promise<Outcome> =>
      strict.at(from).try({ to: [strict.service(name), 80], send: httpGet(path) });
    for (const near of ["", "-near"] as const) {
      await strict.lab.until("the nodes know of each other", async () => {
        return statusOf(await ask(`shop/alice${near}`, "guarded", "/open")) === 200;
      });
      expect(statusOf(await ask(`shop/mallory${near}`, "strict", "/"))).toBe(200);
      const denied = await unseen(() =>
        Promise.all([ask(`shop/alice${near}`, "guarded", "/closed"), ask(`shop/mallory${near}`, "guarded", "/open")]),
      );
      expect(denied.map(statusOf)).toEqual([403, 403]);
    }
    expect((await strict.seen("guarded")).connections[PORTS.http]).toEqual({
      [address("alice")]: 1,
      [address("alice-near")]: 1,
    });
  });

  it.each(OUTSIDE)("plaintext from %s: IPv4, IPv6, v4-mapped", async (place) => {
    await reachesPlain(place);
    expect(await answersTo(place, {})).toEqual([]);
  });

  it.each(["shop/mallory", "shop/mallory-near"] as const)("%s, by a socket bound to its device", async (place) => {
    expect(await answersTo(place, { device: "eth0" })).toEqual([]);
  });

  it.each(["outside/stranger", "outside/stranger-near", "shop/mallory", "shop/mallory-near", "node-2"] as const)(
    "%s, with the delivery mark and the allowed caller's address",
    async (place) => {
      const forged = { bind: [address("alice"), 0], transparent: true, wait: 1 } as const;
      const answers = await answersTo(
        place,
        { mark: DELIVERY_MARK, wait: 1 },
        forged,
        { ...forged, mark: DELIVERY_MARK },
        { ...forged, mark: DELIVERY_MARK, device: "eth0" },
      );
      expect(answers).toEqual([]);
    },
  );

  /** Ports, and what the mesh's own clients offer there. */
  const MESH_ALPN = [
    [PORTS.http, ["istio-http/1.1", "istio", "http/1.1"]],
    [PORTS.unnamed, ["istio-http/1.1", "istio", "http/1.1"]],
    [PORTS.tcp, ["istio"]],
  ] as const;
  const THIEVES = ["outside/stranger", "outside/stranger-near"] as const;

  const byTls = (name: "guarded" | "strict", tls: Attempt["tls"], path = "/open"): Promise<readonly Outcome[]> =>
    Promise.all(
      THIEVES.flatMap((place) =>
        MESH_ALPN.map(([port, alpn]) =>
          strict.at(place).try({
            to: [address(name), port],
            tls: { alpn, name: "outbound_.80_._.guarded.shop.svc.cluster.local", ...tls },
            send: port === PORTS.tcp ? "hello\n" : httpGet(path, ...FORGED),
          }),
        ),
      ),
    );

  it.each([
    ["without a certificate", () => Promise.resolve({})],
    ["without a certificate, and without the mesh's ALPN", () => Promise.resolve({ alpn: [] })],
    ["with a certificate of one's own that names the allowed caller", () => stolen.selfSigned("alice")],
    ["with the allowed caller's by another authority", () => stolen.ofAnotherMesh("alice")],
    [
      "with the allowed caller's own, over TLS 1.2",
      async () => ({ ...(await stolen.ofTheMesh("alice")), newest: "1.2" }),
    ],
  ] as const)("TLS %s", async (_, tls) => {
    const given = await tls();
    const outcomes = await unseen(async () => (await Promise.all(SERVERS.map((name) => byTls(name, given)))).flat());
    expect(outcomes.map(({ answer }) => answer)).toEqual(outcomes.map(() => ""));
  });

  it("mTLS under another pod's certificate, straight from a pod: policy decides, whatever the headers say", async () => {
    const mallory = await stolen.ofTheMesh("mallory");
    // The certificate is good: where there is no policy, its owner gets through.
    expect((await byTls("strict", mallory)).map(statusOf)).toEqual([200, 200, 0, 200, 200, 0]);
    const outcomes = await unseen(() => byTls("guarded", mallory));
    expect(outcomes.map(statusOf)).toEqual([403, 403, 0, 403, 403, 0]);
  });

  it("mTLS under the allowed caller's certificate, past the L7 rules of its own node: those of the destination hold", async () => {
    const alice = await stolen.ofTheMesh("alice");
    expect((await byTls("guarded", alice)).map(statusOf)).toEqual([200, 200, 0, 200, 200, 0]);
    const outcomes = await unseen(() => byTls("guarded", alice, "/closed"));
    expect(outcomes.map(statusOf)).toEqual([403, 403, 0, 403, 403, 0]);
  });

  it("headers that name the allowed caller, from enrolled and other pods", async () => {
    const forged = httpGet("/open", ...FORGED);
    const outcomes = await unseen(() =>
      Promise.all([
        ...(["shop/mallory", "shop/mallory-near"] as const).map((place) =>
          strict.at(place).try({ to: [strict.service("guarded"), 80], send: forged }),
        ),
        ...([...THIEVES, "node-2"] as const).map((place) =>
          strict.at(place).try({ to: [address("guarded"), PORTS.http], send: forged }),
        ),
      ]),
    );
    expect(outcomes.map(statusOf)).toEqual([403, 403, 0, 0, 0]);
    // The application is told of the caller by the certificate alone.
    for (const place of ["shop/alice", "shop/alice-near"] as const) {
      const { answer } = await strict.at(place).try({ to: [strict.service("guarded"), 80], send: forged });
      expect(answer).toContain('"name":"guarded"');
      expect(answer).not.toContain("forged");
    }
  });

  it("dialling the capture ports, from outside and inside a pod", async () => {
    const { ip, ip6 } = strict.pod("guarded");
    const own = strict.pod("mallory-near");
    const outcomes = await unseen(() =>
      Promise.all(
        RESERVED_PORTS.flatMap((port) => [
          ...[...THIEVES, "node-2" as const].flatMap((place) =>
            [ip, ip6].map((to) => strict.at(place).try({ to: [to, port], send: OPEN })),
          ),
          ...["127.0.0.1", "::1", "0.0.0.0", "::ffff:127.0.0.1", own.ip, own.ip6].flatMap((to) =>
            [0, DELIVERY_MARK].map((mark) => strict.at("shop/mallory-near").try({ to: [to, port], mark, send: OPEN })),
          ),
        ]),
      ),
    );
    expect(outcomes.filter(({ connected }) => connected)).toEqual([]);
  });

  it("a connection that comes to the inbound listener past connect() does not go round in circles", async () => {
    const envoy = strict.status.nodes.find(({ name }) => name === "node-2")?.envoyPid ?? 0;
    const files = (): number => readdirSync(`/proc/${envoy}/fd`).length;
    const before = files();
    // What an address translation by a process with CAP_NET_ADMIN would make of a dial; mallory's own ports are PERMISSIVE.
    const outcomes = await Promise.all(
      ["127.0.0.1", "::1"].map((to) => strict.inside("mallory-near").try({ to: [to, INBOUND_PORT], send: OPEN })),
    );
    expect(outcomes.map(({ end }) => end)).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
    expect(files()).toBeLessThan(before + 20);
  });

  it("the kubelet reaches the port that is declared as a probe's, and no other", async () => {
    const kubelet = strict.at("node-2/kubelet");
    const probe = { to: [address("guarded"), PORTS.probe] as const, send: httpGet("/healthy") };
    expect(statusOf(await kubelet.try(probe))).toBe(200);
    expect(await answersTo("node-2/kubelet", {})).toEqual([]);
    // From the same address, by another process.
    const others = await unseen(() =>
      Promise.all((["node-2", "node-2/hostNetwork"] as const).map((place) => strict.at(place).try(probe))),
    );
    expect(others.map(statusOf)).toEqual([0, 0]);
    expect((await strict.lab.status()).pods.filter(({ ready }) => !ready)).toEqual([]);
  });
});
