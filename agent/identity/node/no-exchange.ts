import { ALONE, type Exchange, type RemotePods } from "../../model/exchange.ts";

/** The exchange of an agent without an authority: this node announces nothing and hears nothing. */
export const NO_EXCHANGE: Exchange = {
  captured: () => NOBODY,
  revision: () => 0,
  follow: () => undefined,
  announce: () => 0,
  followed: () => ALONE,
  waitingFor: () => [],
  trouble: () => undefined,
  onChange: () => () => undefined,
  close: () => undefined,
};

const NOBODY: RemotePods = new Map();
