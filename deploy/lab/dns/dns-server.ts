import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket as TcpSocket } from "node:net";
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE, type Packet } from "dns-packet";
import type { DnsZone } from "./dns-zone.ts";

const PORT = 53;
/** The longest answer over UDP for a client without EDNS (RFC 1035). */
const MAX_UDP = 512;
const MAX_TCP_IDLE_MS = 10_000;
const RCODES = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4 } as const;

/** A node's name server for its pods, by UDP and TCP. */
export class DnsServer {
  readonly #zone: () => DnsZone;
  readonly #open: (Socket | Server)[] = [];

  constructor(zone: () => DnsZone) {
    this.#zone = zone;
  }

  async listen(address: string): Promise<void> {
    const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
    udp.on("message", (message, from) => {
      const answer = this.#answer(message, MAX_UDP);
      if (answer !== undefined) udp.send(answer, from.port, from.address, () => undefined);
    });
    udp.bind(PORT, address);
    const tcp = createServer((socket) => this.#serve(socket));
    tcp.listen(PORT, address);
    this.#open.push(udp, tcp);
    await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
  }

  close(): void {
    for (const server of this.#open) server.close();
  }

  /** RFC 1035 §4.2.2: any number of messages, each after its length. */
  #serve(socket: TcpSocket): void {
    let received = Buffer.alloc(0);
    socket.setTimeout(MAX_TCP_IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answer = this.#answer(received.subarray(2, end), 65_535);
        received = received.subarray(end);
        if (answer === undefined) {
          socket.destroy();
          return;
        }
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([length, answer]));
      }
    });
  }

  /** undefined for a message that is not a query. */
  #answer(message: Buffer, limit: number): Buffer | undefined {
    let query: Packet;
    try {
      query = decode(message);
    } catch {
      return undefined;
    }
    if (query.type !== "query") return undefined;
    const questions = query.questions ?? [];
    const [question] = questions;
    const flags = AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & RECURSION_DESIRED);
    const respond = (rcode: keyof typeof RCODES, records: Partial<Packet> = {}, more = 0): Buffer =>
      encode({ type: "response", id: query.id ?? 0, flags: flags | more | RCODES[rcode], questions, ...records });
    if (question === undefined || questions.length !== 1) return respond("FORMERR");
    const { rcode, answers, authorities } = this.#zone().answer(question);
    const whole = respond(rcode, { answers: answers ?? [], authorities: authorities ?? [] });
    return whole.length <= limit ? whole : respond(rcode, {}, TRUNCATED_RESPONSE);
  }
}
