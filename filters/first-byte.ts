import { closeDownstream, Counter, Key, nowNanoseconds, readProperty, setEffectiveContext } from "../assembly/index";
import { Stream } from "./stream";

/** Envoy's connection manager sets it when it has read the first bytes of a connection. */
const PROTOCOL = Key.path(["request", "protocol"]);

/**
 * Callers of HTTP speak first. Envoy takes their connection in place of the application, which so cannot end it, and Envoy's own
 * limit for idle connections (`idle_timeout`) would end those of pools as well. So the module ends a connection that has sent nothing
 * for long. It looks at each one once: the oldest is the first in the list.
 */
class FirstByte {
  /** The agent says how long; until then nothing is ended. */
  limit: i64 = i64.MAX_VALUE;
  private oldest: Stream | null = null;
  private newest: Stream | null = null;
  private ended: Counter | null = null;

  begin(stream: Stream): void {
    stream.began = nowNanoseconds();
    stream.earlier = this.newest;
    if (this.newest === null) this.oldest = stream;
    else this.newest!.later = stream;
    this.newest = stream;
  }

  /** The connection has ended, or need not be looked at again. */
  forget(stream: Stream): void {
    const earlier = stream.earlier;
    const later = stream.later;
    if (earlier !== null) earlier.later = later;
    else if (this.oldest === stream) this.oldest = later;
    if (later !== null) later.earlier = earlier;
    else if (this.newest === stream) this.newest = earlier;
    stream.earlier = null;
    stream.later = null;
  }

  review(): void {
    if (this.oldest === null) return;
    const until = nowNanoseconds() - this.limit;
    let stream = this.oldest;
    while (stream !== null && stream.began <= until) {
      const id = stream.id;
      this.forget(stream);
      setEffectiveContext(id);
      if (!readProperty(PROTOCOL)) this.end();
      stream = this.oldest;
    }
  }

  private end(): void {
    let ended = this.ended;
    if (ended === null) {
      ended = new Counter("ambit_silent_connections_total");
      this.ended = ended;
    }
    ended.increment();
    closeDownstream();
  }
}

export const firstByte = new FirstByte();
