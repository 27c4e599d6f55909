import { proxy_close_stream, proxy_set_effective_context } from "./env";

const DOWNSTREAM: u32 = 2;

/** Ends the TCP connection of the current context. */
export function closeDownstream(): void {
  proxy_close_stream(DOWNSTREAM);
}

/** Host calls after this one are about another context, until the next call of this function or the end of the callback. */
export function setEffectiveContext(id: u32): void {
  proxy_set_effective_context(id);
}
