import { AdsStream } from "../../agent/envoy/ads/ads-stream.ts";
import { noneAccepted } from "../../agent/envoy/ads/resources.ts";
import { fc } from "../support/random.ts";
import { snapshot, type Versions } from "./exchange.ts";
import { ModelClient } from "./model-client.ts";

/** What happens between an agent and its Envoy, beside new configurations. */
export const EVENTS = [
  { weight: 4, arbitrary: fc.tuple(fc.constant("answer" as const), fc.nat(5)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("lack" as const), fc.nat(1)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("wait" as const), fc.nat(100_000)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("reconnect" as const), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("start anew" as const), fc.constant(0)) },
] as const;

type Event = "answer" | "lack" | "wait" | "reconnect" | "start anew" | "agent anew";

/** An agent's stream and the client at its other end, over reconnections and new starts of either. */
export class ModelRun {
  stream: AdsStream;
  client: ModelClient;
  target: Versions = {};
  #accepted = noneAccepted();
  #now = 0;

  constructor() {
    this.stream = this.#newStream();
    this.client = new ModelClient(this.stream);
    this.client.connect();
  }

  publish(target: Versions): void {
    this.target = target;
    this.stream.setTarget(snapshot(target));
    this.client.collect();
  }

  wait(ms: number): void {
    this.#now += ms;
    this.client.collect();
  }

  happen(event: Event, argument: number): void {
    if (event === "answer") this.client.step(argument);
    else if (event === "lack") this.client.lacking = argument === 1;
    else if (event === "wait") this.wait(argument);
    else {
      if (event === "agent anew") this.#accepted = noneAccepted();
      this.stream = this.#newStream();
      if (event === "start anew") {
        const { lacking } = this.client;
        this.client = new ModelClient(this.stream);
        this.client.lacking = lacking;
      }
      this.client.connect(this.stream);
    }
  }

  #newStream(): AdsStream {
    const stream = new AdsStream(this.#accepted, { now: () => this.#now });
    stream.setTarget(snapshot(this.target));
    return stream;
  }
}
