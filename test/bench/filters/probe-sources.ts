/** A module that does one thing, so that what this thing costs shows. AssemblyScript against the bare ABI: no SDK in between. */
export interface Probe {
  readonly name: string;
  /** How often the thing is done in each request. */
  readonly times: number;
  readonly source: string;
}

const PRELUDE = `
@external("env", "proxy_get_property")
declare function proxy_get_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;
@external("env", "proxy_get_header_map_value")
declare function proxy_get_header_map_value(type: u32, key: usize, keySize: usize, value: usize, size: usize): u32;
@external("env", "proxy_define_metric")
declare function proxy_define_metric(type: u32, name: usize, nameSize: usize, id: usize): u32;
@external("env", "proxy_increment_metric")
declare function proxy_increment_metric(id: u32, offset: i64): u32;
@external("env", "proxy_record_metric")
declare function proxy_record_metric(id: u32, value: u64): u32;
@external("env", "proxy_get_shared_data")
declare function proxy_get_shared_data(key: usize, keySize: usize, value: usize, size: usize, cas: usize): u32;
@external("env", "proxy_set_shared_data")
declare function proxy_set_shared_data(key: usize, keySize: usize, value: usize, size: usize, cas: u32): u32;
@external("env", "proxy_get_current_time_nanoseconds")
declare function proxy_get_current_time_nanoseconds(result: usize): u32;
const OUT: usize = memory.data(32, 8);
const SCRATCH: usize = memory.data(65536, 16);
export function malloc(size: i32): usize { return SCRATCH; }
export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_vm_start(root: u32, size: u32): u32 { setUp(); return 1; }
function bytes(text: string): ArrayBuffer { return String.UTF8.encode(text); }
`;

const ON_REQUEST = "export function proxy_on_request_headers(id: u32, headers: u32, end: u32): u32";

const CALLBACKS = [
  `${ON_REQUEST} { return 0; }`,
  "export function proxy_on_log(id: u32): void {}",
  "export function proxy_on_context_create(id: u32, root: u32): void {}",
  "export function proxy_on_delete(id: u32): void {}",
  "export function proxy_on_done(id: u32): u32 { return 1; }",
  "export function proxy_on_response_headers(id: u32, headers: u32, end: u32): u32 { return 0; }",
  "export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 { return 0; }",
  "export function proxy_on_response_body(id: u32, size: u32, end: u32): u32 { return 0; }",
  "export function proxy_on_request_trailers(id: u32, count: u32): u32 { return 0; }",
  "export function proxy_on_response_trailers(id: u32, count: u32): u32 { return 0; }",
];

const NOTHING_TO_SET_UP = "function setUp(): void {}\n";

function callbacks(count: number): Probe {
  const name = count === 1 ? "one callback" : `${count} callbacks`;
  return { name, times: 1, source: PRELUDE + NOTHING_TO_SET_UP + CALLBACKS.slice(0, count).join("\n") };
}

const CALLS = 10;

/** `before` is at the module's top; `call` is done ten times. */
function hostCall(name: string, before: string, call: string): Probe {
  const setUp = before.includes("function setUp") ? "" : NOTHING_TO_SET_UP;
  const body = Array.from({ length: CALLS }, () => call).join(" ");
  return { name, times: CALLS, source: `${PRELUDE}${setUp}${before}\n${ON_REQUEST} { ${body} return 0; }\n` };
}

const PROPERTY = "proxy_get_property(changetype<usize>(K), K.byteLength, OUT, OUT + 4);";
const property = (path: readonly string[]): string => `const K = bytes(${JSON.stringify(path.join("\0"))});`;
// Not at the module's top: Envoy has no context there, and ends with SIGSEGV.
const metric = (type: number): string =>
  `let ID: u32 = 0;
function setUp(): void {
  const N = bytes("bench");
  proxy_define_metric(${type}, changetype<usize>(N), N.byteLength, OUT + 8);
  ID = load<u32>(OUT, 8);
}`;

export const PROBES: readonly Probe[] = [
  callbacks(1),
  callbacks(4),
  callbacks(10),
  hostCall(
    "header read",
    'const K = bytes(":path");',
    "proxy_get_header_map_value(0, changetype<usize>(K), K.byteLength, OUT, OUT + 4);",
  ),
  hostCall("number property", property(["request", "total_size"]), PROPERTY),
  hostCall("filter state property", property(["filter_state", "ambit.source"]), PROPERTY),
  hostCall(
    "cluster metadata property",
    property(["xds", "cluster_metadata", "filter_metadata", "ambit", "service"]),
    PROPERTY,
  ),
  hostCall("counter", metric(0), "proxy_increment_metric(ID, 1);"),
  hostCall("histogram", metric(2), "proxy_record_metric(ID, 7);"),
  hostCall(
    "shared data, read and written",
    'const K = bytes("k"); const V = bytes("0123456789abcdef");',
    "proxy_get_shared_data(changetype<usize>(K), 1, OUT, OUT + 4, OUT + 8); proxy_set_shared_data(changetype<usize>(K), 1, changetype<usize>(V), 16, 0);",
  ),
  hostCall("time", "", "proxy_get_current_time_nanoseconds(OUT + 8);"),
];
