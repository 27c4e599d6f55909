// What the host gives (proxy-wasm ABI 0.2.1), all 39 functions. The import's module name "env" is this file's name; a
// function that a filter does not use is not imported. Every one answers a WasmResult, 0 for success. Parameters named
// `…Out` are addresses at which the host writes its answer.

// Logging, time, status
export declare function proxy_log(level: u32, message: usize, messageSize: usize): u32;
export declare function proxy_get_log_level(levelOut: usize): u32;
export declare function proxy_get_status(codeOut: usize, messageOut: usize, messageSizeOut: usize): u32;
export declare function proxy_set_tick_period_milliseconds(period: u32): u32;
export declare function proxy_get_current_time_nanoseconds(nanosecondsOut: usize): u32;

// Properties
export declare function proxy_get_property(path: usize, pathSize: usize, valueOut: usize, valueSizeOut: usize): u32;
export declare function proxy_set_property(path: usize, pathSize: usize, value: usize, valueSize: usize): u32;

// The stream's course
export declare function proxy_continue_stream(streamType: u32): u32;
export declare function proxy_close_stream(streamType: u32): u32;
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

// Header maps
export declare function proxy_get_header_map_size(map: u32, sizeOut: usize): u32;
export declare function proxy_get_header_map_pairs(map: u32, pairsOut: usize, pairsSizeOut: usize): u32;
export declare function proxy_set_header_map_pairs(map: u32, pairs: usize, pairsSize: usize): u32;
export declare function proxy_get_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  valueOut: usize,
  valueSizeOut: usize,
): u32;
export declare function proxy_add_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
): u32;
export declare function proxy_replace_header_map_value(
  map: u32,
  name: usize,
  nameSize: usize,
  value: usize,
  valueSize: usize,
): u32;
export declare function proxy_remove_header_map_value(map: u32, name: usize, nameSize: usize): u32;

// Bodies and other buffers
export declare function proxy_get_buffer_status(buffer: u32, lengthOut: usize, flagsOut: usize): u32;
export declare function proxy_get_buffer_bytes(
  buffer: u32,
  start: u32,
  length: u32,
  bytesOut: usize,
  bytesSizeOut: usize,
): u32;
export declare function proxy_set_buffer_bytes(
  buffer: u32,
  start: u32,
  length: u32,
  bytes: usize,
  bytesSize: usize,
): u32;

// What the workers share
export declare function proxy_get_shared_data(
  key: usize,
  keySize: usize,
  valueOut: usize,
  valueSizeOut: usize,
  casOut: usize,
): u32;
export declare function proxy_set_shared_data(
  key: usize,
  keySize: usize,
  value: usize,
  valueSize: usize,
  cas: u32,
): u32;
export declare function proxy_register_shared_queue(name: usize, nameSize: usize, tokenOut: usize): u32;
export declare function proxy_resolve_shared_queue(
  vmId: usize,
  vmIdSize: usize,
  name: usize,
  nameSize: usize,
  tokenOut: usize,
): u32;
export declare function proxy_enqueue_shared_queue(token: u32, data: usize, dataSize: usize): u32;
export declare function proxy_dequeue_shared_queue(token: u32, dataOut: usize, dataSizeOut: usize): u32;

// Metrics
export declare function proxy_define_metric(type: u32, name: usize, nameSize: usize, idOut: usize): u32;
export declare function proxy_increment_metric(id: u32, offset: i64): u32;
export declare function proxy_record_metric(id: u32, value: u64): u32;
export declare function proxy_get_metric(id: u32, valueOut: usize): u32;

// Calls to others
export declare function proxy_http_call(
  cluster: usize,
  clusterSize: usize,
  headers: usize,
  headersSize: usize,
  body: usize,
  bodySize: usize,
  trailers: usize,
  trailersSize: usize,
  timeoutMilliseconds: u32,
  tokenOut: usize,
): u32;
export declare function proxy_grpc_call(
  service: usize,
  serviceSize: usize,
  serviceName: usize,
  serviceNameSize: usize,
  method: usize,
  methodSize: usize,
  initialMetadata: usize,
  initialMetadataSize: usize,
  request: usize,
  requestSize: usize,
  timeoutMilliseconds: u32,
  tokenOut: usize,
): u32;
export declare function proxy_grpc_stream(
  service: usize,
  serviceSize: usize,
  serviceName: usize,
  serviceNameSize: usize,
  method: usize,
  methodSize: usize,
  initialMetadata: usize,
  initialMetadataSize: usize,
  tokenOut: usize,
): u32;
export declare function proxy_grpc_send(token: u32, message: usize, messageSize: usize, endStream: u32): u32;
export declare function proxy_grpc_close(token: u32): u32;
export declare function proxy_grpc_cancel(token: u32): u32;
export declare function proxy_call_foreign_function(
  name: usize,
  nameSize: usize,
  argument: usize,
  argumentSize: usize,
  resultOut: usize,
  resultSizeOut: usize,
): u32;

// Contexts
export declare function proxy_set_effective_context(id: u32): u32;
export declare function proxy_done(): u32;
