// Functions of the host (proxy-wasm ABI 0.2.1). The name of this file is the import's module name, "env". A module
// imports only the
// functions that its filter uses. Each returns a WasmResult, 0 for success.
export declare function proxy_log(level: u32, message: usize, size: usize): u32;
export declare function proxy_get_current_time_nanoseconds(result: usize): u32;
export declare function proxy_set_tick_period_milliseconds(period: u32): u32;
export declare function proxy_get_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;
export declare function proxy_set_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;
export declare function proxy_get_buffer_bytes(type: u32, start: u32, length: u32, data: usize, size: usize): u32;
export declare function proxy_get_header_map_pairs(type: u32, pairs: usize, size: usize): u32;
export declare function proxy_get_header_map_value(
  type: u32,
  key: usize,
  keySize: usize,
  value: usize,
  size: usize,
): u32;
export declare function proxy_add_header_map_value(
  type: u32,
  key: usize,
  keySize: usize,
  value: usize,
  size: usize,
): u32;
export declare function proxy_replace_header_map_value(
  type: u32,
  key: usize,
  keySize: usize,
  value: usize,
  size: usize,
): u32;
export declare function proxy_remove_header_map_value(type: u32, key: usize, keySize: usize): u32;
export declare function proxy_send_local_response(
  status: u32,
  details: usize,
  detailsSize: usize,
  body: usize,
  bodySize: usize,
  headers: usize,
  headersSize: usize,
  grpcStatus: i32,
): u32;
export declare function proxy_continue_stream(type: u32): u32;
export declare function proxy_close_stream(type: u32): u32;
export declare function proxy_set_effective_context(id: u32): u32;
export declare function proxy_get_shared_data(key: usize, keySize: usize, value: usize, size: usize, cas: usize): u32;
export declare function proxy_set_shared_data(key: usize, keySize: usize, value: usize, size: usize, cas: u32): u32;
export declare function proxy_define_metric(type: u32, name: usize, nameSize: usize, id: usize): u32;
export declare function proxy_increment_metric(id: u32, offset: i64): u32;
export declare function proxy_record_metric(id: u32, value: u64): u32;
export declare function proxy_get_metric(id: u32, value: usize): u32;
export declare function proxy_call_foreign_function(
  name: usize,
  nameSize: usize,
  argument: usize,
  argumentSize: usize,
  result: usize,
  resultSize: usize,
): u32;
