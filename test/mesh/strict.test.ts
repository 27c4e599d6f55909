import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BRIEF_PORT, DELIVERY_MARK, INBOUND_PORT, RESERVED_PORTS } from "../../agent/lib/ports.ts";
import { describePrivileged, hasProgram } from "../support/privileges.ts";
import { APPS } from "./mesh-lab.ts";
import { StolenCertificates } from "./strict-certificates.ts";
import { Requests } from "./requests.ts";
import { PORTS, StrictLab, type Place } from "./strict-lab.ts";
import { FORGED, OPEN, SERVERS, THIEVES, Ways } from "./strict-ways.ts";
import { httpGet, statusOf, type Outcome } from "./walker.ts";

/** From two places, to two addresses. */
const fromEach = (...statuses: readonly number[]): readonly number[] => [1, 2, 3, 4].flatMap(() => statuses);
const NFT = hasProgram("nft", "a call through a node port");

describePrivileged("nobody walks around a STRICT destination:", () => {
  const strict = new StrictLab();
  const stolen = new StolenCertificates(strict.lab.name);
  const ways = new Ways(strict);
  const address = (name: string): string => strict.pod(name).ip;

  beforeAll(() => strict.up());
  afterAll(async () => {
    stolen.remove();
    await strict.down();
  });

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
      const denied = await ways.unseen(() =>
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
    expect(await ways.answersTo(place, {})).toEqual([]);
  });

  it.each(["shop/mallory", "shop/mallory-near"] as const)("%s, by a socket bound to its device", async (place) => {
    const { ip } = strict.pod("strict");
    // Capture cannot redirect it, so the kernel refuses it at connect.
    const past = { to: [ip, PORTS.http], device: "eth0", send: OPEN } as const;
    expect((await strict.at(place).try(past)).connected).toBe(false);
    expect(await ways.answersTo(place, { device: "eth0" })).toEqual([]);
  });

  it.each(["outside/stranger", "outside/stranger-near", "shop/mallory", "shop/mallory-near", "node-2"] as const)(
    "%s, with the delivery mark and the allowed caller's address",
    async (place) => {
      const forged = { bind: [address("alice"), 0], transparent: true, wait: 1 } as const;
      const marked = { mark: DELIVERY_MARK, wait: 1 } as const;
      const every = [marked, forged, { ...forged, ...marked }];
      const past = every.map((how) => ({ ...how, device: "eth0" }));
      // What is captured comes as the pod that it is, whatever address its socket is bound to.
      const isCaptured = place.startsWith("shop/");
      expect(await ways.answersTo(place, ...past, ...(isCaptured ? [] : every))).toEqual([]);
      if (!isCaptured) return;
      const to = [address("guarded"), PORTS.http] as const;
      const outcomes = await ways.unseen(() =>
        Promise.all(every.map((how) => strict.at(place).try({ ...how, to, send: OPEN }))),
      );
      expect(outcomes.map(statusOf).filter((status) => status !== 0 && status !== 403)).toEqual([]);
      expect(outcomes.map(statusOf)[0]).toBe(403);
    },
  );

  it.each([
    ["without a certificate", () => Promise.resolve({})],
    ["without a certificate, and without the mesh's ALPN", () => Promise.resolve({ alpn: [] })],
    ["with a certificate of one's own that names the allowed caller", () => stolen.selfSigned("alice")],
    ["with the allowed caller's by another authority", () => stolen.ofAnotherMesh("alice")],
    ["with the allowed caller's own that has ended", () => stolen.ofTheMesh("alice", -1_000)],
    [
      "with the allowed caller's own, over TLS 1.2",
      async () => ({ ...(await stolen.ofTheMesh("alice")), newest: "1.2" }),
    ],
  ] as const)("TLS %s", async (_, tls) => {
    const given = await tls();
    const outcomes = await ways.unseen(async () =>
      (await Promise.all(SERVERS.map((name) => ways.byTls(name, given)))).flat(),
    );
    expect(outcomes.map(({ answer }) => answer)).toEqual(outcomes.map(() => ""));
  });

  it("mTLS under another pod's certificate, straight from a pod: policy decides, whatever the headers say", async () => {
    const mallory = await stolen.ofTheMesh("mallory");
    // The certificate is good: where there is no policy, its owner gets through.
    expect((await ways.byTls("strict", mallory)).map(statusOf)).toEqual(fromEach(200, 200, 0));
    const outcomes = await ways.unseen(() => ways.byTls("guarded", mallory));
    expect(outcomes.map(statusOf)).toEqual(fromEach(403, 403, 0));
  });

  it("mTLS under the allowed caller's certificate, past the L7 rules of its own node: those of the destination hold", async () => {
    const alice = await stolen.ofTheMesh("alice");
    expect((await ways.byTls("guarded", alice)).map(statusOf)).toEqual(fromEach(200, 200, 0));
    const outcomes = await ways.unseen(() => ways.byTls("guarded", alice, "/closed"));
    expect(outcomes.map(statusOf)).toEqual(fromEach(403, 403, 0));
  });

  it("headers that name the allowed caller, from enrolled and other pods", async () => {
    const forged = httpGet("/open", ...FORGED);
    const outcomes = await ways.unseen(() =>
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
    const outcomes = await ways.unseen(() =>
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

  it("a connection that comes to an inbound listener past connect() does not go round in circles", async () => {
    const envoy = strict.status.nodes.find(({ name }) => name === "node-2")?.envoyPid ?? 0;
    const files = (): number => readdirSync(`/proc/${envoy}/fd`).length;
    const before = files();
    // What an address translation by a process with CAP_NET_ADMIN would make of a dial; mallory's own ports are PERMISSIVE.
    const outcomes = await Promise.all(
      ["127.0.0.1", "::1"].flatMap((to) =>
        [INBOUND_PORT, BRIEF_PORT].map((port) => strict.inside("mallory-near").try({ to: [to, port], send: OPEN })),
      ),
    );
    expect(outcomes.map(({ end }) => end)).toEqual(Array.from({ length: 4 }, () => "ECONNREFUSED"));
    expect(files()).toBeLessThan(before + 20);
  });

  it("nor does one from within a pod that has left the mesh, where neither hook is", async () => {
    const envoy = strict.status.nodes.find(({ name }) => name === "node-2")?.envoyPid ?? 0;
    const files = (): number => readdirSync(`/proc/${envoy}/fd`).length;
    const before = files();
    await strict.left("leaver");
    const outcomes = await Promise.all(
      ["127.0.0.1", "::1"].map((to) =>
        // Bytes that are no HTTP are delivered where the connection was going.
        strict.inside("leaver").try({ to: [to, INBOUND_PORT], send: "hello\n", wait: 1, hold: true }),
      ),
    );
    // The listener is there.
    expect(outcomes.map(({ connected, end }) => [connected, end])).toEqual([
      [true, "ECONNRESET"],
      [true, "ECONNRESET"],
    ]);
    expect(files()).toBeLessThan(before + 60);
  });

  it("a caller that dials from the port of its own delivery, once the application has closed its end", async () => {
    const { ip } = strict.pod("strict");
    const mallory = strict.at("shop/mallory");
    // An application that has closed waits so long for the other end, 60 s else; the proxy waits for the caller.
    strict.run("strict", "echo 1 > /proc/sys/net/ipv4/tcp_fin_timeout");
    await mallory.try({ to: [strict.service("strict"), PORTS.tcp], send: "bye\n", hold: true });
    const sockets = (): string =>
      strict.run("strict", `ss -tanH src ${address("mallory")} or dst ${address("mallory")}`);
    const waiting = new RegExp(`CLOSE-WAIT .*${address("mallory")}%lo:(\\d+) `, "u");
    await strict.lab.until("the application has closed", () => waiting.test(sockets()));
    const port = Number(waiting.exec(sockets())?.[1]);
    await strict.lab.until("the application's socket is gone", () => !/FIN-WAIT/u.test(sockets()));
    expect(sockets()).toContain(`:${port} `);
    const dial = { to: [ip, PORTS.tcp], bind: [address("mallory"), port], device: "eth0", send: "hello\n" } as const;
    expect(await ways.unseen(() => mallory.try(dial))).toMatchObject({ connected: false, end: "ECONNREFUSED" });
  });

  it("segments injected by who can see the packets: none of a delivery, and those between nodes are not understood", async () => {
    const inject = (place: string): Promise<{ readonly stdout: string }> =>
      strict.lab.exec(place, "python3", join(APPS, "inject.py"), address("guarded"), String(PORTS.http), "/injected");
    const load = await Promise.all(
      ["shop/alice", "shop/alice-near"].map((place) => Requests.start(strict.lab, place, "http://guarded/open")),
    );
    const [caller, callerNear, neighbour] = await Promise.all(
      ["shop/alice", "shop/alice-near", "outside/stranger-near"].map(inject),
    );
    await Promise.all(load.map((each) => each.finish()));
    expect([Number(caller?.stdout) > 0, callerNear?.stdout, neighbour?.stdout]).toEqual([true, "0\n", "0\n"]);
    expect(Object.keys((await strict.seen("guarded")).requests)).not.toContain(`${PORTS.http} /injected`);
  });

  it.runIf(NFT)("a call through a node port, under the node's address", async () => {
    const node = strict.status.nodes.find(({ name }) => name === "node-2")?.ip ?? "";
    const ports = [
      [30_080, address("guarded"), PORTS.http],
      [30_070, address("strict"), PORTS.unnamed],
      [30_071, address("plain"), PORTS.unnamed],
    ] as const;
    const rules = ports.map(([from, ip, port]) => `tcp dport ${from} dnat to ${ip}:${port};`).join(" ");
    const before = "chain before { type nat hook prerouting priority -100;";
    const after = "chain after { type nat hook postrouting priority 100; ct status dnat masquerade; }";
    strict.run("node-2", `nft 'table ip walk { ${before} ${rules} }; ${after}; }'`);
    const call = (port: number): Promise<Outcome> =>
      strict.at("outside/stranger").try({ to: [node, port], send: OPEN });
    expect((await call(30_071)).answer).toContain(`"peer":"10.244.2.1"`);
    const outcomes = await ways.unseen(() => Promise.all([call(30_080), call(30_070)]));
    expect(outcomes.map(statusOf)).toEqual([0, 0]);
  });

  it("a pod that calls itself by its Service gets through", async () => {
    const { answer } = await strict.at("shop/strict").try({ to: [strict.service("strict"), 80], send: OPEN });
    expect(answer).toContain(`"peer":"${address("strict")}"`);
  });

  it("the kubelet reaches the port that is declared as a probe's, and no other", async () => {
    const kubelet = strict.at("node-2/kubelet");
    const probe = { to: [address("guarded"), PORTS.probe] as const, send: httpGet("/healthy") };
    expect(statusOf(await kubelet.try(probe))).toBe(200);
    expect(await ways.answersTo("node-2/kubelet", {})).toEqual([]);
    // From the same address, by another process.
    const others = await ways.unseen(() =>
      Promise.all((["node-2", "node-2/hostNetwork"] as const).map((place) => strict.at(place).try(probe))),
    );
    expect(others.map(statusOf)).toEqual([0, 0]);
    await strict.lab.until("all are ready", async () => (await strict.lab.status()).pods.every(({ ready }) => ready));
  });
});
