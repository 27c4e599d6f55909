// What a module of filters exports. Callbacks that are not exported are not called.
export { check_answer, check_configuration, check_hash } from "./check-config";
export {
  malloc,
  proxy_abi_version_0_2_1,
  proxy_on_configure,
  proxy_on_context_create,
  proxy_on_log,
  proxy_on_new_connection,
  proxy_on_request_body,
  proxy_on_request_headers,
  proxy_on_response_body,
  proxy_on_tick,
  proxy_on_vm_start,
} from "./host-calls";
