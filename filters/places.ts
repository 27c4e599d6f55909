import { Key, propertyText } from "../assembly/index";

/** Where in the path the module stands: each place is a root context with a configuration of its own. */
export enum Place {
  None,
  /** Calls that go to the dialled address. */
  Outbound,
  /** Calls to which an HTTPRoute applies. */
  Routed,
  Inbound,
  OutboundTcp,
  InboundTcp,
  /** In front of HTTP at callers without a certificate: the module ends connections there that stay silent. */
  FirstByte,
  /** In front of the delivery to a guarded pod: the module decides connections there. */
  Guard,
}

const ROOT_ID = new Key("plugin_root_id");

/** The newest root contexts. Each change of a place's configuration makes one, and the module does not learn when one ends. */
const KEPT: u32 = 64;
const ids = new StaticArray<u32>(KEPT);
const places = new StaticArray<u8>(KEPT);
let count: u32 = 0;

/** The host has made a root context. */
export function addRoot(id: u32): void {
  ids[count % KEPT] = id;
  places[count % KEPT] = <u8>askedPlace();
  count++;
}

export function placeOf(root: u32): Place {
  const first = count > KEPT ? count - KEPT : 0;
  for (let i = count; i > first; i--) if (ids[(i - 1) % KEPT] == root) return places[(i - 1) % KEPT];
  // An old connection has an older root context. The host knows its name.
  return askedPlace();
}

function askedPlace(): Place {
  const name = propertyText(ROOT_ID);
  if (name == "outbound") return Place.Outbound;
  if (name == "outbound-routed") return Place.Routed;
  if (name == "inbound") return Place.Inbound;
  if (name == "outbound-tcp") return Place.OutboundTcp;
  if (name == "inbound-tcp") return Place.InboundTcp;
  if (name == "first-byte") return Place.FirstByte;
  if (name == "guard") return Place.Guard;
  return Place.None;
}
