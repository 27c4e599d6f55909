import { expect } from "vitest";
import { PORTS, type Place, type StrictLab } from "./strict-lab.ts";
import { httpGet, isTlsAlert, type Attempt, type Outcome } from "./walker.ts";

export const SERVERS = ["guarded", "strict"] as const;
export const THIEVES = ["outside/stranger", "outside/stranger-near"] as const;

/** What a proxy of the mesh might be taken in by. */
export const FORGED = [
  "x-forwarded-client-cert: By=forged;URI=spiffe://cluster.local/ns/shop/sa/alice",
  "x-ambit-source: forged|alice|shop|alice|alice||alice|latest|cluster.local/ns/shop/sa/alice",
  "x-ambit-original-dst: forged",
];
export const OPEN = httpGet("/open");

/** Ports, and what the mesh's own clients offer there. */
const MESH_ALPN = [
  [PORTS.http, ["istio-http/1.1", "istio", "http/1.1"]],
  [PORTS.unnamed, ["istio-http/1.1", "istio", "http/1.1"]],
  [PORTS.tcp, ["istio"]],
] as const;

/** An attempt, but for where it goes. */
export type How = Omit<Attempt, "to">;

/** The ways that are tried, and what has come of them. */
export class Ways {
  readonly #lab: StrictLab;

  constructor(lab: StrictLab) {
    this.#lab = lab;
  }

  /** Runs what should not reach the servers, and fails if one of them has seen anything of it. */
  async unseen<T>(attack: () => Promise<T>): Promise<T> {
    const look = () => Promise.all(SERVERS.map((name) => this.#lab.seen(name)));
    const before = await look();
    const result = await attack();
    expect(await look()).toEqual(before);
    return result;
  }

  /** Plaintext by these ways: answers other than none, and than the alert by which TLS ends. */
  async answersTo(place: Place, ...ways: readonly How[]): Promise<readonly string[]> {
    const outcomes = await this.unseen(() => Promise.all(ways.map((how) => this.#plaintext(place, how))));
    return outcomes.flat().flatMap(({ answer }) => (answer === "" || isTlsAlert(answer) ? [] : [answer]));
  }

  /** From either node and to either address of a server, in order: HTTP on two ports, and TCP. */
  byTls(name: (typeof SERVERS)[number], tls: Attempt["tls"], path = "/open"): Promise<readonly Outcome[]> {
    const { ip, ip6 } = this.#lab.pod(name);
    return Promise.all(
      THIEVES.flatMap((place) =>
        [ip, ip6].flatMap((to) =>
          MESH_ALPN.map(([port, alpn]) =>
            this.#lab.at(place).try({
              to: [to, port],
              // Each is answered or closed; nobody waits for so long where all is well.
              wait: 20,
              tls: { alpn, name: "outbound_.80_._.guarded.shop.svc.cluster.local", ...tls },
              send: port === PORTS.tcp ? "hello\n" : httpGet(path, ...FORGED),
            }),
          ),
        ),
      ),
    );
  }

  /** HTTP and TCP, to every port of both servers, at every one of their addresses. */
  async #plaintext(place: Place, how: How): Promise<readonly Outcome[]> {
    const walker = this.#lab.at(place);
    return Promise.all(
      SERVERS.flatMap((name) => {
        const { ip, ip6 } = this.#lab.pod(name);
        const addresses = how.bind === undefined ? [ip, ip6, `::ffff:${ip}`] : [ip];
        return addresses.flatMap((to) => [
          ...[PORTS.http, PORTS.unnamed].map((port) => walker.try({ ...how, to: [to, port], send: OPEN })),
          walker.try({ ...how, to: [to, PORTS.tcp], send: "hello\n" }),
        ]);
      }),
    );
  }
}
