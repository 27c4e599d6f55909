import { proxy_close_stream, proxy_set_effective_context } from "./env";

const DOWNSTREAM: u32 = 2;

/** Ends the TCP connection of the current context. */
export function closeDownstream(): void {
  proxy_close_stream(DOWNSTREAM);
}

/** What is asked of the host from here on is asked for another context, until it is called again or the callback ends. */
export function setEffectiveContext(id: u32): void {
  proxy_set_effective_context(id);
}
